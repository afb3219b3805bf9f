// SPDX-License-Identifier: Apache-2.0
// Plans of very large groups: a rank's plan stays small, and whole families are still proved.
#include <gtest/gtest.h>

#include "src/plan/algorithms/arithmetic.h"
#include "src/plan/verify.h"
#include "tests/plan/families.h"

namespace atl::plan {
namespace {

constexpr Rank kMany = 100000;

Rank rootOf(Collective collective) {
  return isRooted(collective) ? 12345 : kNoRank;
}

/// Plans whose size is constant or logarithmic in the ranks; the others have a message for each other rank.
std::vector<Pairing> compactPairings() {
  const std::set<std::string_view> compact{"ring",  "double-binary-tree", "recursive-doubling", "circulant", "binomial",
                                           "chain", "pairwise",           "dissemination"};
  std::vector<Pairing> pairings;
  for (const Pairing& pairing : everyPairing()) {
    if (compact.count(pairing.algorithm->name) > 0) pairings.push_back(pairing);
  }
  return pairings;
}

class CompactPlan : public testing::TestWithParam<Pairing> {};

TEST_P(CompactPlan, HundredThousandRanks_HasLogarithmicallyManySteps) {
  const Rank ranks = GetParam().algorithm->serves(GetParam().collective, kMany, false) ? kMany : 131072;
  const Rank root = rootOf(GetParam().collective);
  for (const Rank rank : {0, 1, ranks / 2, ranks - 1, 12345}) {
    EXPECT_LE(stepsWritten(planOf(GetParam(), ranks, rank, root)), 8 * ceilLog2(ranks)) << "rank " << rank;
  }
}

INSTANTIATE_TEST_SUITE_P(Catalogue, CompactPlan, testing::ValuesIn(compactPairings()),
                         [](const auto& test) { return nameOf(test.param); });

TEST(PatPlan, HundredThousandRanks_HasTwoStepsForEachOtherRank) {
  const Plan gather = planOf({algorithmNamed("pat"), Collective::allGather}, kMany, 7, kNoRank);
  EXPECT_EQ(stepsWritten(gather), 2 * (kMany - 1) + 1);
  const Plan scatter = planOf({algorithmNamed("pat"), Collective::reduceScatter}, kMany, 7, kNoRank);
  EXPECT_EQ(stepsWritten(scatter), 2 * (kMany - 1));
}

/// Families whose run is short enough to follow every message of every rank.
class HugeFamily : public testing::TestWithParam<Pairing> {};

TEST_P(HugeFamily, HundredThousandRanks_IsProved) {
  const Result<Proof> proof = verify(familyOf(GetParam(), kMany, rootOf(GetParam().collective)));
  ASSERT_TRUE(proof.ok()) << proof.error().text;
  EXPECT_EQ(proof->ranks, kMany);
}

std::vector<Pairing> shortRuns() {
  std::vector<Pairing> pairings;
  for (const Pairing& p : everyPairing()) {
    const std::string_view name = p.algorithm->name;
    const bool wholePayload = p.collective == Collective::allReduce || p.collective == Collective::reduce ||
                              p.collective == Collective::broadcast || p.collective == Collective::barrier;
    if (wholePayload && (name == "double-binary-tree" || name == "recursive-doubling" || name == "binomial" ||
                         name == "chain" || name == "dissemination")) {
      pairings.push_back(p);
    }
  }
  return pairings;
}

INSTANTIATE_TEST_SUITE_P(Catalogue, HugeFamily, testing::ValuesIn(shortRuns()),
                         [](const auto& test) { return nameOf(test.param); });

/// A thousand ranks, where 100,000 would mean 10^10 blocks to follow.
class LargeFamily : public testing::TestWithParam<Pairing> {};

TEST_P(LargeFamily, ThousandRanks_IsProved) {
  const Result<Proof> proof = verify(familyOf(GetParam(), 1000, isRooted(GetParam().collective) ? 333 : kNoRank));
  ASSERT_TRUE(proof.ok()) << proof.error().text;
}

std::vector<Pairing> blockwiseRuns() {
  std::vector<Pairing> pairings;
  for (const Pairing& p : everyPairing()) {
    const std::string_view name = p.algorithm->name;
    const bool rootedBlocks = p.collective == Collective::gather || p.collective == Collective::scatter;
    if (name == "circulant" || rootedBlocks || (name == "ring" && p.collective == Collective::allGather)) {
      pairings.push_back(p);
    }
  }
  return pairings;
}

INSTANTIATE_TEST_SUITE_P(Catalogue, LargeFamily, testing::ValuesIn(blockwiseRuns()),
                         [](const auto& test) { return nameOf(test.param); });

}  // namespace
}  // namespace atl::plan
