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

/// A buffer argument and its extent.
struct BufferArgument {
  const char* name = "";
  const void* data = nullptr;
  std::uint64_t bytes = 0;
};

Status checkNotNull(const char* name, const void* pointer);

Result<DataType> checkType(atollDataType_t type);

/// `name` is "root" or "peer".
Status checkRank(const char* name, int value, Rank ranks);

/// Bytes of `blocks` blocks of `count` elements; an error when they cannot be addressed.
Result<std::uint64_t> checkSize(const char* countName, std::size_t count, DataType type, Rank blocks = 1);

/// A buffer with elements is not null and does not wrap around the address space.
Status checkBuffer(const BufferArgument& buffer);

/// What the two buffers of a call may share: nothing, or in place a common `start` (where the smaller one must then
/// lie).
struct InPlace {
  const void* send = nullptr;  ///< sendbuff in the in-place form
  const void* recv = nullptr;  ///< recvbuff in it
  const char* form = nullptr;  ///< for people: "recvbuff == sendbuff"; null: there is none
};

/// The buffers do not overlap, or are the in-place form exactly.
Status checkApart(const BufferArgument& send, const BufferArgument& recv, const InPlace& inPlace);

/// A reduction for a call: the built-in one, or a handle's, which is then kept in `custom`.
Result<Operator> checkOperator(atollRedOp_t op, DataType type, const OperatorTable& operators,
                               std::shared_ptr<const CustomOperator>& custom);

/// Blocks of a v-form: element counts and displacements, n each. Gives the bytes from the buffer's start to the end of
/// the last block. `disjoint`: no two blocks may share elements.
Result<std::uint64_t> checkBlocks(const char* countsName, const std::size_t* counts, const char* displsName,
                                  const std::size_t* displs, Rank ranks, DataType type, bool disjoint);

}  // namespace atl::api
