// SPDX-License-Identifier: Apache-2.0
// Times links between the ranks of a job, as `atoll run` or MPI start it. Every rank makes the same calls.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "atoll/atoll.h"
#include "src/base/result.h"
#include "src/base/types.h"

namespace atl::tools {

using RankPair = std::pair<Rank, Rank>;

class LinkTimer {
 public:
  /// Takes part in the job that this process is of.
  static Result<LinkTimer> join();
  LinkTimer(LinkTimer&& other) noexcept;
  LinkTimer& operator=(LinkTimer&& other) = delete;
  LinkTimer(const LinkTimer&) = delete;
  LinkTimer& operator=(const LinkTimer&) = delete;
  ~LinkTimer();

  [[nodiscard]] Rank rank() const { return rank_; }
  [[nodiscard]] Rank ranks() const { return ranks_; }

  /// Seconds of a small message, for each pair; one pair after the other, the others at rest. The same on every rank.
  Result<std::vector<double>> latencies(std::span<const RankPair> pairs) const;

  /// Bytes per second of a large message, likewise: so large that it takes tens of milliseconds, so that what a shaper
  /// lets pass at first does not count.
  Result<std::vector<double>> rates(std::span<const RankPair> pairs) const;

  /// Bytes per second of all pairs together, which share no rank, when all send at once; `expected` is what one of them
  /// carries alone.
  Result<double> rateTogether(std::span<const RankPair> pairs, double expected) const;

 private:
  LinkTimer(atollComm_t comm, Rank rank, Rank ranks) : comm_(comm), rank_(rank), ranks_(ranks) {}

  Status send(const void* data, std::size_t bytes, Rank peer) const;
  Status receive(void* data, std::size_t bytes, Rank peer) const;
  /// Seconds from the first byte to the receiver's answer; of no meaning at the receiver.
  Result<double> transfer(const RankPair& pair, std::vector<char>& data) const;
  Result<double> latency(const RankPair& pair) const;
  Result<double> rate(const RankPair& pair) const;
  template <class Measure>
  Result<std::vector<double>> inTurn(std::span<const RankPair> pairs, Measure measure) const;
  Result<std::vector<double>> combined(const std::vector<double>& mine, atollRedOp_t how) const;

  atollComm_t comm_ = nullptr;
  Rank rank_ = 0;
  Rank ranks_ = 1;
};

}  // namespace atl::tools
