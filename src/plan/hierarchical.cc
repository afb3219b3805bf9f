// SPDX-License-Identifier: Apache-2.0
#include "src/plan/hierarchical.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "src/base/hash.h"
#include "src/plan/builder.h"
#include "src/plan/slicing.h"
#include "src/plan/verify.h"

namespace atl::plan {
namespace {

/// A plan of the catalogue for the owners of a slice.
struct Section {
  Plan plan;
  std::vector<Rank> ranks;       ///< by rank of `plan`
  std::int64_t slice = 0;        ///< which slice of the payload …
  std::int64_t of = 1;           ///< … of how many it works on
  std::int64_t cuts = 1;         ///< in how many it is cut for the plan's blocks
  std::vector<SliceRun> blocks;  ///< the cuts that each block is; empty: the plan has one block
  bool fromInput = false;        ///< the plan's input is the call's; else it lies in the output already …
  bool snapshot = false;         ///< … where the plan would overwrite what it still needs: a copy is taken first
  bool finishes = false;

  /// In how many parts the payload is cut by a chunk of the plan that names `parts`.
  [[nodiscard]] std::int64_t partsOf(std::int32_t parts) const {
    return blocks.empty() ? of * parts : of * cuts * (parts / static_cast<std::int64_t>(blocks.size()));
  }
  /// Where part `index` of `parts` begins, in parts of partsOf().
  [[nodiscard]] std::int64_t begin(std::int32_t index, std::int32_t parts) const {
    if (blocks.empty()) return slice * parts + index;
    const auto perBlock = parts / static_cast<std::int32_t>(blocks.size());
    const SliceRun& block = blocks[static_cast<std::size_t>(index / perBlock)];
    return (slice * cuts + block.first) * perBlock + std::int64_t{index % perBlock} * block.count;
  }
  /// Parts of partsOf() that the largest part of the plan's is.
  [[nodiscard]] std::int64_t largest() const {
    std::int32_t most = 1;
    for (const SliceRun& block : blocks) most = std::max(most, block.count);
    return most;
  }
};

class Composer {
 public:
  Composer(const PlanRequest& request, const Hierarchy& hierarchy, std::span<const LevelAlgorithms> levels)
      : request_(request), hierarchy_(hierarchy), slicing_(hierarchy), levels_(levels) {}

  Result<Plan> run(std::string_view name) {
    ATOLL_TRY(visit(0, 0, 1));
    ATOLL_TRY(findFinest());
    PlanBuilder builder(request_, name);
    builder.tileable().scratch(static_cast<std::int32_t>(scratchSlots_), static_cast<std::int32_t>(finest_));
    for (std::int32_t share = 0; share < request_.shares; ++share) {
      builder.lane(share);
      for (const Section& section : sections_) write(builder, section, share);
    }
    Plan plan = std::move(builder).build();
    plan.familyHash = hashCombine(plan.familyHash, hashOfShape());
    return plan;
  }

 private:
  [[nodiscard]] int outermost() const { return hierarchy_.levels() - 1; }

  // Adds what this rank does with a slice, number `slice` of `of`, from `level` outward and back.
  Status visit(int level, std::int64_t slice, std::int64_t of) {
    const LevelAlgorithms& algorithms = levels_[static_cast<std::size_t>(level)];
    if (level == outermost()) return add(*algorithms.inward, Collective::allReduce, level, slice, of);
    ATOLL_TRY(add(*algorithms.inward, Collective::reduceScatter, level, slice, of));
    const SliceRun mine =
        slicing_.owned(level, hierarchy_.groupOf(level, request_.rank), hierarchy_.memberOf(level, request_.rank));
    for (std::int32_t i = mine.first; i < mine.first + mine.count; ++i) {
      path_.push_back(i);
      ATOLL_TRY(visit(level + 1, slice * slicing_.slices(level) + i, of * slicing_.slices(level)));
      path_.pop_back();
    }
    return add(*algorithms.outward, Collective::allGather, level, slice, of);
  }

