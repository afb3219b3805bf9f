// SPDX-License-Identifier: Apache-2.0
// What a generator writes with, so that an algorithm's file holds the idea and little else.
//
//   PlanBuilder b(request, "ring");
//   b.lane();                                            // opens lane 0
//   b.repeat(n - 1).round()
//       .send(output(me, n).by(-1), me + 1)
//       .combine(output(me - 1, n).by(-1), {local(input(me - 1, n).by(-1)), from(me - 1)});
//   return std::move(b).build();
//
// Ranks and chunk indices are taken modulo the number of ranks and parts, so `me - 1` needs no care at the ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "src/plan/algorithm.h"
#include "src/plan/plan.h"

namespace atl::plan {

/// A chunk under construction; converts to Chunk.
struct ChunkSpec {
  Chunk chunk;
  [[nodiscard]] ChunkSpec by(std::int32_t stride) const;   ///< index stride per repetition
  [[nodiscard]] ChunkSpec span(std::int32_t parts) const;  ///< a run of parts; must not pass the end
  [[nodiscard]] ChunkSpec in(std::int32_t slot, std::int32_t slotStride = 0) const;  ///< same data, held in scratch
  operator Chunk() const { return chunk; }  // NOLINT(google-explicit-constructor)
};

ChunkSpec input(std::int32_t index, std::int32_t parts);
ChunkSpec output(std::int32_t index, std::int32_t parts);
/// The whole of a one-block payload.
inline ChunkSpec input() {
  return input(0, 1);
}
inline ChunkSpec output() {
  return output(0, 1);
}

inline Operand local(const Chunk& chunk) {
  return Operand::local(chunk);
}
inline Operand from(Rank rank, Rank stride = 0) {
  return Operand::from(Peer{rank, stride});
}

/// Builds lanes, loops and rounds in the order of the calls.
class PlanBuilder {
 public:
  PlanBuilder(const PlanRequest& request, std::string_view algorithm);

  PlanBuilder& lane(std::int32_t share = 0);   ///< opens a lane
  PlanBuilder& repeat(std::int32_t times);     ///< opens a loop; rounds that follow belong to it
  PlanBuilder& once() { return repeat(1); }    ///< ends a loop: rounds that follow run once
  PlanBuilder& round();                        ///< opens a round (in a loop of one if none is open)
  PlanBuilder& roundAfter(std::int32_t lane);  ///< opens a round that waits for another lane

  PlanBuilder& send(const Chunk& chunk, Rank to, Rank stride = 0);
  PlanBuilder& send(const Chunk& chunk, const std::vector<Rank>& to);  ///< one chunk to many; nothing if there are none
  PlanBuilder& combine(const Chunk& to, std::vector<Operand> operands, bool finish = false);
  PlanBuilder& copy(const Chunk& to, const Chunk& source) { return combine(to, {local(source)}); }
  PlanBuilder& receive(const Chunk& to, Rank peer, Rank stride = 0) { return combine(to, {from(peer, stride)}); }

  PlanBuilder& shares(std::int32_t shares);  ///< where lanes divide the data in more shares than were asked for
  PlanBuilder& scratch(std::int32_t slots, std::int32_t parts);
  PlanBuilder& ordered(bool yes = true);
  PlanBuilder& tileable(bool yes = true);
  /// Where the steps depend on the request's hierarchy: ranks then find out at a call whether theirs differ.
  PlanBuilder& alongIslands(const PlanRequest& request);

  /// Drops empty rounds and loops (but never a round that waits for a lane), sets the hash.
  Plan build() &&;

 private:
  std::vector<Step>& steps();
  [[nodiscard]] Rank wrapped(Rank rank) const;

  Plan plan_;
  std::optional<std::uint64_t> islands_;
  bool loopOpen_ = false;
};

/// The plan of a group of one: its input is its output. Nothing at all for a barrier.
Plan soloPlan(const PlanRequest& request, std::string_view algorithm);

}  // namespace atl::plan
