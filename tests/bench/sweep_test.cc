// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace atl::perf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::uint64_t> sizes(std::uint64_t min, std::uint64_t max, std::uint64_t step, std::uint64_t factor) {
  auto result = sizesOf({min, max, step, factor});
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().text);
  return result.ok() ? *result : std::vector<std::uint64_t>{};
}

std::string refusal(std::uint64_t min, std::uint64_t max, std::uint64_t step, std::uint64_t factor) {
  auto result = sizesOf({min, max, step, factor});
  return result.ok() ? "" : result.error().text;
}

TEST(Sweep, Default_IsOneSizeOf32M) {
  EXPECT_THAT(*sizesOf(Sweep{}), ElementsAre(32u << 20));
}

TEST(Sweep, Step_AddsUpToTheMaximum) {
  EXPECT_THAT(sizes(10, 35, 10, 0), ElementsAre(10, 20, 30));
  EXPECT_THAT(sizes(10, 30, 10, 0), ElementsAre(10, 20, 30));
}

TEST(Sweep, Step_MayBeginAtZero) {
  EXPECT_THAT(sizes(0, 16, 8, 0), ElementsAre(0, 8, 16));
}

TEST(Sweep, Factor_MultipliesUpToTheMaximum) {
  EXPECT_THAT(sizes(8, 64, 1, 2), ElementsAre(8, 16, 32, 64));
  EXPECT_THAT(sizes(8, 63, 1, 4), ElementsAre(8, 32));
}

TEST(Sweep, FactorAndStep_FactorWins) {
  EXPECT_THAT(sizes(1, 9, 1, 3), ElementsAre(1, 3, 9));
}

TEST(Sweep, LargestNumbers_DoNotWrap) {
  const auto top = std::numeric_limits<std::uint64_t>::max();
  EXPECT_THAT(sizes(top / 2, top, 1, 2), ElementsAre(top / 2, top / 2 * 2));
  EXPECT_THAT(sizes(top - 5, top, 4, 0), ElementsAre(top - 5, top - 1));
}

TEST(Sweep, OneSize_NeedsNoStep) {
  EXPECT_THAT(sizes(8, 8, 0, 0), ElementsAre(8));
}

TEST(Sweep, MinimumAboveMaximum_IsRefusedNamingBoth) {
  EXPECT_THAT(refusal(64, 8, 1, 0), testing::AllOf(HasSubstr("64"), HasSubstr("8")));
}

TEST(Sweep, StepsThatLeadNowhere_AreRefused) {
  EXPECT_THAT(refusal(1, 2, 0, 0), HasSubstr("stepbytes 0"));
  EXPECT_THAT(refusal(1, 2, 1, 1), HasSubstr("stepfactor 1"));
  EXPECT_THAT(refusal(0, 2, 1, 2), HasSubstr("minbytes 0"));
}

TEST(Sweep, TooManySizes_AreRefused) {
  EXPECT_THAT(refusal(0, 1u << 30, 1, 0), HasSubstr("larger step"));
}

}  // namespace
}  // namespace atl::perf
