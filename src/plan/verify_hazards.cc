// SPDX-License-Identifier: Apache-2.0
#include "src/plan/verify_hazards.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "src/plan/lane_cursor.h"
#include "src/plan/verify.h"
#include "src/plan/verify_shape.h"

namespace atl::plan {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// One rank's memory of one share as a line of addresses: output, then scratch, then input (in place: on the output).
struct AddressLine {
  AddressLine(const Plan& plan, const CellGrid& grid, bool inPlace)
      : scratchBegin(grid.payload()),
        inputBegin(inPlace ? 0 : scratchBegin + grid.scratch(plan)),
        size(scratchBegin + grid.scratch(plan) + (inPlace ? 0 : grid.payload())) {}

  [[nodiscard]] std::int64_t begin(const CellRun& run) const {
    switch (run.buffer) {
      case Buffer::input: return inputBegin + run.begin;
      case Buffer::scratch: return scratchBegin + run.begin;
      case Buffer::output: break;
    }
    return run.begin;
  }

  std::int64_t scratchBegin;
  std::int64_t inputBegin;
  std::int64_t size;
};

/// A read or write of a round.
struct Access {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int32_t step = 0;
  bool write = false;
  bool input = false;  ///< by the name of input
};

/// Of the accesses seen so far, the two of different steps that reach furthest: enough to find one of another step that
/// reaches beyond a place.
class Furthest {
 public:
  void add(const Access& access) {
    if (!first_ || access.end >= first_->end) {
      if (first_ && first_->step != access.step) second_ = first_;
      first_ = &access;
    } else if (access.step != first_->step && (!second_ || access.end > second_->end)) {
      second_ = &access;
    }
  }
  [[nodiscard]] const Access* ofAnotherStep(const Access& access) const {
    const Access* candidate = first_ && first_->step == access.step ? second_ : first_;
    return candidate && candidate->end > access.begin ? candidate : nullptr;
  }

 private:
  const Access* first_ = nullptr;
  const Access* second_ = nullptr;
};

/// When a lane first and last touches each cell, in rounds since the lane began.
struct LaneUse {
  explicit LaneUse(std::int64_t cells)
      : firstRead(static_cast<std::size_t>(cells), kNever),
        firstWrite(static_cast<std::size_t>(cells), kNever),
        lastInputRead(static_cast<std::size_t>(cells), -1) {}

  std::vector<std::int64_t> firstRead;
  std::vector<std::int64_t> firstWrite;
  std::vector<std::int64_t> lastInputRead;
};

/// For each pair of lanes (b, a): the round of b from which a is known to have ended, through Round::after.
class LaneOrder {
 public:
  explicit LaneOrder(const Plan& plan) : lanes_(plan.lanes.size()), gate_(lanes_ * lanes_, kNever) {
    for (std::size_t b = 0; b < lanes_; ++b) {
      std::int64_t position = 0;
      for (const Loop& loop : plan.lanes[b].loops) {
        for (std::size_t r = 0; r < loop.rounds.size(); ++r) {
          if (loop.rounds[r].after)
            open(b, static_cast<std::size_t>(*loop.rounds[r].after), position + static_cast<std::int64_t>(r));
        }
        position += loop.repeat * static_cast<std::int64_t>(loop.rounds.size());
      }
    }
    // A lane that has ended has waited for all that it waits for.
    for (std::size_t via = 0; via < lanes_; ++via) {
      for (std::size_t b = 0; b < lanes_; ++b) {
        if (gate(b, via) == kNever) continue;
        for (std::size_t a = 0; a < lanes_; ++a) {
          if (gate(via, a) != kNever) open(b, a, gate(b, via));
        }
      }
    }
  }

  [[nodiscard]] std::int64_t gate(std::size_t b, std::size_t a) const { return gate_[b * lanes_ + a]; }

 private:
  void open(std::size_t b, std::size_t a, std::int64_t position) {
    gate_[b * lanes_ + a] = std::min(gate_[b * lanes_ + a], position);
  }

  std::size_t lanes_;
  std::vector<std::int64_t> gate_;
};

class HazardCheck {
 public:
  HazardCheck(const Plan& plan, std::span<const CellGrid> grids, bool inPlace)
      : plan_(plan), grids_(grids), inPlace_(inPlace) {}

