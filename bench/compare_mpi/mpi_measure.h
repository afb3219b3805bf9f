// SPDX-License-Identifier: Apache-2.0
// The counterpart of bench/perf/measure.h: the same warm-up, rotation of positions, loop and averaging, around MPI's
// calls.
#pragma once

#include "bench/compare_mpi/mpi_call.h"
#include "bench/perf/buffer.h"
#include "bench/perf/statistics.h"

namespace atl::perf {

class MpiMeasuring {
 public:
  /// `count` is the call's count. All references outlive this object.
  MpiMeasuring(const MpiCollective& collective, const Options& options, const Buffer& send, const Buffer& recv,
               std::size_t count, bool inPlace);

  /// Types, operators or counts that MPI cannot take are errors. Collective over all ranks.
  Result<Measurement> time();
  Result<std::uint64_t> check(std::uint64_t seed);

 private:
  [[nodiscard]] Result<MpiCall> callTemplate() const;
  [[nodiscard]] MpiCall at(const MpiCall& call, std::size_t position) const;

  const MpiCollective& collective_;
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
