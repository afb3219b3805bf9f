// SPDX-License-Identifier: Apache-2.0
#include "src/plan/verify.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "src/plan/verify_cells.h"
#include "src/plan/verify_hazards.h"
#include "src/plan/verify_run.h"
#include "src/plan/verify_shape.h"
#include "src/plan/verify_values.h"

namespace atl::plan {
namespace {

/// Sums that stop at the largest value: what a hostile file asks for may not wrap around to something small.
std::int64_t addCapped(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}
std::int64_t multiplyCapped(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::int64_t>::max() : product;
}

std::int64_t workOf(const Step& step, const CellGrid& grid) {
  const std::int64_t cells = multiplyCapped(step.chunk.span, grid.perPart(step.chunk.parts));
  return addCapped(multiplyCapped(cells, static_cast<std::int64_t>(1 + step.operands.size())),
                   static_cast<std::int64_t>(1 + step.to.size()));
}

/// Steps, messages and cells that a run of the plan touches.
std::int64_t workOf(const Plan& plan, std::span<const CellGrid> grids) {
  std::int64_t total = 0;
  for (const Lane& lane : plan.lanes) {
    const CellGrid& grid = grids[static_cast<std::size_t>(lane.share)];
    for (const Loop& loop : lane.loops) {
      std::int64_t once = 1;
      for (const Round& round : loop.rounds) {
        once = addCapped(once, 1);
        for (const Step& step : round.steps) once = addCapped(once, workOf(step, grid));
      }
      total = addCapped(total, multiplyCapped(once, loop.repeat));
    }
    // Lanes of a share are compared in pairs, cell by cell.
    const auto lanes = static_cast<std::int64_t>(plan.lanes.size());
    if (lanes > 1) {
      total = addCapped(total, lanes * lanes);  // kMaxLanes keeps this and the closure over lanes small
      total = addCapped(total, multiplyCapped(lanes, grid.payload() + grid.scratch(plan)));
    }
  }
  return total;
}

Status checkCost(std::span<const Plan> plans, std::span<const CellGrid> grids, const VerifyOptions& options) {
  std::int64_t work = 0;
  for (const Plan& plan : plans) work = addCapped(work, workOf(plan, grids));
  if (work > options.maxWork) {
    return makeError(ErrorCode::unsupported,
                     "the plans are too large to verify: {} steps and cells to follow, {} allowed", work,
                     options.maxWork);
  }
  // The other half is for the sets of ranks.
  std::int64_t tables = 0;
  for (const Plan& plan : plans) tables = std::max(tables, hazardTableBytes(plan, grids, options.inPlace));
  const std::int64_t bytes = addCapped(tables, Memory::bytesFor(plans, grids));
  if (bytes > options.maxMemoryBytes / 2) {
    return makeError(ErrorCode::unsupported, "the plans are too large to verify: {} bytes of symbols, {} allowed",
                     bytes, options.maxMemoryBytes / 2);
  }
  return success();
}

}  // namespace

Result<Proof> verify(std::span<const Plan> plans, const VerifyOptions& options) {
  ATOLL_TRY(checkFamily(plans));
  if (plans.front().collective == Collective::pointToPoint) {
    return makeError(ErrorCode::unsupported, "plans of {} belong to one call: their blocks are not in the plan",
                     nameOf(Collective::pointToPoint));
  }
  for (const Plan& plan : plans) ATOLL_TRY(checkShape(plan));

  // One rank's cells are bounded before they are counted for all, so that the sum over ranks cannot wrap.
  const std::int64_t maxCells =
      options.maxMemoryBytes / static_cast<std::int64_t>(sizeof(Value)) / plans.front().shares;
  ATOLL_ASSIGN(const std::vector<CellGrid> grids, gridsOf(plans, std::max<std::int64_t>(maxCells, 1)));
  ATOLL_TRY(checkCost(plans, grids, options));
  for (const Plan& plan : plans) ATOLL_TRY(checkHazards(plan, grids, options.inPlace));
  return runSymbolically(plans, grids, options);
}

}  // namespace atl::plan
