// SPDX-License-Identifier: Apache-2.0
// Checks of arguments. Every error names the argument, its value and what would have been right; the caller puts the
// function's name in front.
#pragma once

#include <cstdint>
#include <memory>

#include "atoll/atoll.h"
#include "src/api/operators.h"
#include "src/base/result.h"
#include "src/base/types.h"
#include "src/exec/call.h"

namespace atl::api {

/// The most that one buffer can hold.
inline constexpr std::uint64_t kMaxBytes = PTRDIFF_MAX;

/// A buffer argument and its extent.
struct BufferArgument {
  const char* name = "";
  const void* data = nullptr;
  std::uint64_t bytes = 0;
};

// The tests are inline and the texts are not: a right call, which is what counts, should pass in a few instructions.

Error isNull(const char* name);
inline Status checkNotNull(const char* name, const void* pointer) {
  if (pointer == nullptr) return isNull(name);
  return success();
}

Error isNoType(int value);
inline Result<DataType> checkType(atollDataType_t type) {
  const auto value = static_cast<int>(type);
  if (value < 0 || value >= kDataTypes) return isNoType(value);
  return static_cast<DataType>(value);
}

/// `name` is "root" or "peer".
Error isNoRank(const char* name, int value, Rank ranks);
inline Status checkRank(const char* name, int value, Rank ranks) {
  if (value < 0 || value >= ranks) return isNoRank(name, value, ranks);
  return success();
}

/// Bytes of `blocks` blocks of `count` elements; an error when they cannot be addressed.
Error isTooLarge(const char* countName, std::size_t count, DataType type, Rank blocks);
inline Result<std::uint64_t> checkSize(const char* countName, std::size_t count, DataType type, Rank blocks = 1) {
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<std::uint64_t>(count), sizeOf(type) * static_cast<std::uint64_t>(blocks),
                             &bytes) ||
      bytes > kMaxBytes) {
    return isTooLarge(countName, count, type, blocks);
  }
  return bytes;
}

/// A buffer with elements is not null and does not wrap around the address space.
Error isNoBuffer(const BufferArgument& buffer);
inline Status checkBuffer(const BufferArgument& buffer) {
  std::uint64_t end = 0;
  const bool wraps = __builtin_add_overflow(reinterpret_cast<std::uintptr_t>(buffer.data), buffer.bytes, &end);
  if (buffer.bytes != 0 && (buffer.data == nullptr || wraps)) return isNoBuffer(buffer);
  return success();
}

/// What the two buffers of a call may share: nothing, or in place a common `start` (where the smaller one must then
/// lie).
struct InPlace {
  const void* send = nullptr;  ///< sendbuff in the in-place form
  const void* recv = nullptr;  ///< recvbuff in it
  const char* form = nullptr;  ///< for people: "recvbuff == sendbuff"; null: there is none
};

/// The buffers do not overlap, or are the in-place form exactly.
Error overlap(const BufferArgument& send, const BufferArgument& recv, const InPlace& inPlace);
inline Status checkApart(const BufferArgument& send, const BufferArgument& recv, const InPlace& inPlace) {
  const auto sendBegin = reinterpret_cast<std::uintptr_t>(send.data);
  const auto recvBegin = reinterpret_cast<std::uintptr_t>(recv.data);
  const bool apart =
      send.bytes == 0 || recv.bytes == 0 || sendBegin + send.bytes <= recvBegin || recvBegin + recv.bytes <= sendBegin;
  const bool asAllowed = inPlace.form != nullptr && inPlace.send == send.data && inPlace.recv == recv.data;
  if (!apart && !asAllowed) return overlap(send, recv, inPlace);
  return success();
}

/// The reduction of a handle, which is then kept in `custom`.
Result<Operator> customOperator(atollRedOp_t op, DataType type, const OperatorTable& operators,
                                std::shared_ptr<const CustomOperator>& custom);
/// A reduction for a call: the built-in one, or a handle's.
inline Result<Operator> checkOperator(atollRedOp_t op, DataType type, const OperatorTable& operators,
                                      std::shared_ptr<const CustomOperator>& custom) {
  if (op < 0 || op >= kReduceOps) return customOperator(op, type, operators, custom);
  Operator builtin;
  builtin.op = static_cast<ReduceOp>(op);
  return builtin;
}

/// Blocks of a v-form: element counts and displacements, n each. Gives the bytes from the buffer's start to the end of
/// the last block. `disjoint`: no two blocks may share elements.
Result<std::uint64_t> checkBlocks(const char* countsName, const std::size_t* counts, const char* displsName,
                                  const std::size_t* displs, Rank ranks, DataType type, bool disjoint);

}  // namespace atl::api
