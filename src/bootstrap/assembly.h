// SPDX-License-Identifier: Apache-2.0
// The list of who has come, as the root of the rendezvous keeps it. Pure bookkeeping: no sockets, no threads, no clock.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/base/result.h"
#include "src/bootstrap/directory.h"

namespace atl {

class Assembly {
 public:
  /// A process that will bring ranks. Coming again is no error (its ranks are what may not come twice).
  void addProcess(const ProcessInfo& process);

  /// A rank of a process that was added. Errors name both sides: a rank out of range, one that came before, another
  /// number of ranks than the first rank's.
  Status addRank(std::uint64_t processId, Rank rank, Rank ranks);

  [[nodiscard]] bool complete() const { return ranks_ > 0 && present_ == ranks_; }
  /// "ranks 3, 5-7 of 8".
  [[nodiscard]] std::string missing() const;
  /// The directory of a complete assembly; processes in the order in which they came.
  [[nodiscard]] Directory directory(const Secret& secret) const;
  /// "host n07, pid 4711", with the ranks that it brought; for errors about a process.
  [[nodiscard]] std::string nameOf(std::uint64_t processId) const;

 private:
  static constexpr std::uint32_t kNobody = 0xffffffff;
  [[nodiscard]] std::string nameOf(Rank rank, std::uint32_t process) const;

  std::vector<ProcessInfo> processes_;
  std::unordered_map<std::uint64_t, std::uint32_t> places_;  ///< by ProcessInfo::id
  Rank ranks_ = 0;                                           ///< 0: nobody has said yet
  Rank firstRank_ = kNoRank;                                 ///< who said it
  std::uint32_t firstProcess_ = 0;
  Rank present_ = 0;
  std::vector<std::uint32_t> processOf_;
};

}  // namespace atl
