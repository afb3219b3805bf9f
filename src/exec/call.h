// SPDX-License-Identifier: Apache-2.0
// A call as the communicator takes it: checked, typed, and the same for every way in (API, group, stream).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "src/base/types.h"

namespace atl {

/// A user's own reduction: inout[i] = in[i] ∘ inout[i] in rank order (in is of the lower ranks) for `count` elements.
struct UserReduction {
  void (*function)(const void* in, void* inout, std::size_t count, DataType type, void* context) = nullptr;
  void* context = nullptr;
  bool commutative = true;
};

/// What to reduce with.
struct Operator {
  enum class Kind : std::uint8_t { builtin, preMulSum, user };
  Kind kind = Kind::builtin;
  ReduceOp op = ReduceOp::sum;                   ///< builtin
  alignas(8) std::array<std::byte, 8> scalar{};  ///< preMulSum: one element of the call's type …
  const void* scalarThere = nullptr;             ///< … or, not null, where the device finds it when the call runs
  const UserReduction* user = nullptr;           ///< user; outlives the call
  [[nodiscard]] bool ordered() const { return kind == Kind::user && !user->commutative; }
};

/// One collective call of one rank. Counts are in elements, with the API's meaning:
///   allReduce, reduce, broadcast: the whole buffer; allGather, gather: what each rank sends; reduceScatter, scatter:
///   what each rank receives; allToAll: what goes to each rank.
/// The v-forms give arrays instead (`ranks` long, elements; owned by the caller until the call is complete):
///   allGather-v      recvCounts, recvDispls (sendcount is recvCounts[me])
///   reduceScatter-v  sendCounts (blocks back to back; recvcount is sendCounts[me])
///   allToAll-v       all four
struct Call {
  Collective collective = Collective::barrier;
  const void* send = nullptr;
  void* recv = nullptr;
  std::uint64_t count = 0;
  DataType type = DataType::uint8;
  Operator op;
  Rank root = kNoRank;
  bool vForm = false;
  bool heads = false;      ///< allToAll: of a v-form's blocks the heads, which are equal (comm/heads_and_tails.h)
  bool onDevice = false;   ///< the buffers lie on the communicator's device, and the call is queued on …
  void* stream = nullptr;  ///< … this stream of the device's
  const std::size_t* sendCounts = nullptr;
  const std::size_t* sendDispls = nullptr;
  const std::size_t* recvCounts = nullptr;
  const std::size_t* recvDispls = nullptr;
};

/// One send or receive of a group.
struct PointToPoint {
  bool isSend = false;
  void* buffer = nullptr;  ///< read only when sending
  std::uint64_t count = 0;
  DataType type = DataType::uint8;
  Rank peer = 0;
  bool onDevice = false;   ///< as a call's; the operations of a group are alike in it, not in the stream
  void* stream = nullptr;  ///< likewise
};

}  // namespace atl
