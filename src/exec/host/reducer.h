// SPDX-License-Identifier: Apache-2.0
// The arithmetic of one call: folds operands, finishes results. Built-in kernels or a user's function behind one face.
#pragma once

#include <cstddef>
#include <memory>

#include "kernels/host/kernels.h"
#include "src/exec/call.h"

namespace atl::exec {

class Reducer {
 public:
  Reducer() = default;
  /// `ranks` is what avg divides by.
  Reducer(DataType type, const Operator& op, int ranks);

  /// destination = fold of `n` sources, left to right, over `bytes` bytes (whole elements). The destination may be a
  /// source.
  void fold(std::byte* destination, const void* const* sources, int n, std::size_t bytes) const;

  /// The operator's finishing, in place; nothing for most.
  void finish(std::byte* data, std::size_t bytes) const {
    if (finish_ != nullptr) finish_(data, bytes / elementBytes_, ranks_);
  }

 private:
  void foldWithUser(std::byte* destination, const void* const* sources, int n, std::size_t count) const;

  kernels::ReduceFn reduce_ = nullptr;
  kernels::FinishFn finish_ = nullptr;
  const UserReduction* user_ = nullptr;
  DataType type_ = DataType::uint8;
  std::size_t elementBytes_ = 1;
  int ranks_ = 1;
};

}  // namespace atl::exec
