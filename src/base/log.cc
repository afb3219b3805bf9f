// SPDX-License-Identifier: Apache-2.0
#include "src/base/log.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace atl::log {
namespace {

constexpr std::array<std::string_view, 7> kSubjects = {"warn", "info", "plan", "link", "bootstrap", "exec", "topology"};

unsigned bitOf(Subject subject) {
  return 1U << static_cast<unsigned>(subject);
}

unsigned readSubjects() {
  unsigned enabledBits = bitOf(Subject::warn);
  const char* value = std::getenv("ATOLL_DEBUG");
  std::string_view rest = value == nullptr ? "" : value;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto word = rest.substr(0, comma);
    bool known = word == "all" || word.empty();
    if (word == "all") enabledBits = ~0U;
    for (std::size_t i = 0; i < kSubjects.size(); ++i) {
      if (word == kSubjects[i]) {
        enabledBits |= 1U << i;
        known = true;
      }
    }
    if (!known) {
      write(Subject::warn, kNoRank,
            fmt::format("ATOLL_DEBUG: unknown subject '{}'; known: info, plan, link, bootstrap, exec, topology, all",
                        word));
    }
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
  }
  return enabledBits;
}

const std::string& hostName() {
  static const std::string name = [] {
    std::array<char, 256> buffer{};
    return std::string(gethostname(buffer.data(), buffer.size() - 1) == 0 ? buffer.data() : "?");
  }();
  return name;
}

}  // namespace

bool enabled(Subject subject) {
  static const unsigned bits = readSubjects();
  return (bits & bitOf(subject)) != 0;
}

void write(Subject subject, Rank rank, std::string_view text) {
  std::string line = fmt::format("atoll {}:{} ", hostName(), ::getpid());
  if (rank != kNoRank) line += fmt::format("[{}] ", rank);
  line += fmt::format("{}: {}\n", kSubjects.at(static_cast<std::size_t>(subject)), text);
  // One write(2) per line keeps lines whole. A broken standard error is nobody's to report to.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace atl::log
