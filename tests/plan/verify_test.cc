// SPDX-License-Identifier: Apache-2.0
// What the verifier accepts, and what it says of it.
#include "src/plan/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/plan/handmade.h"

namespace atl::plan {
namespace {

using namespace handmade;
using ::testing::HasSubstr;

VerifyOptions inPlace() {
  VerifyOptions options;
  options.inPlace = true;
  return options;
}

VerifyOptions unequalBlocks() {
  VerifyOptions options;
  options.unequalBlocks = true;
  return options;
}

bool everyRankSafeInPlace(const std::vector<Plan>& family) {
  return std::all_of(family.begin(), family.end(), [](const Plan& plan) { return safeInPlace(plan); });
}

std::string whyNot(const Result<Proof>& proof) {
  return proof.ok() ? "" : proof.error().text;
}

TEST(Verify, RingAllReduce_CountsWhatItDoes) {
  for (const Rank n : {3, 4, 7, 16, 65, 130}) {
    const auto proof = verify(ringAllReduce(n));
    ASSERT_TRUE(proof.ok()) << whyNot(proof);
    EXPECT_EQ(proof->ranks, n);
    EXPECT_EQ(proof->messages, std::int64_t{2} * n * (n - 1));
    EXPECT_EQ(proof->steps, std::int64_t{4} * n * (n - 1));
    EXPECT_EQ(proof->rounds, 2 * (n - 1));
    EXPECT_EQ(proof->scratchUsed, 0);
    EXPECT_FALSE(proof->ordered) << "a ring folds from a different rank on for each part";
  }
}

TEST(Verify, OneShotAllReduce_IsInRankOrder) {
  const auto proof = verify(oneShotAllReduce(5));
  ASSERT_TRUE(proof.ok()) << whyNot(proof);
  EXPECT_TRUE(proof->ordered);
  EXPECT_EQ(proof->rounds, 1);
  EXPECT_EQ(proof->messages, 20);
}

TEST(Verify, ChainReduce_KeepsToItsScratchAndToRankOrder) {
  const auto proof = verify(chainReduce(6));
  ASSERT_TRUE(proof.ok()) << whyNot(proof);
  EXPECT_TRUE(proof->ordered);
  EXPECT_EQ(proof->scratchUsed, 1);
  EXPECT_EQ(proof->rounds, 5);
}

TEST(Verify, PairwiseAllToAll_FollowsPeersThatAdvance) {
  for (const Rank n : {1, 2, 3, 8, 13}) {
    auto family = pairwiseAllToAll(n);
    if (n == 1) family[0].lanes[0].loops.pop_back();
    const auto proof = verify(family, unequalBlocks());
    EXPECT_TRUE(proof.ok()) << whyNot(proof);
  }
}

TEST(Verify, DirectAllGather_HoldsForUnequalBlocks) {
  const auto proof = verify(directAllGather(6), unequalBlocks());
  EXPECT_TRUE(proof.ok()) << whyNot(proof);
}

TEST(Verify, DisseminationBarrier_HearsFromEveryRank) {
  for (const Rank n : {2, 3, 5, 8, 33, 100}) {
    const auto proof = verify(disseminationBarrier(n));
    ASSERT_TRUE(proof.ok()) << whyNot(proof);
    std::int64_t rounds = 0;
    while ((1 << rounds) < n) ++rounds;
    EXPECT_EQ(proof->rounds, rounds);
  }
}

TEST(Verify, LanesOfOneShare_MayMeetWhereOneWaitsForTheOther) {
  const auto proof = verify(twoLaneBroadcast());
  ASSERT_TRUE(proof.ok()) << whyNot(proof);
  EXPECT_EQ(proof->rounds, 2);
}

TEST(Verify, MixedParts_AreFollowedInTheirCommonCut) {
  // Rank 0 broadcasts in halves to rank 1, which passes on in thirds: six cells.
  std::vector<Plan> family;
  for (Rank me = 0; me < 3; ++me) family.push_back(header(Collective::broadcast, "mixed", 3, me, 0));
  family[0].lanes = {lane({loop(1, {round({combine(out(0, 1), {local(in(0, 1))})})}),
                           loop(2, {round({send(by(in(0, 2), 1), {{1, 0}})})})})};
  family[1].lanes = {lane({loop(2, {round({combine(by(out(0, 2), 1), {from(0)})})}),
                           loop(3, {round({send(by(out(0, 3), 1), {{2, 0}})})})})};
  family[2].lanes = {lane({loop(3, {round({combine(by(out(0, 3), 1), {from(1)})})})})};
  const auto proof = verify(family);
  EXPECT_TRUE(proof.ok()) << whyNot(proof);
}

TEST(Verify, SharesAreProvedEach) {
  auto family = ringAllReduce(4);
  for (Plan& plan : family) {
    plan.shares = 2;
    plan.lanes.push_back(plan.lanes[0]);
    plan.lanes[1].share = 1;
  }
  const auto proof = verify(family);
  ASSERT_TRUE(proof.ok()) << whyNot(proof);
  EXPECT_EQ(proof->messages, 48);
}

TEST(Verify, MessagesOfOneRound_MeetInTheOrderOfTheSteps) {
  std::vector<Plan> family{header(Collective::broadcast, "halves", 2, 0, 0),
                           header(Collective::broadcast, "halves", 2, 1, 0)};
  family[0].lanes = {lane(
      {loop(1, {round({send(in(0, 2), {{1, 0}}), send(in(1, 2), {{1, 0}}), combine(out(0, 1), {local(in(0, 1))})})})})};
  family[1].lanes = {lane({loop(1, {round({combine(out(0, 2), {from(0)}), combine(out(1, 2), {from(0)})})})})};
  EXPECT_TRUE(verify(family).ok());
  std::swap(family[1].lanes[0].loops[0].rounds[0].steps[0], family[1].lanes[0].loops[0].rounds[0].steps[1]);
  EXPECT_FALSE(verify(family).ok());
}

TEST(VerifyInPlace, RingAllReduce_IsSafe) {
  const auto family = ringAllReduce(5);
  const auto proof = verify(family, inPlace());
  EXPECT_TRUE(proof.ok()) << whyNot(proof);
  EXPECT_TRUE(everyRankSafeInPlace(family));
}

TEST(VerifyInPlace, DirectAllGather_CopiesItsOwnBlockOntoItself) {
  const auto family = directAllGather(4);
  const auto proof = verify(family, inPlace());
  EXPECT_TRUE(proof.ok()) << whyNot(proof);
  EXPECT_TRUE(everyRankSafeInPlace(family));
}

TEST(VerifyInPlace, OneShotAllReduce_WritesWhatItStillSends) {
  const auto family = oneShotAllReduce(3);
  const auto proof = verify(family, inPlace());
  ASSERT_FALSE(proof.ok());
  EXPECT_THAT(proof.error().text, HasSubstr("while step 0 of the same round reads it as input, in place"));
  EXPECT_FALSE(safeInPlace(family[0]));
}

TEST(VerifyInPlace, PairwiseAllToAll_OverwritesWhatItSendsLater) {
  const auto family = pairwiseAllToAll(3);
  const auto proof = verify(family, inPlace());
  ASSERT_FALSE(proof.ok());
  EXPECT_THAT(proof.error().text, HasSubstr("in place, reads input part"));
  EXPECT_FALSE(everyRankSafeInPlace(family));
}

TEST(SafeInPlace, PlanThatIsNotSound_IsNotSafe) {
  auto family = ringAllReduce(4);
  family[0].lanes[0].loops[0].rounds[0].steps[0].chunk.index = 99;
  EXPECT_FALSE(safeInPlace(family[0]));
}

TEST(Verify, LimitOnWork_RefusesInsteadOfRunning) {
  auto family = ringAllReduce(4);
  VerifyOptions options;
  options.maxWork = 10;
  const auto proof = verify(family, options);
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, ErrorCode::unsupported);
  EXPECT_THAT(proof.error().text, HasSubstr("too large to verify"));
}

TEST(Verify, RepetitionsBeyondCounting_AreRefused) {
  auto family = ringAllReduce(4);
  for (Plan& plan : family) {
    for (Loop& l : plan.lanes[0].loops) l.repeat = 2'000'000'000;
  }
  const auto proof = verify(family);
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, ErrorCode::unsupported);
}

TEST(Verify, PartsTooFineToFollow_AreRefused) {
  auto family = ringAllReduce(4);
  family[1].lanes[0].loops[0].rounds[0].steps[0].chunk.parts = 2'000'000'011;
  const auto proof = verify(family);
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, ErrorCode::unsupported);
  EXPECT_THAT(proof.error().text, HasSubstr("too many to follow"));
}

TEST(Verify, PointToPoint_IsRefusedByName) {
  const std::vector<Plan> family{header(Collective::pointToPoint, "calls", 1, 0)};
  const auto proof = verify(family);
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace atl::plan
