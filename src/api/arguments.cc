// SPDX-License-Identifier: Apache-2.0
#include "src/api/arguments.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace atl::api {
namespace {

/// Sorted by where they begin, no block may begin before the one before it ends. Blocks are mostly in order already.
Status checkDisjoint(const char* countsName, const std::size_t* counts, const char* displsName,
                     const std::size_t* displs, Rank ranks) {
  bool ordered = true;
  std::size_t end = 0;
  for (Rank i = 0; i < ranks; ++i) {
    if (counts[i] == 0) continue;
    ordered = ordered && displs[i] >= end;
    end = displs[i] + counts[i];
  }
  if (ordered) return success();
  std::vector<Rank> blocks;
  for (Rank i = 0; i < ranks; ++i) {
    if (counts[i] != 0) blocks.push_back(i);
  }
  std::ranges::sort(blocks, {}, [&](Rank i) { return displs[i]; });
  for (std::size_t k = 1; k < blocks.size(); ++k) {
    const Rank a = blocks[k - 1];
    const Rank b = blocks[k];
    if (displs[a] + counts[a] > displs[b]) {
      return makeError(ErrorCode::invalidArgument,
                       "arguments {} and {}: the block of rank {} ([{}, {})) overlaps that of rank {} ([{}, {}))",
                       countsName, displsName, a, displs[a], displs[a] + counts[a], b, displs[b],
                       displs[b] + counts[b]);
    }
  }
  return success();
}

}  // namespace

Error isNull(const char* name) {
  return makeError(ErrorCode::invalidArgument, "argument {} is NULL", name);
}

Error isNoType(int value) {
  return makeError(ErrorCode::invalidArgument, "argument type is {}, which is not an atollDataType_t (0-{})", value,
                   kDataTypes - 1);
}

Error isNoRank(const char* name, int value, Rank ranks) {
  return makeError(ErrorCode::invalidArgument, "argument {} is {}, but the communicator has {} rank{} (0-{})", name,
                   value, ranks, ranks == 1 ? "" : "s", ranks - 1);
}

Error isTooLarge(const char* countName, std::size_t count, DataType type, Rank blocks) {
  return makeError(ErrorCode::invalidArgument, "argument {} is {}: {} × {} elements of {} exceed the address space",
                   countName, count, blocks, count, nameOf(type));
}

Error isNoBuffer(const BufferArgument& buffer) {
  if (buffer.data == nullptr) {
    return makeError(ErrorCode::invalidArgument, "argument {} is NULL, but the call needs {} bytes there", buffer.name,
                     buffer.bytes);
  }
  return makeError(ErrorCode::invalidArgument, "argument {} is {}: {} bytes from there exceed the address space",
                   buffer.name, fmt::ptr(buffer.data), buffer.bytes);
}

Error overlap(const BufferArgument& send, const BufferArgument& recv, const InPlace& inPlace) {
  const std::string form = inPlace.form == nullptr ? std::string("which has no in-place form")
                                                   : fmt::format("other than in the in-place form {}", inPlace.form);
  return makeError(ErrorCode::invalidArgument,
                   "argument {} is {} ({} bytes) and overlaps argument {}, {} ({} bytes), {}", send.name,
                   fmt::ptr(send.data), send.bytes, recv.name, fmt::ptr(recv.data), recv.bytes, form);
}

Result<Operator> customOperator(atollRedOp_t op, DataType type, const OperatorTable& operators,
                                std::shared_ptr<const CustomOperator>& custom) {
  custom = operators.find(op);
  if (custom == nullptr) {
    return makeError(
        ErrorCode::invalidArgument,
        "argument op is {}, which is neither a built-in reduction (0-{}) nor a live handle of this communicator", op,
        kReduceOps - 1);
  }
  if (custom->type && *custom->type != type) {
    return makeError(ErrorCode::invalidArgument, "argument op is {}, a premulsum made for {}, but argument type is {}",
                     op, nameOf(*custom->type), nameOf(type));
  }
  return custom->op;
}

Result<std::uint64_t> checkBlocks(const char* countsName, const std::size_t* counts, const char* displsName,
                                  const std::size_t* displs, Rank ranks, DataType type, bool disjoint) {
  ATOLL_TRY(checkNotNull(countsName, counts));
  ATOLL_TRY(checkNotNull(displsName, displs));
  std::uint64_t elements = 0;
  for (Rank i = 0; i < ranks; ++i) {
    if (counts[i] == 0) continue;
    std::uint64_t end = 0;
    if (__builtin_add_overflow(displs[i], counts[i], &end) || end > kMaxBytes / sizeOf(type)) {
      return makeError(ErrorCode::invalidArgument,
                       "arguments {}[{}] is {} and {}[{}] is {}: together they exceed the address space", countsName, i,
                       counts[i], displsName, i, displs[i]);
    }
    elements = std::max(elements, end);
  }
  if (disjoint) ATOLL_TRY(checkDisjoint(countsName, counts, displsName, displs, ranks));
  return elements * sizeOf(type);
}

}  // namespace atl::api
