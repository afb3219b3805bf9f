// SPDX-License-Identifier: Apache-2.0
// What makes two calls of one kind, so that one program serves them, and what ranks compare of a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>

#include "src/base/call_record.h"
#include "src/exec/call.h"

namespace atl {

/// Whether a call is the in-place form of its collective, for this rank.
inline bool isInPlace(const Call& call, Rank rank) {
  const auto* const send = static_cast<const std::byte*>(call.send);
  const auto* const recv = static_cast<const std::byte*>(call.recv);
  if (send == nullptr || recv == nullptr) return false;
  const std::size_t element = sizeOf(call.type);
  const auto own = static_cast<std::size_t>(rank);
  switch (call.collective) {
    case Collective::allGather: return send == recv + (call.vForm ? call.recvDispls[rank] : own * call.count) * element;
    case Collective::reduceScatter: {
      const std::size_t before =
          call.vForm ? std::accumulate(call.sendCounts, call.sendCounts + rank, std::size_t{0}) : own * call.count;
      return recv == send + before * element;
    }
    case Collective::gather: return rank == call.root && send == recv + own * call.count * element;
    case Collective::scatter: return rank == call.root && recv == send + own * call.count * element;
    default: return send == recv;
  }
}

/// Everything that lowering looks at.
struct CallKind {
  std::uint64_t count = 0;
  std::uint64_t counts = 0;  ///< hash of the v-forms' arrays
  std::int32_t root = kNoRank;
  Collective collective = Collective::barrier;
  DataType type = DataType::uint8;
  std::uint8_t op = 0;     ///< codeOf(call)
  std::uint8_t flags = 0;  ///< flagsOf(call)
  friend bool operator==(const CallKind&, const CallKind&) = default;

  /// Bits of `flags`.
  static constexpr std::uint8_t kVForm = 1;
  static constexpr std::uint8_t kInPlace = 2;
  static constexpr std::uint8_t kOrdered = 4;
  static constexpr std::uint8_t kHeads = 8;

  static CallKind of(const Call& call, Rank rank, Rank ranks);
  /// What of an operator decides the kind.
  static std::uint8_t codeOf(const Call& call) {
    constexpr std::uint8_t kPreMulSum = 0xfe;
    constexpr std::uint8_t kUserOp = 0xff;
    if (!isReducing(call.collective)) return 0;
    switch (call.op.kind) {
      case Operator::Kind::builtin: return static_cast<std::uint8_t>(call.op.op);
      case Operator::Kind::preMulSum: return kPreMulSum;
      case Operator::Kind::user: return kUserOp;
    }
    return 0;
  }
  [[nodiscard]] bool inPlace() const { return (flags & kInPlace) != 0; }

  /// Whether a call that is no v-form is of this kind, field by field: no kind is made for it.
  [[nodiscard]] bool includes(const Call& call, Rank rank) const {
    return !call.vForm && call.count == count && call.collective == collective && call.type == type &&
           call.root == root && codeOf(call) == op && flagsOf(call, rank) == flags;
  }

 private:
  static std::uint8_t flagsOf(const Call& call, Rank rank) {
    return static_cast<std::uint8_t>((call.vForm ? kVForm : 0) | (isInPlace(call, rank) ? kInPlace : 0) |
                                     (call.op.ordered() ? kOrdered : 0) | (call.heads ? kHeads : 0));
  }
};

struct CallKindHash {
  std::size_t operator()(const CallKind& kind) const;
};

/// What the ranks of a call compare. The v-forms' counts are compared where every rank knows them all.
CallRecord recordOf(const Call& call, Rank ranks, std::uint64_t planHash, std::int32_t tiles);

}  // namespace atl
