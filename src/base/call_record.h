// SPDX-License-Identifier: Apache-2.0
// What a rank is calling, as it travels with messages so that ranks that disagree find out, with both sides named.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/result.h"
#include "src/base/types.h"

namespace atl {

/// Plain bytes: goes over wires and through shared memory as it is (little-endian machines only; the bootstrap refuses
/// others).
struct CallRecord {
  // In `flags`:
  static constexpr std::uint8_t kVForm = 1;
  static constexpr std::uint8_t kHeads = 2;  ///< the heads of a v-form's blocks (comm/heads_and_tails.h)

  std::uint64_t sequence = 0;  ///< number of this call on the communicator, from 1
  std::uint64_t count = 0;     ///< elements, as the API's count
  std::uint64_t planHash = 0;  ///< Plan::familyHash, with the number of tiles folded in
  std::int32_t root = kNoRank;
  Collective collective = Collective::barrier;
  DataType type = DataType::uint8;
  std::uint8_t op = 0;  ///< ReduceOp, or 0xfe premulsum, 0xff a user's callback
  std::uint8_t flags = 0;

  friend bool operator==(const CallRecord&, const CallRecord&) = default;
};
static_assert(sizeof(CallRecord) == 32);

/// What all calls of one kind have in common of their tags: a hash of everything but the sequence.
std::uint64_t tagBaseOf(const CallRecord& record);

/// What is compared. pointToPoint records compare the sequence of the pair, not of the communicator, and carry 0 in
/// every field that the two ends may rightly differ in. That the sequence is just added makes a call's tag cheap, and
/// lets the record of an earlier call of the kind stand for this one (PublishedCalls). 0 means "not checked".
inline std::uint64_t tagOf(std::uint64_t base, std::uint64_t sequence) {
  return base + sequence;
}

/// A record and its tag's base.
struct TaggedCall : CallRecord {
  std::uint64_t base = 0;

  TaggedCall() = default;
  explicit TaggedCall(const CallRecord& record) : CallRecord(record), base(tagBaseOf(record)) {}
  [[nodiscard]] std::uint64_t tag() const { return tagOf(base, sequence); }
};

/// "allreduce #12 (count 1024, float, sum, algorithm plan 0x3fa1…)".
std::string describe(const CallRecord& record);

/// The error for two records that should agree: names both ranks, both calls, and which fields differ.
Error mismatch(Rank mine, const CallRecord& myCall, Rank peer, const CallRecord& peerCall);

}  // namespace atl
