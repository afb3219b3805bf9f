// SPDX-License-Identifier: Apache-2.0
// Which messages offer a place for the result, and which results may find theirs.
#include "src/exec/host/deliveries.h"

#include <gtest/gtest.h>

#include <map>

#include "src/plan/algorithm.h"

namespace atl::exec {
namespace {

/// A lowered plan of rank 1 whose links lead nowhere.
class Lowered {
 public:
  explicit Lowered(Plan plan) : plan_(std::make_shared<const Plan>(std::move(plan))) {
    const auto blocks = Blocks::equal(64);
    Layout layout(*plan_, blocks, blocks, payloadBlocks(plan_->collective, plan_->ranks),
                  payloadBlocks(plan_->collective, plan_->ranks), DataType::float32, 1);
    auto lowered = lower(plan_, std::move(layout), CallRecord{}, Operator{}, [&](Rank peer, std::int32_t lane) {
      LinkEnd& link = links_[{peer, lane}];
      link.peer = peer;
      return Result<LinkEnd*>(&link);
    });
    program_ = std::move(lowered).value();
  }

  [[nodiscard]] std::vector<const LoweredStep*> steps(bool sends) const {
    std::vector<const LoweredStep*> all;
    for (const LoweredLane& lane : program_->lanes) {
      for (const LoweredLoop& loop : lane.loops) {
        for (const LoweredRound& round : loop.rounds) {
          for (const LoweredStep& step : sends ? round.sends : round.combines) all.push_back(&step);
        }
      }
    }
    return all;
  }
  [[nodiscard]] std::ptrdiff_t offers() const {
    return std::ranges::count_if(steps(true), [](const LoweredStep* step) { return step->offer.has_value(); });
  }
  [[nodiscard]] std::ptrdiff_t offered() const {
    return std::ranges::count_if(steps(false), [](const LoweredStep* step) { return step->offered; });
  }

 private:
  std::shared_ptr<const Plan> plan_;
  std::map<std::pair<Rank, std::int32_t>, LinkEnd> links_;
  std::unique_ptr<Program> program_;
};

Plan planOf(const char* algorithm, Collective collective, Rank ranks) {
  plan::PlanRequest request;
  request.collective = collective;
  request.ranks = ranks;
  request.rank = 1;
  return plan::algorithmNamed(algorithm)->generate(request);
}

TEST(Deliveries, TwoShotAllReduce_OffersEveryOwnerItsSliceOfTheOutput) {
  const Lowered lowered(planOf("two-shot", Collective::allReduce, 4));
  EXPECT_EQ(lowered.offers(), 3);
  EXPECT_EQ(lowered.offered(), 3);
  for (const LoweredStep* send : lowered.steps(true)) {
    if (!send->offer) continue;
    EXPECT_EQ(send->offer->place.buffer, Buffer::output);
    EXPECT_EQ(send->offer->place.index, send->step->chunk.index);
    EXPECT_EQ(send->offer->answer, 1) << "the owner's first message is its part of my slice";
  }
}

TEST(Deliveries, RingOfTwo_DoesTheSame) {
  const Lowered lowered(planOf("ring", Collective::allReduce, 2));
  EXPECT_EQ(lowered.offers(), 1);
  EXPECT_EQ(lowered.offered(), 1);
}

TEST(Deliveries, RingOfMore_GetsItsResultsFromOthersThanItsSlicesWentTo) {
  const Lowered lowered(planOf("ring", Collective::allReduce, 3));
  EXPECT_EQ(lowered.offers(), 0);
  EXPECT_EQ(lowered.offered(), 0);
}

TEST(Deliveries, OneShot_HasNothingToBringHome) {
  EXPECT_EQ(Lowered(planOf("one-shot", Collective::allReduce, 4)).offers(), 0);
}

TEST(Deliveries, OtherCollectives_OfferNothing) {
  EXPECT_EQ(Lowered(planOf("two-shot", Collective::reduceScatter, 4)).offers(), 0);
  EXPECT_EQ(Lowered(planOf("pairwise", Collective::allToAll, 4)).offers(), 0);
}

TEST(Deliveries, APlaceThatIsReadMeanwhile_IsNotOffered) {
  Plan plan = planOf("two-shot", Collective::allReduce, 2);
  // In place, this reads what the owner would overwrite.
  Step& first = plan.lanes.front().loops.front().rounds.front().steps.front();
  ASSERT_EQ(first.kind, Step::Kind::send);
  Step again = first;
  plan.lanes.front().loops.front().rounds.front().steps.push_back(again);
  EXPECT_EQ(Lowered(std::move(plan)).offers(), 0);
}

}  // namespace
}  // namespace atl::exec
