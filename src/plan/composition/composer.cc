// SPDX-License-Identifier: Apache-2.0
#include "src/plan/composition/composer.h"

#include <limits>
#include <numeric>

#include "src/plan/verify.h"

namespace atl::plan {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();

}  // namespace

Composer::Composer(const PlanRequest& request, const Hierarchy& hierarchy, std::span<const LevelAlgorithms> levels,
                   Division division)
    : request_(request),
      hierarchy_(hierarchy),
      levels_(levels),
      slicing_(hierarchy, division, request.root),
      holdings_(hierarchy, slicing_, payloadBlocks(request.collective, request.ranks)) {}

LevelCollectives Composer::collectives(int level) const {
  return levelCollectives(request_.collective, slicing_.division(), outermost(level));
}

std::int32_t Composer::rootMember(int level) const {
  const bool here = request_.root != kNoRank && hierarchy_.groupOf(level, request_.root) == group(level);
  return here ? hierarchy_.memberOf(level, request_.root) : kNoMember;
}

std::vector<Rank> Composer::ranksOfMember(int level, std::int32_t member) const {
  if (level == 0) return {hierarchy_.ranksOf(0, group(0))[member]};
  std::vector<Rank> all;
  for (const Rank rank : hierarchy_.ranksOf(level - 1, hierarchy_.firstMember(level, group(level)) + member)) {
    all.push_back(rank);
  }
  return all;
}

std::int32_t Composer::sliceOf(int level, Rank rank) const {
  return slicing_.owned(level, hierarchy_.groupOf(level, rank), hierarchy_.memberOf(level, rank)).first;
}

std::int32_t Composer::memberTowards(int level, Rank rank) const {
  return outermost(level) ? hierarchy_.memberOf(level, rank)
                          : slicing_.ownerMember(level, group(level), sliceOf(level, rank));
}

Region Composer::mine(int level) const {
  return ofMembers(level)[static_cast<std::size_t>(member(level))];
}

Status Composer::prepare() {
  for (int level = 0; level < hierarchy_.levels(); ++level) {
    const LevelCollectives collectives = this->collectives(level);
    const LevelAlgorithms& algorithms = levels_[static_cast<std::size_t>(level)];
    for (const Rank members : hierarchy_.memberCounts(level)) {
      if (members == 1) continue;  // nothing to do
      if (collectives.inward) ATOLL_TRY(refine(level, {*collectives.inward, algorithms.inward}, members));
      if (collectives.outward) ATOLL_TRY(refine(level, {*collectives.outward, algorithms.outward}, members));
    }
  }
  holdings_.setParts(parts_);
  return success();
}

/// Makes the cut fine enough for an algorithm among so many members. Tiles and shares are parts of a part, so all
/// chunks have to be named by one cut for them to be the same data in every section.
Status Composer::refine(int level, const Task& task, Rank members) {
  const auto refuse = [&](std::string_view why) {
    return makeError(ErrorCode::unsupported, "level {} cannot run {} by '{}' for {} ranks: {}", level,
                     nameOf(task.collective), task.algorithm->name, members, why);
  };
  if (task.algorithm == nullptr) {
    return makeError(ErrorCode::invalidArgument, "level {} has no algorithm for {}", level, nameOf(task.collective));
  }
  if (!task.algorithm->serves(task.collective, members, false)) return refuse("it does not serve that");
  const Plan sample = generate(task, members, 0, isRooted(task.collective) ? 0 : kNoRank);
  const bool fits = request_.collective == Collective::allToAll ? isStraight(sample) : keepsNames(sample);
  if (!fits) return refuse("it moves blocks to places of others");
  if (sample.shares != request_.shares || sample.lanes.size() != static_cast<std::size_t>(request_.shares)) {
    return refuse("it has lanes beyond its shares");
  }
  std::int64_t ofBlock = 1;
  const auto refineBy = [&](const Chunk& chunk) {
    ofBlock = std::lcm(ofBlock, chunk.parts / payloadBlocks(task.collective, members));
  };
  forEachStep(sample, [&](const Step& step, std::int32_t) {
    refineBy(step.chunk);
    for (const Operand& operand : step.operands) {
      if (!operand.isPeer()) refineBy(operand.chunk);
    }
  });
  const std::int64_t unit = holdings_.unit(level);
  if (unit <= kMost && ofBlock <= kMost && unit * ofBlock <= kMost) parts_ = std::lcm(parts_, unit * ofBlock);
  if (unit * ofBlock > kMost || parts_ > kMost) {
    return makeError(ErrorCode::unsupported, "the hierarchy would cut the payload in more than {} parts", kMost);
  }
  return success();
}

