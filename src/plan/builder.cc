// SPDX-License-Identifier: Apache-2.0
#include "src/plan/builder.h"

#include <utility>

#include "src/base/hash.h"

namespace atl::plan {

namespace {

std::int32_t modulo(std::int32_t value, std::int32_t size) {
  const std::int32_t rest = value % size;
  return rest < 0 ? rest + size : rest;
}

ChunkSpec chunkOf(Buffer buffer, std::int32_t index, std::int32_t parts) {
  Chunk chunk;
  chunk.buffer = buffer;
  chunk.index = modulo(index, parts);
  chunk.parts = parts;
  return ChunkSpec{chunk};
}

}  // namespace

ChunkSpec ChunkSpec::by(std::int32_t stride) const {
  ChunkSpec spec = *this;
  spec.chunk.stride = stride;
  return spec;
}

ChunkSpec ChunkSpec::span(std::int32_t parts) const {
  ChunkSpec spec = *this;
  spec.chunk.span = parts;
  return spec;
}

ChunkSpec ChunkSpec::in(std::int32_t slot, std::int32_t slotStride) const {
  ChunkSpec spec = *this;
  spec.chunk.buffer = Buffer::scratch;
  spec.chunk.slot = slot;
  spec.chunk.slotStride = slotStride;
  return spec;
}

ChunkSpec input(std::int32_t index, std::int32_t parts) {
  return chunkOf(Buffer::input, index, parts);
}
ChunkSpec output(std::int32_t index, std::int32_t parts) {
  return chunkOf(Buffer::output, index, parts);
}

PlanBuilder::PlanBuilder(const PlanRequest& request, std::string_view algorithm) {
  plan_.collective = request.collective;
  plan_.algorithm = algorithm;
  plan_.ranks = request.ranks;
  plan_.rank = request.rank;
  plan_.root = request.root;
  plan_.shares = request.shares;
}

PlanBuilder& PlanBuilder::lane(std::int32_t share) {
  plan_.lanes.push_back(Lane{share, {}});
  loopOpen_ = false;
  return *this;
}

PlanBuilder& PlanBuilder::repeat(std::int32_t times) {
  plan_.lanes.back().loops.push_back(Loop{times, {}});
  loopOpen_ = true;
  return *this;
}

PlanBuilder& PlanBuilder::round() {
  if (!loopOpen_) repeat(1);
  plan_.lanes.back().loops.back().rounds.emplace_back();
  return *this;
}

PlanBuilder& PlanBuilder::roundAfter(std::int32_t lane) {
  round();
  plan_.lanes.back().loops.back().rounds.back().after = lane;
  return *this;
}

PlanBuilder& PlanBuilder::send(const Chunk& chunk, Rank to, Rank stride) {
  Step step;
  step.kind = Step::Kind::send;
  step.chunk = chunk;
  step.to = {Peer{wrapped(to), stride}};
  steps().push_back(std::move(step));
  return *this;
}

PlanBuilder& PlanBuilder::send(const Chunk& chunk, const std::vector<Rank>& to) {
  if (to.empty()) return *this;
  Step step;
  step.kind = Step::Kind::send;
  step.chunk = chunk;
  step.to.reserve(to.size());
  for (const Rank peer : to) step.to.push_back(Peer{wrapped(peer), 0});
  steps().push_back(std::move(step));
  return *this;
}

PlanBuilder& PlanBuilder::combine(const Chunk& to, std::vector<Operand> operands, bool finish) {
  Step step;
  step.kind = Step::Kind::combine;
  step.chunk = to;
  step.operands = std::move(operands);
  for (Operand& operand : step.operands) {
    if (operand.isPeer()) operand.peer->rank = wrapped(operand.peer->rank);
  }
  step.finish = finish;
  steps().push_back(std::move(step));
  return *this;
}

PlanBuilder& PlanBuilder::shares(std::int32_t shares) {
  plan_.shares = shares;
  return *this;
}

PlanBuilder& PlanBuilder::scratch(std::int32_t slots, std::int32_t parts) {
  plan_.scratchSlots = slots;
  plan_.scratchParts = parts;
  return *this;
}

PlanBuilder& PlanBuilder::ordered(bool yes) {
  plan_.ordered = yes;
  return *this;
}

PlanBuilder& PlanBuilder::tileable(bool yes) {
  plan_.tileable = yes;
  return *this;
}

PlanBuilder& PlanBuilder::alongIslands(const PlanRequest& request) {
  const Hierarchy* const hierarchy = request.hierarchy;
  const bool makesNoDifference = hierarchy == nullptr || (hierarchy->levels() == 1 && hierarchy->inOrder());
  if (!makesNoDifference) islands_ = hashOf(*hierarchy);
  return *this;
}

Plan PlanBuilder::build() && {
  for (Lane& lane : plan_.lanes) {
    for (Loop& loop : lane.loops) {
      std::erase_if(loop.rounds, [](const Round& round) { return round.steps.empty() && !round.after; });
    }
    std::erase_if(lane.loops, [](const Loop& loop) { return loop.repeat <= 0 || loop.rounds.empty(); });
  }
  plan_.familyHash = generatedFamilyHash(plan_);
  if (islands_) plan_.familyHash = hashCombine(plan_.familyHash, *islands_);
  return std::move(plan_);
}

std::vector<Step>& PlanBuilder::steps() {
  return plan_.lanes.back().loops.back().rounds.back().steps;
}

Rank PlanBuilder::wrapped(Rank rank) const {
  return modulo(rank, plan_.ranks);
}

Plan soloPlan(const PlanRequest& request, std::string_view algorithm) {
  PlanBuilder b(request, algorithm);
  b.ordered(isReducing(request.collective));
  for (std::int32_t share = 0; share < request.shares; ++share) {
    b.lane(share);
    if (request.collective == Collective::barrier) continue;
    b.round().combine(output(), {local(input())}, isReducing(request.collective));
  }
  return std::move(b).build();
}

}  // namespace atl::plan
