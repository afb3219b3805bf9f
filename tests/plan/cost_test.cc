// SPDX-License-Identifier: Apache-2.0
// What algorithms say of their cost, against what their plans do: every message and byte of every rank, counted.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/plan/families.h"

namespace atl::plan {
namespace {

constexpr double kBytes = 1e6;

double bytesOf(const Plan& plan, const Chunk& chunk) {
  if (plan.collective == Collective::barrier) return 0;
  return kBytes / plan.shares * chunk.span / chunk.parts;
}

void addStep(const Plan& plan, const Step& step, double times, Work& work) {
  const double bytes = times * bytesOf(plan, step.chunk);
  if (step.kind == Step::Kind::send) {
    work.messages += times * static_cast<double>(step.to.size());
    work.posted += bytes;
    work.sent += bytes * static_cast<double>(step.to.size());
    return;
  }
  const bool folds = step.operands.size() > 1;
  for (const Operand& operand : step.operands) {
    const bool comes = operand.isPeer();
    work.messages += comes ? times : 0;
    work.received += comes ? bytes : 0;
    work.reduced += folds || !comes ? bytes : 0;
  }
}

Work workOf(const Plan& plan) {
  Work work;
  for (const Lane& lane : plan.lanes) {
    for (const Loop& loop : lane.loops) {
      for (const Round& round : loop.rounds) {
        for (const Step& step : round.steps) addStep(plan, step, loop.repeat, work);
      }
    }
  }
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
