// SPDX-License-Identifier: Apache-2.0
// What algorithms say of their cost, against what their plans do: every message and byte of every rank, counted.
#include <gtest/gtest.h>

#include <algorithm>

#include "src/plan/traffic.h"
#include "tests/plan/families.h"

namespace atl::plan {
namespace {

constexpr double kBytes = 1e6;

Work workOf(const Plan& plan) {
  Work work = trafficOf(plan, Hierarchy::flat(plan.ranks)).work();
  for (double Work::*bytes : {&Work::sent, &Work::posted, &Work::received, &Work::reduced}) work.*bytes *= kBytes;
  return work;
}

struct Figure {
  const char* name;
  double Work::*field;
};
constexpr Figure kFigures[] = {{"messages", &Work::messages},
                               {"sent", &Work::sent},
                               {"posted", &Work::posted},
                               {"received", &Work::received},
                               {"reduced", &Work::reduced}};

class CostOf : public testing::TestWithParam<Pairing> {
 protected:
  /// f(ranks, cost, each rank's work) for every number of ranks that is served.
  template <class F>
  void forEachGroup(F&& f) const {
    const Pairing& pairing = GetParam();
    const Rank root = isRooted(pairing.collective) ? 0 : kNoRank;
    for (Rank ranks = 2; ranks <= 64; ++ranks) {
      if (!pairing.algorithm->serves(pairing.collective, ranks, false)) continue;
      std::vector<Work> works;
      for (const Plan& plan : familyOf(pairing, ranks, root)) works.push_back(workOf(plan));
      f(ranks, pairing.algorithm->cost(CostQuery{pairing.collective, ranks, kBytes, 1}), works);
    }
  }
};

TEST_P(CostOf, AllRanks_IsWhatTheirPlansAddUpTo) {
  forEachGroup([](Rank ranks, const Cost& cost, const std::vector<Work>& works) {
    for (const Figure& figure : kFigures) {
      double sum = 0;
      for (const Work& work : works) sum += work.*figure.field;
      // Formulas are exact for powers of two and take the rest as they come.
      ASSERT_GE(cost.all.*figure.field * 4 / 3, sum) << figure.name << ", " << ranks << " ranks";
      ASSERT_LE(cost.all.*figure.field, sum * 5 / 3 + 1) << figure.name << ", " << ranks << " ranks";
    }
  });
}

/// What work takes of a port that sends and receives at once, and of a core that moves every byte itself.
double onPort(const Work& work) {
  return std::max(work.sent, work.received);
}
double onCore(const Work& work) {
  return work.posted + work.received + work.reduced;
}

TEST_P(CostOf, BusiestRank_DoesWhatTheBusiestPlanDoes) {
  forEachGroup([](Rank ranks, const Cost& cost, const std::vector<Work>& works) {
    Work most;
    double port = 0;
    double core = 0;
    for (const Work& work : works) {
      most.messages = std::max(most.messages, work.messages);
      port = std::max(port, onPort(work));
      core = std::max(core, onCore(work));
    }
    ASSERT_GE(onPort(cost.busiest) * 4 / 3, port) << ranks << " ranks";
    ASSERT_GE(onCore(cost.busiest) * 4 / 3, core) << ranks << " ranks";
    ASSERT_GE(cost.busiest.messages * 4 / 3, most.messages) << ranks << " ranks";
    ASSERT_LE(cost.busiest.messages, most.messages * 2 + 2) << ranks << " ranks";
  });
}

INSTANTIATE_TEST_SUITE_P(Catalogue, CostOf, testing::ValuesIn(everyPairing()),
                         [](const auto& test) { return nameOf(test.param); });

}  // namespace
}  // namespace atl::plan
