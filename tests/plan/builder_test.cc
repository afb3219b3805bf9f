// SPDX-License-Identifier: Apache-2.0
#include "src/plan/builder.h"

#include <gtest/gtest.h>

namespace atl::plan {
namespace {

PlanRequest request(Collective collective, Rank ranks, Rank rank) {
  PlanRequest r;
  r.collective = collective;
  r.ranks = ranks;
  r.rank = rank;
  return r;
}

TEST(ChunkSpec, IndexOutsideTheParts_IsTakenAroundTheCircle) {
  EXPECT_EQ(input(-1, 5).chunk.index, 4);
  EXPECT_EQ(input(-11, 5).chunk.index, 4);
  EXPECT_EQ(output(5, 5).chunk.index, 0);
}

TEST(ChunkSpec, InScratch_KeepsTheNameOfTheData) {
  const Chunk chunk = output(3, 8).span(2).by(-1).in(4, 1);
  EXPECT_EQ(chunk.buffer, Buffer::scratch);
  EXPECT_EQ(chunk.index, 3);
  EXPECT_EQ(chunk.parts, 8);
  EXPECT_EQ(chunk.span, 2);
  EXPECT_EQ(chunk.stride, -1);
  EXPECT_EQ(chunk.slot, 4);
  EXPECT_EQ(chunk.slotStride, 1);
}

TEST(AtRepetition, NegativeStride_WalksBackwardsAroundTheCircle) {
  const Chunk chunk = output(1, 5).by(-2);
  EXPECT_EQ(atRepetition(chunk, 0, 0).index, 1);
  EXPECT_EQ(atRepetition(chunk, 1, 0).index, 4);
  EXPECT_EQ(atRepetition(chunk, 3, 0).index, 0);
  EXPECT_EQ(atRepetition(chunk, 3, 0).stride, 0) << "what a repetition names is fixed";
}

TEST(AtRepetition, ScratchSlot_WrapsAtTheSlotsOfThePlan) {
  const Chunk chunk = output(0, 5).in(1, 1);
  EXPECT_EQ(atRepetition(chunk, 1, 2).slot, 0);
  EXPECT_EQ(atRepetition(chunk, 2, 2).slot, 1);
}

TEST(AtRepetition, LongLoop_DoesNotOverflow) {
  const Rank ranks = 2000000000;
  EXPECT_EQ(atRepetition(Peer{5, ranks - 1}, ranks - 1, ranks), 6);
}

TEST(PlanBuilder, PeersOutsideTheGroup_AreTakenAroundTheCircle) {
  PlanBuilder b(request(Collective::allGather, 4, 3), "test");
  b.lane().round().send(input(3, 4), 4).receive(output(2, 4), -2);
  const Plan plan = std::move(b).build();
  const Round& round = plan.lanes.at(0).loops.at(0).rounds.at(0);
  EXPECT_EQ(round.steps.at(0).to.at(0).rank, 0);
  EXPECT_EQ(round.steps.at(1).operands.at(0).peer->rank, 2);
}

TEST(PlanBuilder, RoundsAfterOnce_AreOutsideTheLoop) {
  PlanBuilder b(request(Collective::allReduce, 2, 0), "test");
  b.lane().repeat(7).round().send(input(), 1);
  b.once().round().send(input(), 1).round().receive(output(), 1);
  const Plan plan = std::move(b).build();
  const std::vector<Loop>& loops = plan.lanes.at(0).loops;
  ASSERT_EQ(loops.size(), 2u);
  EXPECT_EQ(loops[0].repeat, 7);
  EXPECT_EQ(loops[0].rounds.size(), 1u);
  EXPECT_EQ(loops[1].repeat, 1);
  EXPECT_EQ(loops[1].rounds.size(), 2u);
}

TEST(PlanBuilder, EmptyRoundsAndLoops_AreDropped) {
  PlanBuilder b(request(Collective::allReduce, 2, 0), "test");
  b.lane().repeat(0).round().send(input(), 1);
  b.once().round().round().send(input(), std::vector<Rank>{});
  const Plan plan = std::move(b).build();
  ASSERT_EQ(plan.lanes.size(), 1u) << "lanes are numbered: an empty one stays";
  EXPECT_TRUE(plan.lanes[0].loops.empty());
}

TEST(PlanBuilder, EmptyRoundThatWaits_Stays) {
  PlanBuilder b(request(Collective::allReduce, 2, 0), "test");
  b.lane().round().send(input(), 1);
  b.lane().roundAfter(0);
  const Plan plan = std::move(b).build();
  ASSERT_EQ(plan.lanes.at(1).loops.size(), 1u);
  EXPECT_EQ(plan.lanes[1].loops[0].rounds.at(0).after, 0);
}

TEST(FamilyHash, RanksOfOneFamily_Agree) {
  const auto hashOf = [](Rank rank) {
    PlanBuilder b(request(Collective::allReduce, 4, rank), "test");
    b.lane().round().send(input(rank, 4), rank + 1);
    return std::move(b).build().familyHash;
  };
  EXPECT_EQ(hashOf(0), hashOf(3));
}

TEST(FamilyHash, AnyFieldOfTheFamily_Counts) {
  Plan plan;
  plan.algorithm = "ring";
  plan.ranks = 4;
  const std::uint64_t hash = generatedFamilyHash(plan);
  const auto differs = [&](auto&& change) {
    Plan other = plan;
    change(other);
    return generatedFamilyHash(other) != hash;
  };
  EXPECT_TRUE(differs([](Plan& p) { p.version += 1; }));
  EXPECT_TRUE(differs([](Plan& p) { p.collective = Collective::reduce; }));
  EXPECT_TRUE(differs([](Plan& p) { p.algorithm = "rings"; }));
  EXPECT_TRUE(differs([](Plan& p) { p.ranks = 5; }));
  EXPECT_TRUE(differs([](Plan& p) { p.root = 0; }));
  EXPECT_TRUE(differs([](Plan& p) { p.shares = 2; }));
  EXPECT_FALSE(differs([](Plan& p) { p.rank = 1; }));
}

TEST(SoloPlan, Reduction_IsFinished) {
  const Plan plan = soloPlan(request(Collective::allReduce, 1, 0), "test");
  const Step& step = plan.lanes.at(0).loops.at(0).rounds.at(0).steps.at(0);
  EXPECT_TRUE(step.finish);
  EXPECT_EQ(step.operands.size(), 1u);
}

TEST(SoloPlan, Barrier_HasNoSteps) {
  const Plan plan = soloPlan(request(Collective::barrier, 1, 0), "test");
  for (const Lane& lane : plan.lanes) EXPECT_TRUE(lane.loops.empty());
}

}  // namespace
}  // namespace atl::plan
