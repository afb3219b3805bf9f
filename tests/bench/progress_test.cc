// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/progress.h"

#include <gtest/gtest.h>

namespace atl::perf {
namespace {

TEST(Estimate, BeforeTheFirstSize_ClaimsNothing) {
  const Estimate estimate({1 << 20, 2 << 20});
  EXPECT_EQ(estimate.secondsLeft(), 0.0);
  EXPECT_EQ(progressText(1 << 20, estimate, 3.0), "size 1M, 1 of 2, 0:03 gone");
}

TEST(Estimate, LargeSizes_TakeInProportionToTheirBytes) {
  Estimate estimate({64 << 20, 128 << 20});
  estimate.finished(10.0);
  EXPECT_NEAR(estimate.secondsLeft(), 20.0, 0.1);
}

TEST(Estimate, SmallSizes_TakeAboutTheSame) {
  Estimate estimate({8, 16, 32});
  estimate.finished(1.0);
  EXPECT_NEAR(estimate.secondsLeft(), 2.0, 0.01);
  EXPECT_EQ(progressText(16, estimate, 61.0), "size 16, 2 of 3, 1:01 gone, about 0:02 left");
}

TEST(Estimate, AllFinished_LeavesNothing) {
  Estimate estimate({8});
  estimate.finished(1.0);
  EXPECT_EQ(estimate.secondsLeft(), 0.0);
  EXPECT_EQ(estimate.done(), estimate.total());
}

}  // namespace
}  // namespace atl::perf
