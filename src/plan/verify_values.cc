// SPDX-License-Identifier: Apache-2.0
#include "src/plan/verify_values.h"

namespace atl::plan {

ValueRules::ValueRules(const Plan& family, RankSets& sets)
    : family_(family), sets_(sets), reducing_(isReducing(family.collective)) {}

Value ValueRules::input(Rank rank, std::int64_t cell, const CellGrid& grid) const {
  Value value;
  value.origin = family_.collective == Collective::allToAll ? rank * grid.payload() + cell : cell;
  if (reducing_) {
    value.from = RankSets::single(rank);
    value.inOrder = true;
  }
  return value;
}

Status ValueRules::fold(Value& left, const Value& right) {
  if (!reducing_) return success();  // a barrier's: nothing but its having come counts
  if (left.origin != right.origin) {
    return makeError(ErrorCode::invalidArgument, "combines different parts of the data with each other");
  }
  if (left.finished || right.finished) {
    return makeError(ErrorCode::invalidArgument, "combines a result that is finished already");
  }
  const RankSets::Union both = sets_.unite(left.from, right.from);
  if (sets_.exhausted()) {
    return makeError(ErrorCode::unsupported, "too many different partial sums to follow within the memory allowed");
  }
  if (both.common) {
    return makeError(ErrorCode::invalidArgument, "doubled contribution of rank {}: {} is combined with {}",
                     *both.common, sets_.describe(left.from), sets_.describe(right.from));
  }
  left.inOrder = left.inOrder && right.inOrder && sets_.follows(left.from, right.from);
  if (!left.inOrder) {
    if (family_.ordered) {
      return makeError(ErrorCode::invalidArgument, "not in rank order, as the plan says it is: {} before {}",
                       sets_.describe(left.from), sets_.describe(right.from));
    }
    ordered_ = false;
  }
  left.from = both.set;
  return success();
}

Status ValueRules::finish(Value& value) const {
  if (value.finished) return makeError(ErrorCode::invalidArgument, "finishes a result that is finished already");
  if (!sets_.isAll(value.from)) {
    return makeError(ErrorCode::invalidArgument, "finishes a result that lacks the contribution of rank {}",
                     sets_.firstMissing(value.from));
  }
  value.finished = true;
  return success();
}

Status ValueRules::checkOutput(const Value& value, Rank rank, std::int64_t cell, const CellGrid& grid) const {
  if (!value.written()) return makeError(ErrorCode::invalidArgument, "is never written");
  std::int64_t expected = cell;
  if (family_.collective == Collective::allToAll) {
    const std::int64_t perBlock = grid.perBlock();
    const std::int64_t source = cell / perBlock;
    expected = source * grid.payload() + rank * perBlock + cell % perBlock;
  }
  if (value.origin != expected) {
    return makeError(ErrorCode::invalidArgument, "holds the wrong block: {} where {} belongs",
                     nameOfOrigin(value.origin, grid), nameOfOrigin(expected, grid));
  }
  if (!reducing_) return success();
  if (!sets_.isAll(value.from)) {
    return makeError(ErrorCode::invalidArgument, "lacks the contribution of rank {}: it holds that of {}",
                     sets_.firstMissing(value.from), sets_.describe(value.from));
  }
  if (!value.finished) return makeError(ErrorCode::invalidArgument, "is complete but not finished");
  return success();
}

std::string ValueRules::nameOfOrigin(std::int64_t origin, const CellGrid& grid) const {
  const std::int64_t payload = grid.payload();
  if (family_.collective == Collective::allToAll) {
    return fmt::format("rank {}'s part {} of {}", origin / payload, origin % payload, payload);
  }
  return fmt::format("part {} of {}", origin, payload);
}

Memory::Memory(std::span<const Plan> plans, std::span<const CellGrid> grids)
    : shares_(grids.size()), regions_(plans.size() * grids.size()) {
  auto region = regions_.begin();
  for (const Plan& plan : plans) {
    const BlockRun blocks = outputBlocks(plan);
    for (const CellGrid& grid : grids) {
      region->outputBegin = blocks.first * grid.perBlock();
      region->output.resize(static_cast<std::size_t>(blocks.count * grid.perBlock()));
      region->scratch.resize(static_cast<std::size_t>(grid.scratch(plan)));
      ++region;
    }
  }
}

std::int64_t Memory::bytesFor(std::span<const Plan> plans, std::span<const CellGrid> grids) {
  std::int64_t bytes = 0;
  for (const Plan& plan : plans) {
    for (const CellGrid& grid : grids) {
      const std::int64_t cells = outputBlocks(plan).count * grid.perBlock() + grid.scratch(plan);
      bytes += cells * static_cast<std::int64_t>(sizeof(Value)) + static_cast<std::int64_t>(sizeof(Region));
    }
  }
  return bytes;
}

}  // namespace atl::plan
