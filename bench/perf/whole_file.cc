// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/whole_file.h"

#include <signal.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>

namespace atl::perf {
namespace {

std::string unfinishedName(const std::string& path) {
  return path + ".part";
}

/// Holds off the signals by which a user ends a program, where they have their default effect.
class Undisturbed {
 public:
  Undisturbed() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], nullptr, &before_[i]);
      if (before_[i].sa_handler == SIG_DFL) ::signal(kSignals[i], SIG_IGN);
    }
  }
  ~Undisturbed() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  }
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace

Status probeWhole(const std::string& path) {
  const std::string unfinished = unfinishedName(path);
  if (!std::ofstream(unfinished, std::ios::trunc)) return systemError(errno, fmt::format("cannot write {}", path));
  std::remove(unfinished.c_str());
  return success();
}

Status writeWhole(const std::string& path, std::string_view text) {
  const Undisturbed undisturbed;
  const std::string unfinished = unfinishedName(path);
  std::ofstream file(unfinished, std::ios::trunc | std::ios::binary);
  file << text;
  file.close();
  if (file && std::rename(unfinished.c_str(), path.c_str()) == 0) return success();
  Error error = systemError(errno, fmt::format("cannot write {}", path));
  std::remove(unfinished.c_str());
  return error;
}

}  // namespace atl::perf
