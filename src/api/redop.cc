// SPDX-License-Identifier: Apache-2.0
// Making and freeing reductions of the user's own.
#include "src/api/arguments.h"
#include "src/api/entry.h"
#include "src/api/report.h"

namespace atl::api {
namespace {

Status createPreMulSum(atollRedOp_t* op, const void* scalar, atollDataType_t type, atollScalarResidence_t residence,
                       atollComm_t comm) {
  ATOLL_TRY(checkNotNull("op", op));
  ATOLL_TRY(checkNotNull("scalar", scalar));
  ATOLL_ASSIGN(const DataType checked, checkType(type));
  if (const auto where = static_cast<int>(residence); where != atollScalarDevice && where != atollScalarHostImmediate) {
    return makeError(ErrorCode::invalidArgument,
                     "argument residence is {}, which is not an atollScalarResidence_t (0-1)", where);
  }
  const Claim claim(comm);
  if (!claim) return refusal(comm);
  const bool stays = residence == atollScalarDevice && claim.entry().device >= 0;
  auto& operators = claim.entry().operators;
  *op = stays ? operators.addPreMulSumThere(checked, scalar) : operators.addPreMulSum(checked, scalar);
  return success();
}

Status createUser(atollRedOp_t* op, atollReduceFunction_t function, void* context, int commutative, atollComm_t comm) {
  ATOLL_TRY(checkNotNull("op", op));
  if (function == nullptr) return makeError(ErrorCode::invalidArgument, "argument function is NULL");
  if (commutative != 0 && commutative != 1) {
    return makeError(ErrorCode::invalidArgument, "argument commutative is {}; it must be 0 or 1", commutative);
  }
  const Claim claim(comm);
  if (!claim) return refusal(comm);
  *op = claim.entry().operators.addUser(function, context, commutative == 1);
  return success();
}

Status destroy(atollRedOp_t op, atollComm_t comm) {
  const Claim claim(comm);
  if (!claim) return refusal(comm);
  if (op >= 0 && op < kReduceOps) {
    return makeError(ErrorCode::invalidArgument, "argument op is {}, a built-in reduction", op);
  }
  if (!claim.entry().operators.remove(op)) {
    return makeError(ErrorCode::invalidArgument, "argument op is {}, which is not a live handle of this communicator",
                     op);
  }
  return success();
}

}  // namespace
}  // namespace atl::api

using namespace atl::api;  // NOLINT(google-build-using-namespace): the C functions are outside

atollResult_t atollRedOpCreatePreMulSum(atollRedOp_t* op, void* scalar, atollDataType_t type,
                                        atollScalarResidence_t residence, atollComm_t comm) {
  constexpr auto kCall = "atollRedOpCreatePreMulSum";
  return guarded(kCall, [&] { return finish(kCall, createPreMulSum(op, scalar, type, residence, comm)); });
}

atollResult_t atollRedOpCreateUser(atollRedOp_t* op, atollReduceFunction_t function, void* context, int commutative,
                                   atollComm_t comm) {
  constexpr auto kCall = "atollRedOpCreateUser";
  return guarded(kCall, [&] { return finish(kCall, createUser(op, function, context, commutative, comm)); });
}

atollResult_t atollRedOpDestroy(atollRedOp_t op, atollComm_t comm) {
  constexpr auto kCall = "atollRedOpDestroy";
  return guarded(kCall, [&] { return finish(kCall, destroy(op, comm)); });
}
