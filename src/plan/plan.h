// SPDX-License-Identifier: Apache-2.0
// The plan: a collective as data.
//
// An algorithm is a pure function from (collective, ranks, my rank, root) to one rank's Plan. The same value is run by
// the executors, timed by the simulator, proved by the verifier and shown to people. It names data by parts of the
// payload, never by bytes, so one plan serves every size; and it says nothing of how bytes move (slots, packets,
// zero-copy, fusing): that is lowering's.
//
// Shape.  Plan → lanes → loops → rounds → steps.
//   * Lanes are independent strands. Each works on its own share of every part (`Lane::share` of `Plan::shares`); lanes
//     with the same share work on the same data and are ordered only by Round::after.
//   * A loop is a list of rounds run `repeat` times; in repetition k every chunk index and peer advances by k·stride,
//   so a
//     ring of n ranks is two rounds, whatever n.
//   * The steps of a round run concurrently; the next round begins when all of them are complete. A send is complete
//     when its chunk may be overwritten.
//   * Lowering may cut the payload into tiles (`Plan::tileable`) and run the whole program once per tile, rounds of
//     different ranks overlapping: this is what pipelines a chain or a tree.
//
// Messages.  The k-th send from a to b on a lane meets the k-th operand that b takes from a on the same lane. Nothing
// else joins ranks. A plan is correct if it is correct with no buffering at all (a send completes only when it is
// received); the verifier proves it so, and any buffering that links offer can only help.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/base/host_device.h"
#include "src/base/types.h"

namespace atl {

/// Version of the plan's meaning. Part of the hash that ranks compare, and of the JSON form.
inline constexpr int kPlanVersion = 1;

enum class Buffer : std::uint8_t { input, output, scratch };

/// A run of consecutive equal parts of the payload, and which buffer holds it.
///
/// The payload of a collective is a list of blocks:
///   allReduce, reduce, broadcast, barrier   one block (count elements), in input and in output
///   allGather, gather     ranks blocks; rank r's input holds block r alone, an output holds all
///   reduceScatter, scatter ranks blocks; an input holds all, rank r's output holds block r alone
///   allToAll              ranks blocks; input block i is for rank i, output block i is from rank i
///   pointToPoint          one block for each send (input) and for each receive (output), in the order of the calls
/// `parts` is a multiple of the number of blocks; with k = parts / blocks, part i is share i % k of block i / k
/// (geometry.h has the rule that cuts a block into shares). So {input, 3, 1, 8} is the fourth of eight parts.
///
/// A chunk of scratch says what it holds in the same way (`index` and `parts` give its size) and, besides, where: it
/// begins at `slot`. A slot is as large as the largest of `Plan::scratchParts` parts; a chunk of scratch has parts ==
/// scratchParts, and its part number j lies in slot + j.
struct Chunk {
  Buffer buffer = Buffer::input;
  std::int32_t index = 0;       ///< first part
  std::int32_t span = 1;        ///< number of consecutive parts; never wraps around the end
  std::int32_t parts = 1;       ///< the payload is cut in this many
  std::int32_t stride = 0;      ///< repetition k has index (index + k·stride) mod parts
  std::int32_t slot = 0;        ///< scratch only: first slot
  std::int32_t slotStride = 0;  ///< scratch only: repetition k has (slot + k·slotStride) mod Plan::scratchSlots

  friend bool operator==(const Chunk&, const Chunk&) = default;
};

/// A peer that may advance with the repetition: repetition k has (rank + k·stride) mod ranks.
struct Peer {
  Rank rank = 0;
  Rank stride = 0;

  friend bool operator==(const Peer&, const Peer&) = default;
};

/// One term of a combine: a chunk of mine, or the next message from a peer (of the destination's size).
struct Operand {
  static Operand local(Chunk chunk) { return Operand{chunk, std::nullopt}; }
  static Operand from(Peer peer) { return Operand{Chunk{}, peer}; }
  [[nodiscard]] bool isPeer() const { return peer.has_value(); }

  Chunk chunk;               ///< when local
  std::optional<Peer> peer;  ///< when a message

  friend bool operator==(const Operand&, const Operand&) = default;
};

/// The two operations that there are.
///   send     chunk → every peer in `to`
///   combine  chunk ← fold of `operands`, left to right. One operand makes it a receive or a copy; several make it an
///            n-ary (receive-)reduce. Accumulation across one combine is in the accumulator's precision (float32 for
///            16- and 8-bit floats) with one rounding at the end.
struct Step {
  enum class Kind : std::uint8_t { send, combine };

