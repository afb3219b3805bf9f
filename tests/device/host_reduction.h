// SPDX-License-Identifier: Apache-2.0
// Reductions of a few types by plain C++: what is tested is when device code moves what, not its arithmetic.
#pragma once

#include <algorithm>
#include <bit>

#include "src/base/types.h"
#include "src/exec/cuda/device/quads.h"

namespace atl::test {

template <class T>
struct HostReduction {
  static constexpr std::size_t kElements = device::kQuadBytes / sizeof(T);
  struct Elements {
    T at[kElements];
  };
  using Sum = Elements;

  ReduceOp op = ReduceOp::sum;
  Rank ranks = 1;

  void begin(Sum& sum, const device::Quad& quad) const { sum = std::bit_cast<Elements>(quad); }
  void add(Sum& sum, const device::Quad& quad) const {
    const auto other = std::bit_cast<Elements>(quad);
    for (std::size_t i = 0; i < kElements; ++i) sum.at[i] = both(sum.at[i], other.at[i]);
  }
  [[nodiscard]] device::Quad end(const Sum& sum, bool finish) const {
    Elements result = sum;
    if (finish && op == ReduceOp::avg) {
      for (T& element : result.at) element = static_cast<T>(element / static_cast<T>(ranks));
    }
    return std::bit_cast<device::Quad>(result);
  }

 private:
  [[nodiscard]] T both(T a, T b) const {
    switch (op) {
      case ReduceOp::sum:
      case ReduceOp::avg: return static_cast<T>(a + b);
      case ReduceOp::prod: return static_cast<T>(a * b);
      case ReduceOp::max: return std::max(a, b);
      case ReduceOp::min: return std::min(a, b);
    }
    return a;
  }
};

}  // namespace atl::test
