// SPDX-License-Identifier: Apache-2.0
// The reductions that a user made on one communicator.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "atoll/atoll.h"
#include "src/base/result.h"
#include "src/exec/call.h"

namespace atl::api {

/// A user's reduction as calls need it. Shared with the calls that are queued, so that it may be destroyed before they
/// run.
struct CustomOperator {
  atollRedOp_t handle = 0;
  std::optional<DataType> type;  ///< premulsum: the only type it serves
  Operator op;                   ///< what goes into the call; `op.user` is &user
  UserReduction user;            ///< user's function: calls it back with the C API's types
  atollReduceFunction_t function = nullptr;
  void* context = nullptr;
};

/// Handles are unique in the process, so that one of another communicator is told from one of this. Used under the
/// communicator's claim, by one thread at a time.
class OperatorTable {
 public:
  atollRedOp_t addPreMulSum(DataType type, const void* scalar);
  /// The scalar stays in memory of the device's, and is looked at when calls run.
  atollRedOp_t addPreMulSumThere(DataType type, const void* scalar);
  atollRedOp_t addUser(atollReduceFunction_t function, void* context, bool commutative);
  /// Null when the handle is not live here.
  [[nodiscard]] std::shared_ptr<const CustomOperator> find(atollRedOp_t handle) const;
  bool remove(atollRedOp_t handle);
  void clear() { operators_.clear(); }

 private:
  CustomOperator& add(Operator::Kind kind);

  std::vector<std::shared_ptr<const CustomOperator>> operators_;
};

}  // namespace atl::api
