// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/tune/contest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl::tools {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Runs the contest between entrants whose times never vary; the number of samples of each.
std::vector<std::size_t> samplesOf(Contest& contest, const std::vector<double>& times) {
  std::vector<std::size_t> samples(times.size());
  for (auto turn = contest.next(); !turn.empty(); turn = contest.next()) {
    std::vector<double> seconds;
    for (const std::size_t i : turn) {
      seconds.push_back(times[i]);
      ++samples[i];
    }
    contest.add(seconds);
  }
  return samples;
}

TEST(Contest, EntrantsThatAreClose_AreAllSampledToTheEnd) {
  Contest contest(3, 9);
  EXPECT_THAT(samplesOf(contest, {1.0, 1.1, 1.2}), ElementsAre(9, 9, 9));
}

TEST(Contest, EntrantsFarBehind_AreLeftOutEarly) {
  Contest contest(4, 9);
  EXPECT_THAT(samplesOf(contest, {5.0, 1.0, 1.5, 1.25}), ElementsAre(3, 9, 6, 9));
  EXPECT_THAT(contest.medians(), ElementsAre(5.0, 1.0, 1.5, 1.25));
}

TEST(Contest, OneEntrant_IsStillTimed) {
  Contest contest(1, 9);
  EXPECT_THAT(samplesOf(contest, {2.0}), ElementsAre(9));
  EXPECT_THAT(contest.medians(), ElementsAre(2.0));
}

TEST(Contest, FewerSamplesThanHeats_StillGiveEachHeatOne) {
  Contest contest(2, 1);
  EXPECT_THAT(samplesOf(contest, {1.0, 1.0}), ElementsAre(Contest::kHeats, Contest::kHeats));
}

TEST(Contest, OneDisturbedSample_DoesNotThrowOut) {
  Contest contest(2, 9);
  contest.add({1.0, 9.0});
  contest.add({1.0, 0.9});
  contest.add({1.0, 0.9});
  EXPECT_THAT(contest.next(), ElementsAre(0, 1));
}

TEST(Contest, NoEntrants_EndsAtOnce) {
  EXPECT_THAT(Contest(0, 9).next(), IsEmpty());
}

TEST(MedianOf, OddAndEvenNumbers_TakeTheMiddle) {
  EXPECT_EQ(medianOf({3, 1, 2}), 2);
  EXPECT_EQ(medianOf({4, 1, 3, 2}), 2.5);
}

}  // namespace
}  // namespace atl::tools
