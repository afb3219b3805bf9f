// SPDX-License-Identifier: Apache-2.0
// The folding of runs of a type, whatever their operator: that is chosen once a job, so that a kernel a type is enough.
#pragma once

#include <cstdint>

#include "kernels/cuda/reduction.h"
#include "src/exec/cuda/device/fold.h"

namespace atl::kernels::device {

/// The Reduction of a type, its operator looked up at every quad: for what goes slowly anyway.
template <DataType type>
struct ByOperator {
  using Sum = SumOf<type>;
  ReduceOp op = ReduceOp::sum;
  std::int32_t ranks = 1;

  ATOLL_HOST_DEVICE void begin(Sum& sum, const Quad& quad) const { Reduction<type, ReduceOp::sum>{}.begin(sum, quad); }
  ATOLL_HOST_DEVICE void add(Sum& sum, const Quad& quad) const {
    switch (op) {
      case ReduceOp::sum:
      case ReduceOp::avg: return Reduction<type, ReduceOp::sum>{}.add(sum, quad);
      case ReduceOp::prod: return Reduction<type, ReduceOp::prod>{}.add(sum, quad);
      case ReduceOp::max: return Reduction<type, ReduceOp::max>{}.add(sum, quad);
      case ReduceOp::min: return Reduction<type, ReduceOp::min>{}.add(sum, quad);
    }
  }
  [[nodiscard]] ATOLL_HOST_DEVICE Quad end(const Sum& sum, bool finish) const {
    return Reduction<type, ReduceOp::avg>{ranks}.end(sum, finish && op == ReduceOp::avg);
  }
};

/// The folding (walk.h) of runs of one type, by the operator of each.
template <DataType type>
class Folding {
 public:
  explicit ATOLL_HOST_DEVICE Folding(const atl::device::Run& run) : op_(run.op), ranks_(run.program->ranks) {}

  /// See atl::device::fold.
  template <atl::device::Space X>
  ATOLL_HOST_DEVICE bool operator()(X& x, const atl::device::Job& job) const {
    std::uint64_t done = 0;
    if (job.reduces() && allAligned(job)) {
      switch (op_) {
        case ReduceOp::sum: done = foldAligned(x, job, Reduction<type, ReduceOp::sum>{ranks_}); break;
        case ReduceOp::prod: done = foldAligned(x, job, Reduction<type, ReduceOp::prod>{ranks_}); break;
        case ReduceOp::max: done = foldAligned(x, job, Reduction<type, ReduceOp::max>{ranks_}); break;
        case ReduceOp::min: done = foldAligned(x, job, Reduction<type, ReduceOp::min>{ranks_}); break;
        case ReduceOp::avg: done = foldAligned(x, job, Reduction<type, ReduceOp::avg>{ranks_}); break;
      }
    }
    return foldFrom(x, job, ByOperator<type>{op_, ranks_}, done);
  }

 private:
  ReduceOp op_;
  std::int32_t ranks_;
};

}  // namespace atl::kernels::device
