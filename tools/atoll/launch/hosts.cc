// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/launch/hosts.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

namespace atl::launch {
namespace {

constexpr Rank kMaxRanks = 1 << 20;

struct Entry {
  std::string host;
  Rank slots = 0;  ///< 0: not said
};

/// "n1", "n1:4", "[fe80::1]:4".
Result<Entry> parseEntry(std::string_view text) {
  Entry entry;
  std::string_view rest = text;
  if (text.starts_with('[') && text.find(']') != std::string_view::npos) {
    entry.host = text.substr(1, text.find(']') - 1);
    rest = text.substr(text.find(']') + 1);
  } else {
    entry.host = text.substr(0, text.find(':'));
    rest = text.substr(entry.host.size());
  }
  // A name that begins with a dash would be taken for an option by ssh.
  if (entry.host.empty() || entry.host.starts_with('-')) {
    return makeError(ErrorCode::invalidArgument, "'{}' in the host list is no host", text);
  }
  if (rest.empty()) return entry;
  const auto [end, ec] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), entry.slots);
  if (rest.front() != ':' || ec != std::errc() || end != rest.data() + rest.size() || entry.slots < 1 ||
      entry.slots > kMaxRanks) {
    return makeError(ErrorCode::invalidArgument, "'{}' in the host list is not of the form HOST or HOST:RANKS", text);
  }
  return entry;
}

Result<std::vector<Entry>> parseList(std::string_view list) {
  std::vector<Entry> entries;
  while (true) {
    const auto comma = list.find(',');
    ATOLL_ASSIGN(auto entry, parseEntry(list.substr(0, comma)));
    entries.push_back(std::move(entry));
    if (comma == std::string_view::npos) return entries;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<std::vector<HostShare>> placeRanks(std::string_view hostList, Rank ranks) {
  if (hostList.empty()) return std::vector<HostShare>{{thisHost(), 0, std::max(ranks, 1)}};
  ATOLL_ASSIGN(auto entries, parseList(hostList));
  const auto open = std::ranges::count(entries, 0, &Entry::slots);
  const Rank said = std::accumulate(entries.begin(), entries.end(), 0, [](Rank sum, const Entry& entry) {
    return std::min(sum + entry.slots, kMaxRanks);
  });
  if (ranks == 0) ranks = said + static_cast<Rank>(open);
  if (open == 0 && said < ranks) {
    return makeError(ErrorCode::invalidArgument, "{} ranks do not fit the host list, which has room for {}", ranks,
                     said);
  }
  Rank left = std::max(ranks - said, 0);
  Rank sharers = static_cast<Rank>(open);
  Rank next = 0;
  std::vector<HostShare> shares;
  for (const Entry& entry : entries) {
    Rank count = entry.slots;
    if (count == 0) {
      count = (left + sharers - 1) / sharers;
      left -= count;
      --sharers;
    }
    count = std::min(count, ranks - next);
    if (count > 0) shares.push_back({entry.host, next, count});
    next += count;
  }
  return shares;
}

std::string thisHost() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

bool isThisHost(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "::1" || host == thisHost();
}

}  // namespace atl::launch