  Kind kind = Kind::send;
  Chunk chunk;                    ///< send: what is sent; combine: the destination
  std::vector<Peer> to;           ///< send only
  std::vector<Operand> operands;  ///< combine only; a destination may equal a local operand exactly, never overlap one
  bool finish = false;            ///< combine only: the result holds every rank's contribution and gets the operator's
                                  ///< finishing (avg's division) here; exactly once on the way of every output element

  friend bool operator==(const Step&, const Step&) = default;
};

struct Round {
  std::vector<Step> steps;
  /// If set, this round begins only when that lane has run its whole program for the same tile.
  std::optional<std::int32_t> after;

  friend bool operator==(const Round&, const Round&) = default;
};

struct Loop {
  std::int32_t repeat = 1;
  std::vector<Round> rounds;

  friend bool operator==(const Loop&, const Loop&) = default;
};

struct Lane {
  std::int32_t share = 0;
  std::vector<Loop> loops;

  friend bool operator==(const Lane&, const Lane&) = default;
};

/// One rank's program. Built by a generator or read from a file; never changed afterwards.
struct Plan {
  int version = kPlanVersion;
  Collective collective = Collective::allReduce;
  std::string algorithm;  ///< "ring", "two-shot", … or the name a user gave
  Rank ranks = 1;
  Rank rank = 0;
  Rank root = kNoRank;            ///< for rooted collectives
  std::int32_t shares = 1;        ///< lanes divide every part in this many
  std::int32_t scratchParts = 1;  ///< a scratch slot is as large as the largest of this many parts
  std::int32_t scratchSlots = 0;  ///< bound on the scratch that the steps name
  bool ordered = false;           ///< reduces in rank order: fit for operators that do not commute
  bool tileable = false;          ///< may be run tile by tile
  /// What the ranks compare at a call: equal on all ranks of one family of plans, different between families.
  std::uint64_t familyHash = 0;
  std::vector<Lane> lanes;

  friend bool operator==(const Plan&, const Plan&) = default;
};

/// Number of blocks in the payload of a collective over `ranks` ranks. (pointToPoint: given by the call.)
constexpr Rank payloadBlocks(Collective c, Rank ranks) {
  switch (c) {
    case Collective::allGather:
    case Collective::gather:
    case Collective::reduceScatter:
    case Collective::scatter:
    case Collective::allToAll: return ranks;
    default: return 1;
  }
}

/// Calls `visit(step, repeat)` with every step as it is written, and how often its loop runs it.
template <class Visit>
void forEachStep(const Plan& plan, Visit&& visit) {
  for (const Lane& lane : plan.lanes) {
    for (const Loop& loop : lane.loops) {
      for (const Round& round : loop.rounds) {
        for (const Step& step : round.steps) visit(step, loop.repeat);
      }
    }
  }
}

/// Position of `start + k·stride` on a circle of `size` places; strides may be negative.
ATOLL_HOST_DEVICE inline std::int32_t advanced(std::int32_t start, std::int32_t k, std::int32_t stride,
                                               std::int32_t size) {
  const std::int64_t place = (start + std::int64_t{k} * stride) % size;
  return static_cast<std::int32_t>(place < 0 ? place + size : place);
}

/// The chunk and peer of repetition k.
ATOLL_HOST_DEVICE inline Chunk atRepetition(const Chunk& chunk, std::int32_t k, std::int32_t scratchSlots) {
  Chunk now = chunk;
  if (chunk.stride != 0) now.index = advanced(chunk.index, k, chunk.stride, chunk.parts);
  if (chunk.slotStride != 0 && scratchSlots > 0) now.slot = advanced(chunk.slot, k, chunk.slotStride, scratchSlots);
  now.stride = 0;
  now.slotStride = 0;
  return now;
}
ATOLL_HOST_DEVICE inline Rank atRepetition(const Peer& peer, std::int32_t k, Rank ranks) {
  return advanced(peer.rank, k, peer.stride, ranks);
}

/// The hash of a generated family: version, collective, algorithm, ranks, root and shares.
std::uint64_t generatedFamilyHash(const Plan& plan);

}  // namespace atl