  Status run() {
    const LaneOrder order(plan_);
    for (std::int32_t share = 0; share < plan_.shares; ++share) {
      std::vector<std::size_t> lanes;
      for (std::size_t l = 0; l < plan_.lanes.size(); ++l) {
        if (plan_.lanes[l].share == share) lanes.push_back(l);
      }
      const CellGrid& grid = grids_[static_cast<std::size_t>(share)];
      const AddressLine line(plan_, grid, inPlace_);
      // One lane alone, out of place, can only be at odds with itself within a round.
      const bool remember = lanes.size() > 1 || inPlace_;
      std::vector<LaneUse> uses;
      for (const std::size_t l : lanes) {
        if (remember) uses.emplace_back(line.size);
        ATOLL_TRY(lane(l, grid, line, remember ? &uses.back() : nullptr));
      }
      for (std::size_t i = 0; i < uses.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
          ATOLL_TRY(lanePair(lanes[j], uses[j], lanes[i], uses[i], order, grid, line));
        }
      }
    }
    return success();
  }

 private:
  Status lane(std::size_t index, const CellGrid& grid, const AddressLine& line, LaneUse* use) {
    for (LaneCursor cursor(plan_.lanes[index]); !cursor.done(); cursor.next()) {
      ATOLL_TRY(collect(index, cursor, grid, line));
      ATOLL_TRY(withinRound(index, cursor, grid, line));
      if (use) ATOLL_TRY(note(index, cursor, grid, line, *use));
    }
    return success();
  }

  [[nodiscard]] Chunk at(const Chunk& chunk, const LaneCursor& cursor) const {
    return atRepetition(chunk, cursor.repetition(), plan_.scratchSlots);
  }

  [[nodiscard]] static Access access(const AddressLine& line, const CellRun& run, std::int32_t step, bool write) {
    const std::int64_t begin = line.begin(run);
    return {begin, begin + run.count, step, write, run.buffer == Buffer::input};
  }

  /// The round's accesses, and what a step gets wrong alone.
  Status collect(std::size_t index, const LaneCursor& cursor, const CellGrid& grid, const AddressLine& line) {
    accesses_.clear();
    const auto where = [&](std::int32_t step) {
      return describe(cursor.where(plan_.rank, static_cast<std::int32_t>(index), step));
    };
    std::int32_t s = -1;
    for (const Step& step : cursor.round().steps) {
      ++s;
      const Chunk chunk = at(step.chunk, cursor);
      if (auto inside = checkInside(plan_, chunk); !inside) return std::move(inside).error().within(where(s));
      const bool combines = step.kind == Step::Kind::combine;
      const Access target = access(line, grid.cells(chunk), s, combines);
      std::size_t operandsBegin = accesses_.size();
      for (const Operand& operand : step.operands) {
        if (operand.isPeer()) continue;
        const Chunk source = at(operand.chunk, cursor);
        if (auto inside = checkInside(plan_, source); !inside) return std::move(inside).error().within(where(s));
        const Access read = access(line, grid.cells(source), s, false);
        const bool same = read.begin == target.begin && read.end == target.end;
        if (!same && read.begin < target.end && target.begin < read.end) {
          return makeError(ErrorCode::invalidArgument, "{}: writes {} while it reads {}, which overlaps it", where(s),
                           describe(chunk), describe(source));
        }
        accesses_.push_back(read);
      }
      // In place, a copy of a cell onto itself moves nothing.
      const bool nothingMoves = inPlace_ && combines && step.operands.size() == 1 && !step.finish &&
                                accesses_.size() > operandsBegin && accesses_.back().begin == target.begin &&
                                accesses_.back().end == target.end;
      if (nothingMoves) {
        accesses_.pop_back();
      } else {
        accesses_.push_back(target);
      }
    }
    return success();
  }

  Status withinRound(std::size_t index, const LaneCursor& cursor, const CellGrid& grid, const AddressLine& line) {
    std::sort(accesses_.begin(), accesses_.end(), [](const Access& a, const Access& b) { return a.begin < b.begin; });
    Furthest reads;
    Furthest writes;
    for (const Access& access : accesses_) {
      const Access* other = writes.ofAnotherStep(access);
      if (!other && access.write) other = reads.ofAnotherStep(access);
      if (other) {
        const Access& writer = access.write ? access : *other;
        const Access& second = access.write ? *other : access;
        return makeError(ErrorCode::invalidArgument, "{}: writes {} while step {} of the same round {} it{}",
                         describe(cursor.where(plan_.rank, static_cast<std::int32_t>(index), writer.step)),
                         cellName(access.begin, grid, line, false), second.step, second.write ? "writes" : "reads",
                         inPlace_ && second.input ? " as input, in place" : "");
      }
      (access.write ? writes : reads).add(access);
    }
    return success();
  }

