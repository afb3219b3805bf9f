// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/statistics.h"

#include <gtest/gtest.h>

namespace atl::perf {
namespace {

TEST(Spread, OneSample_IsAllThree) {
  const Spread spread = spreadOf({4.0});
  EXPECT_EQ(spread.min, 4.0);
  EXPECT_EQ(spread.median, 4.0);
  EXPECT_EQ(spread.p99, 4.0);
}

TEST(Spread, Unsorted_GivesOrderStatistics) {
  const Spread odd = spreadOf({3.0, 1.0, 2.0});
  EXPECT_EQ(odd.min, 1.0);
  EXPECT_EQ(odd.median, 2.0);
  EXPECT_EQ(odd.p99, 3.0);
  EXPECT_EQ(spreadOf({4.0, 1.0, 2.0, 3.0}).median, 2.5);
}

TEST(Spread, HundredSamples_P99IsTheLastButOne) {
  std::vector<double> samples;
  for (int i = 1; i <= 100; ++i) samples.push_back(i);
  EXPECT_EQ(spreadOf(samples).p99, 99.0);
  samples.push_back(101);
  EXPECT_EQ(spreadOf(samples).p99, 100.0);
}

TEST(Measurement, Bandwidth_CountsGigabytesOfTenToTheNine) {
  const Measurement m = measurementOf(2'000'000'000, 0.5, 1.5);
  EXPECT_DOUBLE_EQ(m.algorithmGBps, 4.0);
  EXPECT_DOUBLE_EQ(m.busGBps, 6.0);
  EXPECT_FALSE(m.wrong.has_value());
}

TEST(Measurement, NoTime_HasNoBandwidth) {
  EXPECT_EQ(measurementOf(8, 0.0, 1.0).algorithmGBps, 0.0);
}

}  // namespace
}  // namespace atl::perf