  Status add(const Algorithm& algorithm, Collective collective, int level, std::int64_t slice, std::int64_t of) {
    const std::int32_t group = hierarchy_.groupOf(level, request_.rank);
    const std::int32_t members = hierarchy_.members(level, group);
    // Alone, a rank has only its input to bring where the rest expects it.
    if (members == 1 && (level > 0 || collective == Collective::allGather)) return success();
    const auto refuse = [&](std::string_view why) {
      return makeError(ErrorCode::unsupported, "level {} cannot run {} by '{}' for {} ranks: {}", level,
                       nameOf(collective), algorithm.name, members, why);
    };
    Section section;
    section.slice = slice;
    section.of = of;
    section.fromInput = level == 0 && collective != Collective::allGather;
    section.finishes = collective == Collective::allReduce;
    section.ranks = slicing_.owners(level, group, path_);
    bool equal = true;
    if (collective != Collective::allReduce) {
      section.cuts = slicing_.slices(level);
      for (std::int32_t m = 0; m < members; ++m) section.blocks.push_back(slicing_.owned(level, group, m));
      equal = section.cuts % members == 0;
    }
    if (!algorithm.serves(collective, members, false)) return refuse("it does not serve that");
    if (!equal && !algorithm.unequalBlocks) return refuse("its blocks have to be equal");
    PlanRequest request;
    request.collective = collective;
    request.ranks = members;
    request.rank = hierarchy_.memberOf(level, request_.rank);
    request.shares = request_.shares;
    section.plan = algorithm.generate(request);
    if (section.plan.shares != request_.shares ||
        section.plan.lanes.size() != static_cast<std::size_t>(request_.shares)) {
      return refuse("it has lanes beyond its shares");
    }
    section.snapshot = !section.fromInput && !safeInPlace(section.plan);
    sections_.push_back(std::move(section));
    return success();
  }

  /// The cut that names the parts of all sections. Tiles and shares are parts of a part, so all chunks have to be named
  /// by one cut for them to be the same data in every section.
  Status findFinest() {
    for (const Section& section : sections_) {
      const auto refine = [&](const Chunk& chunk) { finest_ = std::lcm(finest_, section.partsOf(chunk.parts)); };
      forEachStep(section.plan, [&](const Step& step, std::int32_t) {
        refine(step.chunk);
        for (const Operand& operand : step.operands) {
          if (!operand.isPeer()) refine(operand.chunk);
        }
      });
      if (finest_ > std::numeric_limits<std::int32_t>::max()) {
        return makeError(ErrorCode::unsupported, "the hierarchy would cut the payload in more than {} parts",
                         std::numeric_limits<std::int32_t>::max());
      }
    }
    for (const Section& section : sections_) {
      const std::int64_t ofSnapshot = section.snapshot ? finest_ / section.of : 0;
      scratchSlots_ = std::max(scratchSlots_, snapshotSlot(section) + ofSnapshot);
    }
    if (scratchSlots_ > std::numeric_limits<std::int32_t>::max()) {
      return makeError(ErrorCode::unsupported, "the hierarchy would need more than {} slots of scratch",
                       std::numeric_limits<std::int32_t>::max());
    }
    return success();
  }

  /// Where in scratch the copy of the slice begins: after what the plan needs for itself.
  [[nodiscard]] std::int64_t snapshotSlot(const Section& section) const {
    return section.plan.scratchSlots * unitOf(section);
  }

  /// Slots of scratch here that one of a section's plan is.
  [[nodiscard]] std::int64_t unitOf(const Section& section) const {
    if (section.plan.scratchSlots == 0) return 0;
    return section.largest() * (finest_ / section.partsOf(section.plan.scratchParts));
  }

  // Repetitions are written out: what a section's plan counts round in circles is no circle here.
  void write(PlanBuilder& builder, const Section& section, std::int32_t share) const {
    if (section.snapshot) {
      const auto begin = static_cast<std::int32_t>(section.slice * (finest_ / section.of));
      const ChunkSpec whole =
          output(begin, static_cast<std::int32_t>(finest_)).span(static_cast<std::int32_t>(finest_ / section.of));
      builder.round().copy(whole.in(static_cast<std::int32_t>(snapshotSlot(section))), whole);
    }
    for (const Loop& loop : section.plan.lanes[static_cast<std::size_t>(share)].loops) {
      for (std::int32_t k = 0; k < loop.repeat; ++k) {
        for (const Round& round : loop.rounds) {
          builder.round();
          for (const Step& step : round.steps) write(builder, section, step, k);
        }
      }
    }
  }

  void write(PlanBuilder& builder, const Section& section, const Step& step, std::int32_t repetition) const {
    const auto rankOf = [&](const Peer& peer) {
      return section.ranks[static_cast<std::size_t>(atRepetition(peer, repetition, section.plan.ranks))];
    };
    const Chunk chunk = renamed(section, step.chunk, repetition);
    if (step.kind == Step::Kind::send) {
      std::vector<Rank> to;
      for (const Peer& peer : step.to) to.push_back(rankOf(peer));
      builder.send(chunk, to);
      return;
    }
    std::vector<Operand> operands;
    for (const Operand& operand : step.operands) {
      operands.push_back(operand.isPeer() ? Operand::from(Peer{rankOf(*operand.peer), 0})
                                          : Operand::local(renamed(section, operand.chunk, repetition)));
    }
    const bool isThere = operands.size() == 1 && !operands.front().isPeer() && operands.front().chunk == chunk;
    const bool finish = step.finish && section.finishes;
    if (!isThere || finish) builder.combine(chunk, std::move(operands), finish);
  }

