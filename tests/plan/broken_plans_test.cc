// SPDX-License-Identifier: Apache-2.0
// Plans broken on purpose, each in one way: every one must be rejected, and the reason must be in the text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/plan/verify.h"
#include "tests/plan/handmade.h"

namespace atl::plan {
namespace {

using namespace handmade;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Family = std::vector<Plan>;

std::string reason(const Family& family, const VerifyOptions& options = {}) {
  const auto proof = verify(family, options);
  return proof.ok() ? "accepted" : proof.error().text;
}

Loop& loopOf(Family& family, Rank rank, std::size_t loop, std::size_t lane = 0) {
  return family[static_cast<std::size_t>(rank)].lanes[lane].loops[loop];
}
std::vector<Step>& stepsOf(Family& family, Rank rank, std::size_t loop, std::size_t round = 0) {
  return loopOf(family, rank, loop).rounds[round].steps;
}

// --- messages ---

TEST(BrokenPlan, MissingSend_NamesTheRankThatWaitsForIt) {
  Family family = ringAllReduce(4);
  auto& steps = stepsOf(family, 2, 0);
  steps.erase(steps.begin());
  // Rank 3 takes rank 2's second message for its first.
  EXPECT_THAT(reason(family), AllOf(HasSubstr("rank 3, lane 0, loop 0"), HasSubstr("from rank 2, lane 0, loop 1"),
                                    HasSubstr("differ in size")));
}

TEST(BrokenPlan, MissingLastSend_LeavesTheReceiverWaiting) {
  Family family = oneShotAllReduce(3);
  stepsOf(family, 1, 0)[0].to.pop_back();  // rank 1 no longer sends to rank 2
  EXPECT_THAT(reason(family),
              AllOf(HasSubstr("deadlock"),
                    HasSubstr("rank 2, lane 0, loop 0, round 0, step 1 waits for a message from rank 1")));
}

TEST(BrokenPlan, MissingReceive_LeavesTheSenderWaiting) {
  Family family = chainReduce(3);
  loopOf(family, 0, 0).rounds[0] = round({combine(out(0, 1), {local(in(0, 1))})});
  EXPECT_THAT(reason(family), AllOf(HasSubstr("deadlock"), HasSubstr("rank 1"), HasSubstr("waits for rank 0 to take"),
                                    HasSubstr("but rank 0 has ended its lane 0")));
}

TEST(BrokenPlan, CyclicWait_ShowsTheCircle) {
  // Each rank sends only after it has received.
  Family family;
  for (Rank me = 0; me < 3; ++me) {
    Plan plan = header(Collective::barrier, "circle", 3, me);
    plan.lanes = {lane({loop(1, {round({combine(out(0, 1), {from(around(me - 1, 3))})}),
                                 round({send(in(0, 1), {{around(me + 1, 3), 0}})})})})};
    family.push_back(plan);
  }
  EXPECT_THAT(reason(family),
              AllOf(HasSubstr("deadlock, 3 of 3 lanes"),
                    HasSubstr("rank 0, lane 0, loop 0, round 0, step 0 waits for a message from rank 2"),
                    HasSubstr("rank 2, lane 0, loop 0, round 0, step 0 waits for a message from rank 1"),
                    HasSubstr("rank 1, lane 0, loop 0, round 0, step 0 waits for a message from rank 0"),
                    HasSubstr("closes the circle")));
}

TEST(BrokenPlan, SendsThatWouldNeedABuffer_AreADeadlock) {
  // Both send first and receive in the next round: works only if a link buffers.
  Family family;
  for (Rank me = 0; me < 2; ++me) {
    Plan plan = header(Collective::barrier, "eager", 2, me);
    plan.lanes = {
        lane({loop(1, {round({send(in(0, 1), {{1 - me, 0}})}), round({combine(out(0, 1), {from(1 - me)})})})})};
    family.push_back(plan);
  }
  EXPECT_THAT(reason(family),
              AllOf(HasSubstr("waits for rank 1 to take input part 0 of 1"), HasSubstr("closes the circle")));
}

TEST(BrokenPlan, LanesThatWaitForEachOther_AreADeadlock) {
  Family family = twoLaneBroadcast();
  family[1].lanes[0].loops[0].rounds[0].after = 1;
  EXPECT_THAT(reason(family), AllOf(HasSubstr("rank 1, lane 0, loop 0, round 0 waits for the end of lane 1"),
                                    HasSubstr("rank 1, lane 1, loop 0, round 0 waits for the end of lane 0")));
}

TEST(BrokenPlan, MissingLane_IsNamed) {
  Family family = twoLaneBroadcast();
  family[2].lanes.pop_back();
  EXPECT_THAT(reason(family), HasSubstr("waits for rank 2 to take output part 0 of 1, but that rank has no lane 1"));
}

TEST(BrokenPlan, SelfMessage_IsRejected) {
  Family family = ringAllReduce(4);
  stepsOf(family, 1, 0)[0].to = {{1, 0}};
  EXPECT_THAT(reason(family), HasSubstr("rank 1, lane 0, loop 0, round 0, step 0: sends to itself"));
  family = ringAllReduce(4);
  stepsOf(family, 1, 0)[1].operands[1] = from(1);
  EXPECT_THAT(reason(family), HasSubstr("rank 1, lane 0, loop 0, round 0, step 1: takes a message from itself"));
}

TEST(BrokenPlan, PeerStrideThatReachesItself_NamesTheRepetition) {
  Family family = pairwiseAllToAll(4);
  for (Rank r = 0; r < 4; ++r) ++loopOf(family, r, 1).repeat;
  EXPECT_THAT(reason(family), HasSubstr("repetition 3, round 0, step 0: sends to itself"));
}

TEST(BrokenPlan, WrongSize_NamesBothEnds) {
  Family family = ringAllReduce(4);
  for (Plan& plan : family) plan.tileable = false;
  auto& steps = stepsOf(family, 2, 0);
  steps[1] = combine(out(0, 2), {local(in(0, 2)), from(1)});
  EXPECT_THAT(reason(family), AllOf(HasSubstr("rank 2, lane 0, loop 0, round 0, step 1"),
                                    HasSubstr("the message from rank 1, lane 0, loop 0, round 0, step 0 does not fit"),
                                    HasSubstr("input part 1 of 4 and output part 0 of 2 differ in size")));
}

TEST(BrokenPlan, LocalOperandOfAnotherSize_IsRejected) {
  Family family = directAllGather(3);
  stepsOf(family, 1, 0)[0] = combine(out(2, 6), {local(in(3, 6))});
  EXPECT_THAT(reason(family), HasSubstr("input part 3 of 6 and output part 2 of 6 differ in size"));
}

TEST(BrokenPlan, BlocksThatMayDifferInSize_AreRejectedForUnequalBlocksAlone) {
  // Rank 1's block passes through the scratch of rank 0 as if it were block 0.
  Family family{header(Collective::gather, "through-scratch", 2, 0, 0),
                header(Collective::gather, "through-scratch", 2, 1, 0)};
  family[0].scratchSlots = 1;
  family[0].scratchParts = 2;
  family[0].lanes = {
      lane({loop(1, {round({combine(out(0, 2), {local(in(0, 2))}), combine(scratch(0, 0, 2), {from(1)})}),
                     round({combine(out(1, 2), {local(scratch(0, 0, 2))})})})})};
  family[1].lanes = {lane({loop(1, {round({send(in(1, 2), {{0, 0}})})})})};
  EXPECT_EQ(reason(family), "accepted");
  VerifyOptions unequal;
  unequal.unequalBlocks = true;
  EXPECT_THAT(reason(family, unequal), HasSubstr("are of different blocks, which may differ in size"));
}

TEST(BrokenPlan, MessageBetweenShares_IsRejected) {
  Family family = ringAllReduce(3);
  for (Plan& plan : family) {
    plan.shares = 2;
    plan.lanes.push_back(plan.lanes[0]);
    plan.lanes[plan.rank == 2 ? 0 : 1].share = 1;
  }
  EXPECT_THAT(reason(family), HasSubstr("is of share"));
}

// --- values ---

TEST(BrokenPlan, DoubledContribution_NamesTheRank) {
  Family family = ringAllReduce(4);
  // Rank 1 adds its input twice.
  stepsOf(family, 1, 0)[1].operands.push_back(local(in(0, 4)));
  EXPECT_THAT(reason(family), AllOf(HasSubstr("rank 1, lane 0, loop 0, round 0, step 1"),
                                    HasSubstr("doubled contribution of rank 1: ranks 0 to 1 is combined with rank 1")));
}

TEST(BrokenPlan, MissingContribution_NamesTheRank) {
  Family family = chainReduce(4);
  stepsOf(family, 2, 0)[0] = combine(scratch(0, 0, 1), {from(3)});  // passes on without its own
  EXPECT_THAT(reason(family), AllOf(HasSubstr("rank 1"), HasSubstr("rank 1 before rank 3")));
  for (Plan& plan : family) plan.ordered = false;
  EXPECT_THAT(reason(family), AllOf(HasSubstr("rank 0"), HasSubstr("lacks the contribution of rank 2")));
}

TEST(BrokenPlan, Unfinished_IsRejectedAtTheEnd) {
  Family family = ringAllReduce(4);
  stepsOf(family, 1, 2)[1].finish = false;
  EXPECT_THAT(reason(family), HasSubstr("output part 2 of 4 is complete but not finished"));
}

TEST(BrokenPlan, FinishedTwice_IsRejected) {
  Family family = ringAllReduce(4);
  stepsOf(family, 3, 3)[1].finish = true;
  EXPECT_THAT(reason(family), AllOf(HasSubstr("rank 3, lane 0, loop 3, repetition 0"), HasSubstr("finished already")));
}

TEST(BrokenPlan, FinishedTooEarly_NamesWhatIsMissing) {
  Family family = ringAllReduce(4);
  stepsOf(family, 1, 0)[1].finish = true;
  EXPECT_THAT(reason(family), HasSubstr("finishes a result that lacks the contribution of rank 2"));
}

TEST(BrokenPlan, FinishWithoutAReduction_IsRejected) {
  Family family = directAllGather(2);
  stepsOf(family, 0, 0)[0].finish = true;
  EXPECT_THAT(reason(family), HasSubstr("finishes a reduction in allgather, which does not reduce"));
}

TEST(BrokenPlan, CombinedWithAFinishedResult_IsRejected) {
  Family family = oneShotAllReduce(2);
  for (Plan& plan : family)
    plan.lanes[0].loops[0].rounds.push_back(round({combine(out(0, 1), {local(out(0, 1)), local(in(0, 1))})}));
  EXPECT_THAT(reason(family), HasSubstr("combines a result that is finished already"));
}

TEST(BrokenPlan, WrongOrder_IsRejectedWhereThePlanClaimsOrder) {
  Family family = oneShotAllReduce(3);
  std::swap(stepsOf(family, 1, 0)[1].operands[0], stepsOf(family, 1, 0)[1].operands[1]);
  EXPECT_THAT(reason(family), HasSubstr("not in rank order, as the plan says it is: rank 1 before rank 0"));
  for (Plan& plan : family) plan.ordered = false;
  EXPECT_EQ(reason(family), "accepted");
}

TEST(BrokenPlan, WrongBlock_SaysWhichItIs) {
  Family family = directAllGather(3);
  auto& steps = stepsOf(family, 2, 0);
  steps[2].operands = {from(1)};  // block 0 from rank 1, and
  steps[4].operands = {from(0)};  // block 1 from rank 0
  EXPECT_THAT(
      reason(family),
      HasSubstr("rank 2: at the end, output part 0 of 3 holds the wrong block: part 1 of 3 where part 0 of 3 belongs"));
}

TEST(BrokenPlan, WrongBlockOfAnAllToAll_SaysWhoseItIs) {
  Family family = pairwiseAllToAll(3);
  stepsOf(family, 1, 0)[0] = combine(out(1, 3), {local(in(0, 3))});
  EXPECT_THAT(reason(family), HasSubstr("rank 1's part 0 of 3 where rank 1's part 1 of 3 belongs"));
}

TEST(BrokenPlan, DifferentPartsReducedWithEachOther_AreRejected) {
  Family family = ringAllReduce(4);
  stepsOf(family, 1, 0)[1].operands[0] = local(in(3, 4));
  family[1].lanes[0].loops[0].rounds[0].steps[1].chunk = out(3, 4);
  EXPECT_THAT(reason(family), HasSubstr("differ in size"));
  // Of equal blocks the sizes agree, and only the content is wrong.
  Family scatter;
  for (Rank me = 0; me < 2; ++me) {
    Plan plan = header(Collective::reduceScatter, "swapped", 2, me);
    plan.lanes = {lane({loop(
        1, {round({send(in(me, 2), {{1 - me, 0}}), combine(out(me, 2), {local(in(me, 2)), from(1 - me)}, true)})})})};
    scatter.push_back(plan);
  }
  EXPECT_THAT(reason(scatter), HasSubstr("combines different parts of the data with each other"));
}

TEST(BrokenPlan, OutputNeverWritten_IsRejected) {
  Family family = pairwiseAllToAll(3);
  loopOf(family, 2, 0).rounds[0] = round({});
  EXPECT_THAT(reason(family), HasSubstr("rank 2: at the end, output part 2 of 3 is never written"));
}

TEST(BrokenPlan, ShareWithoutALane_IsRejected) {
  Family family = ringAllReduce(3);
  for (Plan& plan : family) plan.shares = 2;
  EXPECT_THAT(reason(family), HasSubstr("output part 0 of 1 of share 1 is never written"));
}

TEST(BrokenPlan, BarrierLeftTooEarly_NamesWhoMayStillBeOutside) {
  Family family = disseminationBarrier(8);
  for (Rank r = 0; r < 8; ++r) loopOf(family, r, 0).rounds.pop_back();
  EXPECT_THAT(reason(family), HasSubstr("rank 0 may leave the barrier before rank 1 has entered it"));
}

// --- memory ---

TEST(BrokenPlan, ReadBeforeWrite_SaysWhatNothingWrote) {
  Family family = ringAllReduce(8);
  stepsOf(family, 4, 0)[0] = send(out(4, 8), {{5, 0}});
  EXPECT_THAT(reason(family),
              HasSubstr("rank 4, lane 0, loop 0, round 0, step 0: reads output part 4 of 8 that nothing wrote"));
}

TEST(BrokenPlan, EarlyOverwrite_IsAHazardOfTheRound) {
  Family family = ringAllReduce(4);
  // Rank 1 receives on top of what it is sending.
  stepsOf(family, 1, 3)[1].chunk = by(out(2, 4), -1);
  EXPECT_THAT(reason(family), AllOf(HasSubstr("rank 1, lane 0, loop 3, repetition 0, round 0, step 1"),
                                    HasSubstr("writes output part 2 of 4 while step 0 of the same round reads it")));
}

TEST(BrokenPlan, TwoWritersInARound_AreAHazard) {
  Family family = directAllGather(3);
  stepsOf(family, 0, 0)[4].chunk = out(1, 3);
  EXPECT_THAT(reason(family), AllOf(HasSubstr("of the same round writes it"), HasSubstr("output part 1 of 3")));
}

TEST(BrokenPlan, ScratchSlotUsedTwiceInARound_IsAHazard) {
  Family family = chainReduce(3);
  Plan& middle = family[1];
  middle.lanes[0].loops[0].rounds[0].steps.push_back(combine(scratch(0, 0, 1), {local(in(0, 1))}));
  EXPECT_THAT(reason(family), HasSubstr("writes scratch slot 0 while step"));
}

TEST(BrokenPlan, DestinationThatOverlapsItsOperand_IsRejected) {
  Family family = ringAllReduce(3);
  Chunk target = out(0, 3);
  target.span = 2;
  Chunk source = out(1, 3);
  source.span = 2;
  loopOf(family, 0, 0).rounds.push_back(round({combine(target, {local(source)})}));
  EXPECT_THAT(reason(family),
              HasSubstr("writes output parts 0 to 1 of 3 while it reads output parts 1 to 2 of 3, which overlaps it"));
}

TEST(BrokenPlan, ShortScratch_NamesTheBound) {
  Family family = chainReduce(3);
  family[1].scratchSlots = 0;
  EXPECT_THAT(reason(family),
              AllOf(HasSubstr("scratch slot 0 (part 0 of 1) is out of range"), HasSubstr("declares 0 scratch slots")));
  family = chainReduce(3);
  for (Plan& plan : family) plan.tileable = false;
  family[1].scratchSlots = 2;
  family[1].scratchParts = 2;
  Chunk both = scratch(1, 0, 2);
  both.span = 2;
  family[1].lanes[0].loops[0].rounds[0] = round({combine(both, {local(in(0, 1)), from(2)})});
  family[1].lanes[0].loops[0].rounds[1] = round({send(both, {{0, 0}})});
  EXPECT_THAT(reason(family), AllOf(HasSubstr("scratch slots 1 to 2"), HasSubstr("declares 2 scratch slots")));
}

TEST(BrokenPlan, ScratchOfOtherParts_IsRejected) {
  Family family = chainReduce(3);
  stepsOf(family, 1, 0)[0].chunk.parts = 2;
  EXPECT_THAT(reason(family), HasSubstr("scratch holds parts of 1"));
}

TEST(BrokenPlan, InputWritten_IsRejected) {
  Family family = ringAllReduce(3);
  stepsOf(family, 0, 0)[1].chunk = in(2, 3);
  EXPECT_THAT(reason(family), HasSubstr("writes input part 2 of 3: input is never written"));
}

TEST(BrokenPlan, BufferThatTheRankDoesNotHave_IsRejected) {
  Family family = chainReduce(3);
  stepsOf(family, 1, 0)[0].chunk = out(0, 1);
  EXPECT_THAT(reason(family), HasSubstr("rank 1 has no output in reduce with root 0"));
  family = directAllGather(3);
  stepsOf(family, 1, 0)[0].operands = {local(in(0, 3))};
  EXPECT_THAT(reason(family), HasSubstr("in allgather, rank 1's input holds block 1 alone"));
}

TEST(BrokenPlan, UnorderedLanesThatMeet_AreAHazard) {
  Family family = twoLaneBroadcast();
  family[1].lanes[1].loops[0].rounds[0].after.reset();
  EXPECT_THAT(reason(family),
              AllOf(HasSubstr("rank 1: lanes 0 and 1 both use output part 0 of 1"), HasSubstr("neither waits")));
}

TEST(BrokenPlan, LanesThatShareScratchInATileablePlan_AreAHazard) {
  Family family = twoLaneBroadcast();
  Plan& middle = family[1];
  middle.scratchSlots = 1;
  middle.lanes[0].loops[0].rounds.push_back(round({combine(scratch(0, 0, 1), {local(out(0, 1))})}));
  middle.lanes[1].loops[0].rounds[0].steps[0] = send(scratch(0, 0, 1), {{2, 0}});
  EXPECT_EQ(reason(family), "accepted");
  for (Plan& plan : family) plan.tileable = true;
  EXPECT_THAT(reason(family),
              HasSubstr("lanes 0 and 1 both use scratch slot 0; in a tileable plan they may be in different tiles"));
}

TEST(BrokenPlan, TwoCutsInATileablePlan_AreRejected) {
  // Halves that are copied as one whole: right as it stands, wrong once tiles divide each half and the whole alike.
  Family family{header(Collective::broadcast, "two-cuts", 1, 0, 0)};
  family[0].scratchSlots = 2;
  family[0].scratchParts = 2;
  family[0].lanes = {lane({loop(2, {round({combine(by(out(0, 2), 1), {local(by(in(0, 2), 1))})})}),
                           loop(1, {round({combine(out(0, 1), {local(in(0, 1))})})})})};
  EXPECT_EQ(reason(family), "accepted");
  family[0].tileable = true;
  EXPECT_THAT(reason(family), HasSubstr("cut the data in 2 parts and in 1"));
}

// --- shape and family ---

TEST(BrokenPlan, IndexOutOfRange_IsRejected) {
  Family family = ringAllReduce(4);
  stepsOf(family, 2, 0)[0].chunk.index = 4;
  EXPECT_THAT(reason(family), HasSubstr("rank 2, lane 0, loop 0, round 0, step 0: input part 4 of 4 is out of range"));
  family = ringAllReduce(4);
  stepsOf(family, 2, 0)[0].chunk = in(3, 4);
  stepsOf(family, 2, 0)[0].chunk.span = 2;
  EXPECT_THAT(reason(family), HasSubstr("runs over the end"));
}

TEST(BrokenPlan, PartsThatAreNotWholeBlocks_AreRejected) {
  Family family = directAllGather(4);
  stepsOf(family, 0, 0)[0].chunk = out(0, 6);
  EXPECT_THAT(reason(family), HasSubstr("6 parts are not a multiple of the payload's 4 blocks"));
}

TEST(BrokenPlan, PeerOutOfRange_IsRejected) {
  Family family = ringAllReduce(4);
  stepsOf(family, 3, 0)[0].to = {{4, 0}};
  EXPECT_THAT(reason(family), HasSubstr("peer rank 4 is out of range: the family has 4 ranks"));
}

TEST(BrokenPlan, EmptyStepsAndLoops_AreRejected) {
  Family family = ringAllReduce(4);
  stepsOf(family, 0, 0)[0].to.clear();
  EXPECT_THAT(reason(family), HasSubstr("to nobody"));
  family = ringAllReduce(4);
  stepsOf(family, 0, 0)[1].operands.clear();
  EXPECT_THAT(reason(family), HasSubstr("combines nothing"));
  family = ringAllReduce(4);
  loopOf(family, 0, 1).repeat = 0;
  EXPECT_THAT(reason(family), HasSubstr("rank 0, lane 0, loop 1: is repeated 0 times"));
}

TEST(BrokenPlan, ReductionInACollectiveWithoutOne_IsRejected) {
  Family family = directAllGather(2);
  stepsOf(family, 0, 0)[0].operands.push_back(local(in(0, 2)));
  EXPECT_THAT(reason(family), HasSubstr("combines 2 operands in allgather, which does not reduce"));
}

TEST(BrokenPlan, HashMismatch_ShowsBothHashes) {
  Family family = ringAllReduce(4);
  family[2].familyHash = 0x1234;
  EXPECT_THAT(reason(family), AllOf(HasSubstr("not one family: hash of rank 0 is 0x"),
                                    HasSubstr("of rank 2 it is 0x0000000000001234")));
}

TEST(BrokenPlan, FamilyThatIsNotWhole_IsRejected) {
  Family family = ringAllReduce(4);
  family.pop_back();
  EXPECT_THAT(reason(family), HasSubstr("3 plans given for a family of 4 ranks"));
  family = ringAllReduce(4);
  std::swap(family[1], family[2]);
  EXPECT_THAT(reason(family), HasSubstr("the plan in place 1 is of rank 2"));
  EXPECT_THAT(reason({}), HasSubstr("no plans"));
}

TEST(BrokenPlan, HeadersThatDiffer_AreNamed) {
  Family family = ringAllReduce(4);
  family[3].tileable = false;
  EXPECT_THAT(reason(family), HasSubstr("'tileable' of rank 0 is true, of rank 3 it is false"));
  family = ringAllReduce(4);
  for (Plan& plan : family) plan.version = 2;
  EXPECT_THAT(reason(family), HasSubstr("plan version 2, this library knows 1"));
  family = ringAllReduce(4);
  for (Plan& plan : family) plan.root = 0;
  EXPECT_THAT(reason(family), HasSubstr("root 0 given, but allreduce has none"));
}

}  // namespace
}  // namespace atl::plan
