// SPDX-License-Identifier: Apache-2.0
// Every collective × algorithm × datatype × operator × place × count, as lists of cases.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "src/plan/algorithm.h"
#include "tests/support/collective_case.h"

namespace atl::test {

/// An algorithm of the catalogue and a collective that it has plans for.
struct Served {
  const plan::Algorithm* algorithm = nullptr;
  Collective collective = Collective::allReduce;

  /// As a rule that forces it: "allreduce:ring".
  [[nodiscard]] std::string rule() const { return fmt::format("{}:{}", nameOf(collective), algorithm->name); }
};

/// All of the catalogue that there are plans for at some number of ranks from `least` to `most`.
inline std::vector<Served> servedBetween(Rank least, Rank most) {
  std::vector<Served> list;
  for (const plan::Algorithm& algorithm : plan::catalogue()) {
    for (int c = 0; c < kCollectives; ++c) {
      const auto collective = static_cast<Collective>(c);
      bool serves = false;
      for (Rank ranks = least; ranks <= most; ++ranks) serves |= algorithm.serves(collective, ranks, false);
      if (serves) list.push_back({&algorithm, collective});
    }
  }
  return list;
}

/// All of them; under sanitizers, which slow a case down tens of times and see in a few types what they would see in
/// all, one of each size and of each way to accumulate.
inline std::vector<DataType> typesToTry() {
#ifdef ATOLL_SANITIZED
  return {DataType::int8, DataType::uint64, DataType::float32, DataType::bfloat16};
#else
  std::vector<DataType> types;
  for (int t = 0; t < kDataTypes; ++t) types.push_back(static_cast<DataType>(t));
  return types;
#endif
}

/// Numbers of ranks, likewise.
inline std::vector<Rank> ranksToTry() {
#ifdef ATOLL_SANITIZED
  return {2, 3, 5};
#else
  return {1, 2, 3, 4, 5, 6, 7, 8, 9};
#endif
}

/// Operators, likewise: one that only folds, and the one that scales the result besides.
inline std::vector<ReduceOp> operatorsToTry() {
#ifdef ATOLL_SANITIZED
  return {ReduceOp::sum, ReduceOp::avg};
#else
  std::vector<ReduceOp> operators;
  for (int op = 0; op < kReduceOps; ++op) operators.push_back(static_cast<ReduceOp>(op));
  return operators;
#endif
}

/// Every count with every type, in and out of place, and with these operators where the collective reduces. Where there
/// is a root, it is another one for each count, the last rank first.
inline std::vector<CollectiveCase> casesFor(Collective collective, Rank ranks, const std::vector<std::size_t>& counts,
                                            const std::vector<DataType>& types) {
  if (collective == Collective::barrier)  // several in a row: one must not run into the next
    return std::vector<CollectiveCase>(4, {collective, 0, DataType::uint8, ReduceOp::sum, kNoRank, false});
  const auto operators = isReducing(collective) ? operatorsToTry() : std::vector{ReduceOp::sum};
  std::vector<CollectiveCase> cases;
  Rank root = isRooted(collective) ? ranks - 1 : kNoRank;
  for (const std::size_t count : counts) {
    for (const bool inPlace : {false, true}) {
      for (const DataType type : types) {
        for (const ReduceOp op : operators) cases.push_back({collective, count, type, op, root, inPlace});
      }
    }
    if (isRooted(collective)) root = (root + 1) % ranks;
  }
  return cases;
}

/// "allreduce count 13 float sum in place"
inline std::string describe(const CollectiveCase& c) {
  std::string text = fmt::format("{} count {} {}", nameOf(c.collective), c.count, nameOf(c.type));
  if (isReducing(c.collective)) text += fmt::format(" {}", nameOf(c.op));
  if (isRooted(c.collective)) text += fmt::format(" root {}", c.root);
  return c.inPlace ? text + " in place" : text;
}

}  // namespace atl::test