  [[nodiscard]] Chunk renamed(const Section& section, const Chunk& named, std::int32_t repetition) const {
    const Chunk old = atRepetition(named, repetition, section.plan.scratchSlots);
    const std::int64_t scale = finest_ / section.partsOf(old.parts);
    const std::int64_t begin = section.begin(old.index, old.parts);
    const std::int32_t last = old.index + old.span - 1;
    const SliceRun* const block = section.blocks.empty()
                                      ? nullptr
                                      : &section.blocks[static_cast<std::size_t>(last) * section.blocks.size() /
                                                        static_cast<std::size_t>(old.parts)];
    const std::int64_t end = section.begin(last, old.parts) + (block == nullptr ? 1 : block->count);
    Chunk chunk;
    chunk.buffer = old.buffer;
    chunk.index = static_cast<std::int32_t>(begin * scale);
    chunk.span = static_cast<std::int32_t>((end - begin) * scale);
    chunk.parts = static_cast<std::int32_t>(finest_);
    if (old.buffer == Buffer::scratch) chunk.slot = static_cast<std::int32_t>(old.slot * unitOf(section));
    if (old.buffer != Buffer::input || section.fromInput) return chunk;
    chunk.buffer = section.snapshot ? Buffer::scratch : Buffer::output;
    if (section.snapshot) {
      chunk.slot =
          static_cast<std::int32_t>(snapshotSlot(section) + chunk.index - section.slice * (finest_ / section.of));
    }
    return chunk;
  }

  /// Of what else the ranks have to have in common.
  [[nodiscard]] std::uint64_t hashOfShape() const {
    auto hash = static_cast<std::uint64_t>(hierarchy_.levels());
    for (int level = 0; level < hierarchy_.levels(); ++level) {
      const LevelAlgorithms& algorithms = levels_[static_cast<std::size_t>(level)];
      hash = hashText(algorithms.inward->name, hash);
      if (algorithms.outward != nullptr) hash = hashText(algorithms.outward->name, hash);
      for (std::int32_t group = 0; group < hierarchy_.groups(level); ++group) {
        hash = hashCombine(hash, hierarchy_.members(level, group));
      }
    }
    if (hierarchy_.inOrder()) return hash;
    for (Rank place = 0; place < hierarchy_.ranks(); ++place) hash = hashCombine(hash, hierarchy_.rankAt(place));
    return hash;
  }

  const PlanRequest& request_;
  const Hierarchy& hierarchy_;
  Slicing slicing_;
  std::span<const LevelAlgorithms> levels_;
  std::vector<std::int32_t> path_;  ///< numbers of the slice at the levels further in
  std::vector<Section> sections_;
  std::int64_t finest_ = 1;
  std::int64_t scratchSlots_ = 0;
};

}  // namespace

Hierarchy joiningLevels(Hierarchy hierarchy) {
  for (int level = hierarchy.levels() - 1; level >= 0; --level) {
    if (!hierarchy.joins(level) && hierarchy.levels() > 1) hierarchy = hierarchy.without(level);
  }
  return hierarchy;
}

Result<Plan> composeAllReduce(const PlanRequest& request, const Hierarchy& hierarchy,
                              std::span<const LevelAlgorithms> levels, std::string_view name) {
  if (request.collective != Collective::allReduce) {
    return makeError(ErrorCode::unsupported, "no hierarchical plan of {} yet", nameOf(request.collective));
  }
  if (request.ranks != hierarchy.ranks() || levels.size() != static_cast<std::size_t>(hierarchy.levels())) {
    return makeError(ErrorCode::invalidArgument,
                     "a hierarchy of {} ranks and {} levels does not fit a request for {} ranks and {} levels",
                     hierarchy.ranks(), hierarchy.levels(), request.ranks, levels.size());
  }
  if (!hierarchy.joins(hierarchy.levels() - 1)) {
    return makeError(ErrorCode::invalidArgument, "the outermost of {} levels joins nothing", hierarchy.levels());
  }
  return Composer(request, hierarchy, levels).run(name);
}

}  // namespace atl::plan
