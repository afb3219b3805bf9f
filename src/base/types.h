// SPDX-License-Identifier: Apache-2.0
// The small vocabulary that every part of Atoll shares: ranks, datatypes, operators, collectives.
//
// The C++ namespace is `atl`: `atoll` at global scope is a function of the C library (stdlib.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace atl {

/// Position of a member in a communicator, 0 … ranks−1. Also used for counts of ranks.
using Rank = std::int32_t;

/// No rank: the root of a collective that has none.
inline constexpr Rank kNoRank = -1;

/// Element types, with the values of NCCL's ncclDataType_t.
enum class DataType : std::uint8_t {
  int8 = 0,
  uint8 = 1,
  int32 = 2,
  uint32 = 3,
  int64 = 4,
  uint64 = 5,
  float16 = 6,
  float32 = 7,
  float64 = 8,
  bfloat16 = 9,
  float8e4m3 = 10,
  float8e5m2 = 11,
};
inline constexpr int kDataTypes = 12;

/// Reductions that the kernels know. A user's premulsum is `sum` after a scaling pass; a user's callback is not
/// a member: it travels beside the call.
enum class ReduceOp : std::uint8_t { sum = 0, prod = 1, max = 2, min = 3, avg = 4 };
inline constexpr int kReduceOps = 5;

/// The operations that plans exist for. The v-forms run the plans of their plain forms over unequal blocks.
enum class Collective : std::uint8_t {
  allReduce,
  reduce,
  broadcast,
  allGather,
  reduceScatter,
  allToAll,
  gather,
  scatter,
  barrier,
  pointToPoint,  ///< the sends and receives of one group, fused into one plan
};
inline constexpr int kCollectives = 10;

/// Size of one element in bytes: 1, 2, 4 or 8.
constexpr std::size_t sizeOf(DataType type) {
  switch (type) {
    case DataType::int8:
    case DataType::uint8:
    case DataType::float8e4m3:
    case DataType::float8e5m2: return 1;
    case DataType::float16:
    case DataType::bfloat16: return 2;
    case DataType::int32:
    case DataType::uint32:
    case DataType::float32: return 4;
    case DataType::int64:
    case DataType::uint64:
    case DataType::float64: return 8;
  }
  return 0;
}

/// Names as the `_perf` programs and messages print them: "float", "bfloat16", "sum", "allreduce", …
std::string_view nameOf(DataType type);
std::string_view nameOf(ReduceOp op);
std::string_view nameOf(Collective collective);

/// The inverse of nameOf; also takes NCCL's and C's synonyms ("half", "fp16", "all_reduce", "all-reduce").
std::optional<DataType> dataTypeNamed(std::string_view name);
std::optional<ReduceOp> reduceOpNamed(std::string_view name);
std::optional<Collective> collectiveNamed(std::string_view name);

/// True where the collective has a distinguished rank.
constexpr bool isRooted(Collective c) {
  return c == Collective::reduce || c == Collective::broadcast || c == Collective::gather || c == Collective::scatter;
}

/// True where the collective combines elements with an operator.
constexpr bool isReducing(Collective c) {
  return c == Collective::allReduce || c == Collective::reduce || c == Collective::reduceScatter;
}

}  // namespace atl