Place Composer::reserve(Region region) {
  Place place{Buffer::scratch, std::move(region), nextSlot_};
  nextSlot_ += place.region.total();
  slots_ = std::max(slots_, nextSlot_);
  return place;
}

std::int32_t Composer::reserveBlocks(std::int32_t count) {
  const std::int64_t first = nextSlot_;
  nextSlot_ += count * (parts_ / request_.ranks);
  slots_ = std::max(slots_, nextSlot_);
  return static_cast<std::int32_t>(first);
}

void Composer::inward(int level, const Place& source, const Place& target, std::int32_t root) {
  const LevelCollectives collectives = this->collectives(level);
  add(level, {*collectives.inward, levels_[static_cast<std::size_t>(level)].inward}, source, target, root);
}

void Composer::outward(int level, const Place& source, const Place& target, std::int32_t root) {
  const LevelCollectives collectives = this->collectives(level);
  add(level, {*collectives.outward, levels_[static_cast<std::size_t>(level)].outward}, source, target, root);
}

Plan Composer::generate(const Task& task, Rank members, Rank rank, Rank root) const {
  PlanRequest request;
  request.collective = task.collective;
  request.ranks = members;
  request.rank = rank;
  request.root = root;
  request.shares = request_.shares;
  return task.algorithm->generate(request);
}

void Composer::add(int level, const Task& task, Place source, const Place& target, std::int32_t root) {
  if (alone(level)) return;
  const Rank members = hierarchy_.members(level, group(level));
  Section section;
  section.plan =
      generate(task, members, hierarchy_.memberOf(level, request_.rank), isRooted(task.collective) ? root : kNoRank);
  section.ranks = slicing_.owners(level, group(level), path_);
  section.blocks = payloadBlocks(task.collective, members) == 1 ? std::vector<Region>{slice()} : ofMembers(level);
  section.source = std::move(source);
  section.target = target;
  section.finishes = outermost(level) && isReducing(task.collective);
  section.scratch = nextSlot_;
  const std::int64_t before = mark();
  nextSlot_ += section.scratchSlots();
  slots_ = std::max(slots_, nextSlot_);
  // A plan that would overwrite what it still needs works on a copy.
  if (section.source.overlaps(target) && !safeInPlace(section.plan)) {
    section.copied = std::move(section.source);
    section.source = reserve(section.inputRegion());
  }
  release(before);
  sections_.emplace_back(std::move(section));
}

void Composer::add(int level, Collective collective, std::int32_t root, Exchange exchange) {
  const LevelAlgorithms& algorithms = levels_[static_cast<std::size_t>(level)];
  const bool isInward = collectives(level).inward == collective;
  exchange.plan = generate({collective, isInward ? algorithms.inward : algorithms.outward}, members(level),
                           member(level), isRooted(collective) ? root : kNoRank);
  exchange.ranks = slicing_.owners(level, group(level), path_);
  sections_.emplace_back(std::move(exchange));
}

void Composer::add(Copies copies) {
  sections_.emplace_back(std::move(copies));
}

Result<Plan> Composer::build(std::string_view name) const {
  if (slots_ > kMost) {
    return makeError(ErrorCode::unsupported, "the hierarchy would need more than {} slots of scratch", kMost);
  }
  PlanBuilder builder(request_, name);
  builder.tileable(slicing_.division() == Division::slices);
  builder.scratch(static_cast<std::int32_t>(slots_), static_cast<std::int32_t>(parts_));
  for (std::int32_t share = 0; share < request_.shares; ++share) {
    builder.lane(share);
    for (const auto& any : sections_) {
      std::visit([&](const auto& section) { write(builder, section, share, static_cast<std::int32_t>(parts_)); }, any);
    }
  }
  return std::move(builder).build();
}

}  // namespace atl::plan
