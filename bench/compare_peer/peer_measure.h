// SPDX-License-Identifier: Apache-2.0
// The counterpart of bench/perf/measure.h: the same warm-up, rotation of positions, loop and averaging, around a peer's
// calls.
#pragma once

#include "bench/compare_peer/peer.h"
#include "bench/perf/buffer.h"
#include "bench/perf/options.h"
#include "bench/perf/statistics.h"

namespace atl::perf {

class PeerMeasuring {
 public:
  /// `count` is the call's count. All references outlive this object.
  PeerMeasuring(Peer& peer, const PeerCollective& collective, const Options& options, const Buffer& send,
                const Buffer& recv, std::size_t count, bool inPlace);

  /// What the peer cannot take is an error. Collective over all ranks.
  Result<Measurement> time();
  Result<std::uint64_t> check(std::uint64_t seed);

 private:
  /// Where a call reads and writes.
  struct Place {
    std::byte* send = nullptr;
    std::byte* recv = nullptr;
  };

  [[nodiscard]] Result<PeerIssue> bind() const;
  [[nodiscard]] Place placeOf(std::size_t position) const;
  [[nodiscard]] Status issue(const PeerIssue& call, int iteration) const;
  /// Seconds of each iteration where they are asked for, and at the end the mean.
  Result<std::vector<double>> timeIterations(const PeerIssue& call) const;
  /// What Team::combine does, by the peer.
  [[nodiscard]] Status combine(std::vector<double>& mine) const;

  Peer& peer_;
  const PeerCollective& collective_;
  const Options& options_;
  const Buffer& send_;
  const Buffer& recv_;
  bool inPlace_;
  Job job_;
  DataType type_;
  Layout input_;
  Layout output_;
  std::size_t sendBytes_ = 0;
  std::size_t recvBytes_ = 0;
  InPlace offsets_;
  std::size_t commonBytes_ = 0;
};

}  // namespace atl::perf
