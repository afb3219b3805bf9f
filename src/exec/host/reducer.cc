// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/reducer.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace atl::exec {

Reducer::Reducer(DataType type, const Operator& op, int ranks)
    : type_(type), elementBytes_(sizeOf(type)), ranks_(ranks) {
  if (op.kind == Operator::Kind::user) {
    user_ = op.user;
    return;
  }
  const ReduceOp builtin = op.kind == Operator::Kind::preMulSum ? ReduceOp::sum : op.op;
  reduce_ = kernels::reduceKernel(type, builtin);
  finish_ = kernels::finishKernel(type, builtin);
}

void Reducer::fold(std::byte* destination, const void* const* sources, int n, std::size_t bytes) const {
  const std::size_t count = bytes / elementBytes_;
  if (user_ != nullptr) {
    foldWithUser(destination, sources, n, count);
  } else {
    reduce_(destination, sources, n, count);
  }
}

// A user's function computes inout = in ∘ inout, so the fold runs from the last operand to the first, in a small
// accumulator of its own: the destination may be any of the sources.
void Reducer::foldWithUser(std::byte* destination, const void* const* sources, int n, std::size_t count) const {
  alignas(64) std::array<std::byte, 4096> accumulator;
  const std::size_t atOnce = accumulator.size() / elementBytes_;
  for (std::size_t done = 0; done < count; done += atOnce) {
    const std::size_t now = std::min(atOnce, count - done);
    const auto source = [&](int k) { return static_cast<const std::byte*>(sources[k]) + done * elementBytes_; };
    std::memcpy(accumulator.data(), source(n - 1), now * elementBytes_);
    for (int k = n - 2; k >= 0; --k) user_->function(source(k), accumulator.data(), now, type_, user_->context);
    std::memcpy(destination + done * elementBytes_, accumulator.data(), now * elementBytes_);
  }
}

}  // namespace atl::exec