  /// Remembers the round's accesses for the checks across lanes; in place, finds input read after it was overwritten.
  Status note(std::size_t index, const LaneCursor& cursor, const CellGrid& grid, const AddressLine& line,
              LaneUse& use) {
    const std::int64_t now = cursor.position();
    for (const Access& access : accesses_) {
      for (std::int64_t cell = access.begin; cell < access.end; ++cell) {
        const auto c = static_cast<std::size_t>(cell);
        std::int64_t& first = access.write ? use.firstWrite[c] : use.firstRead[c];
        first = std::min(first, now);
        if (!inPlace_ || !access.input) continue;
        use.lastInputRead[c] = now;
        if (use.firstWrite[c] < now) {
          return makeError(ErrorCode::invalidArgument,
                           "{}: in place, reads {} after round {} of the lane (counted through its loops) overwrote it",
                           describe(cursor.where(plan_.rank, static_cast<std::int32_t>(index), access.step)),
                           cellName(cell, grid, line, true), use.firstWrite[c]);
        }
      }
    }
    return success();
  }

  Status lanePair(std::size_t a, const LaneUse& useA, std::size_t b, const LaneUse& useB, const LaneOrder& order,
                  const CellGrid& grid, const AddressLine& line) const {
    const std::int64_t aWaitsForB = order.gate(a, b);
    const std::int64_t bWaitsForA = order.gate(b, a);
    for (std::int64_t cell = 0; cell < line.size; ++cell) {
      const auto c = static_cast<std::size_t>(cell);
      const std::int64_t writeA = useA.firstWrite[c];
      const std::int64_t writeB = useB.firstWrite[c];
      const std::int64_t touchA = std::min(writeA, useA.firstRead[c]);
      const std::int64_t touchB = std::min(writeB, useB.firstRead[c]);
      if (touchA == kNever || touchB == kNever || (writeA == kNever && writeB == kNever)) continue;
      const bool isScratch = cell >= line.scratchBegin && cell < line.scratchBegin + grid.scratch(plan_);
      if (plan_.tileable && isScratch) {
        return makeError(ErrorCode::invalidArgument,
                         "rank {}: lanes {} and {} both use {}; in a tileable plan they may be in different tiles",
                         plan_.rank, a, b, cellName(cell, grid, line, false));
      }
      const bool unordered =
          (writeA < aWaitsForB && touchB < bWaitsForA) || (writeB < bWaitsForA && touchA < aWaitsForB);
      if (unordered) {
        return makeError(ErrorCode::invalidArgument,
                         "rank {}: lanes {} and {} both use {}, one of them writes it, and neither waits for the other",
                         plan_.rank, a, b, cellName(cell, grid, line, false));
      }
      if (inPlace_ && ((useA.lastInputRead[c] >= 0 && writeB < bWaitsForA) ||
                       (useB.lastInputRead[c] >= 0 && writeA < aWaitsForB))) {
        return makeError(ErrorCode::invalidArgument,
                         "rank {}: in place, one of the lanes {} and {} overwrites {} before the other reads it",
                         plan_.rank, a, b, cellName(cell, grid, line, true));
      }
    }
    return success();
  }

  /// The cell as the finest part that the share's lanes name.
  [[nodiscard]] std::string cellName(std::int64_t cell, const CellGrid& grid, const AddressLine& line,
                                     bool asInput) const {
    if (cell >= line.scratchBegin && cell < line.scratchBegin + grid.scratch(plan_)) {
      return fmt::format("scratch slot {}", (cell - line.scratchBegin) / grid.perPart(plan_.scratchParts));
    }
    const bool output = cell < line.scratchBegin;
    return fmt::format("{} part {} of {}", output && !asInput ? "output" : "input",
                       output ? cell : cell - line.inputBegin, grid.payload());
  }

  const Plan& plan_;
  std::span<const CellGrid> grids_;
  bool inPlace_;
  std::vector<Access> accesses_;
};

}  // namespace

Status checkHazards(const Plan& plan, std::span<const CellGrid> grids, bool inPlace) {
  return HazardCheck(plan, grids, inPlace).run();
}

std::int64_t hazardTableBytes(const Plan& plan, std::span<const CellGrid> grids, bool inPlace) {
  constexpr std::int64_t kPerCell = 3 * sizeof(std::int64_t);
  std::int64_t most = 0;
  for (std::int32_t share = 0; share < plan.shares; ++share) {
    const auto lanes =
        std::count_if(plan.lanes.begin(), plan.lanes.end(), [&](const Lane& l) { return l.share == share; });
    if (lanes < 2 && !inPlace) continue;
    const AddressLine line(plan, grids[static_cast<std::size_t>(share)], inPlace);
    most = std::max(most, lanes * line.size * kPerCell);
  }
  return most;
}

bool safeInPlace(const Plan& plan) {
  // A plan too fine to follow gets a snapshot of its input, which is always right.
  constexpr std::int64_t kMostCells = std::int64_t{1} << 20;
  if (!checkShape(plan)) return false;
  const auto grids = gridsOf(std::span(&plan, 1), kMostCells);
  return grids.ok() && checkHazards(plan, *grids, true).ok();
}

}  // namespace atl::plan
