// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/output_reads.h"

#include <gtest/gtest.h>

#include "src/plan/algorithm.h"

namespace atl::exec {
namespace {

/// What the plan of rank 1 of 4 says of part `part` of four, written in each of `repeat` repetitions with `stride`.
bool included(const char* algorithm, Collective collective, std::int32_t part, std::int32_t stride = 0,
              std::int32_t repeat = 1) {
  plan::PlanRequest request;
  request.collective = collective;
  request.ranks = 4;
  request.rank = 1;
  const Plan plan = plan::algorithmNamed(algorithm)->generate(request);
  return OutputReads(plan).includes({.buffer = Buffer::output, .index = part, .parts = 4, .stride = stride}, repeat);
}

TEST(OutputReads, TwoShotAllReduce_SendsItsOwnSliceOnly) {
  EXPECT_TRUE(included("two-shot", Collective::allReduce, 1));
  EXPECT_FALSE(included("two-shot", Collective::allReduce, 0));
  EXPECT_FALSE(included("two-shot", Collective::allReduce, 3));
}

TEST(OutputReads, RingAllGather_PassesBlocksOn) {
  EXPECT_TRUE(included("ring", Collective::allGather, 0, -1, 3));
}

TEST(OutputReads, EveryRepetitionIsLookedAt) {
  EXPECT_TRUE(included("two-shot", Collective::allReduce, 3, -1, 3));
  EXPECT_FALSE(included("two-shot", Collective::allReduce, 3, -1, 2));
}

TEST(OutputReads, DirectAllToAll_ReadsNothing) {
  for (const std::int32_t part : {0, 1, 2, 3}) EXPECT_FALSE(included("direct", Collective::allToAll, part));
}

TEST(OutputReads, OtherPartsThanTheReadsHave_CountAsRead) {
  plan::PlanRequest request;
  request.collective = Collective::allReduce;
  request.ranks = 4;
  request.rank = 1;
  const OutputReads reads(plan::algorithmNamed("two-shot")->generate(request));
  EXPECT_TRUE(reads.includes({.buffer = Buffer::output, .index = 0, .parts = 8}, 1));
  EXPECT_TRUE(reads.includes({.buffer = Buffer::scratch, .index = 0, .parts = 4}, 1));
}

}  // namespace
}  // namespace atl::exec
