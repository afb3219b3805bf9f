// SPDX-License-Identifier: Apache-2.0
// What a cell holds in a symbolic run, and what combining does to it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/plan/plan.h"
#include "src/plan/rank_set.h"
#include "src/plan/verify_cells.h"

namespace atl::plan {

/// A cell's content: which data, and whose contributions to it.
struct Value {
  std::int64_t origin = kNothing;  ///< the payload's cell; in an all-to-all, together with the rank that it came from
  RankSet from;                    ///< reductions: the contributions, each once
  bool inOrder = false;            ///< reductions: folded in rank order, without a gap
  bool finished = false;           ///< reductions: the operator's finishing has been done

  static constexpr std::int64_t kNothing = -1;
  [[nodiscard]] bool written() const { return origin != kNothing; }
};

/// The rules of one family: what inputs hold, what a fold gives, what outputs must hold.
class ValueRules {
 public:
  /// References must outlive the rules.
  ValueRules(const Plan& family, RankSets& sets);

  /// The content of a rank's input cell.
  [[nodiscard]] Value input(Rank rank, std::int64_t cell, const CellGrid& grid) const;

  /// left ← left ∘ right. The text is without the place.
  Status fold(Value& left, const Value& right);

  /// The operator's finishing (Step::finish).
  Status finish(Value& value) const;

  /// That a rank's output cell holds, at the end, what the collective promises. The text is without rank and cell.
  Status checkOutput(const Value& value, Rank rank, std::int64_t cell, const CellGrid& grid) const;

  /// Whether every fold so far kept rank order.
  [[nodiscard]] bool ordered() const { return ordered_; }

 private:
  [[nodiscard]] std::string nameOfOrigin(std::int64_t origin, const CellGrid& grid) const;

  const Plan& family_;
  RankSets& sets_;
  bool reducing_;
  bool ordered_ = true;
};

/// The output and scratch of every rank, share by share.
class Memory {
 public:
  Memory(std::span<const Plan> plans, std::span<const CellGrid> grids);

  /// Bytes that a Memory for these plans takes.
  static std::int64_t bytesFor(std::span<const Plan> plans, std::span<const CellGrid> grids);

  /// A cell of output or scratch.
  Value& at(Rank rank, std::int32_t share, Buffer buffer, std::int64_t cell) {
    Region& region = regions_[static_cast<std::size_t>(rank) * shares_ + static_cast<std::size_t>(share)];
    return buffer == Buffer::output ? region.output[static_cast<std::size_t>(cell - region.outputBegin)]
                                    : region.scratch[static_cast<std::size_t>(cell)];
  }

 private:
  struct Region {
    std::int64_t outputBegin = 0;  ///< a rank may have only one of the payload's blocks
    std::vector<Value> output;
    std::vector<Value> scratch;
  };

  std::size_t shares_;
  std::vector<Region> regions_;
};

}  // namespace atl::plan
