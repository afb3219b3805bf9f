// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>

#include "transports/rdma/confidence.h"

namespace atl::rdma {
namespace {

constexpr double kPause = 5;

/// A time of the test's own.
Clock::time_point at(double s) {
  return Clock::time_point(std::chrono::hours(1)) +
         std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

TEST(Confidence, IsGivenAtTheStartAndGoneAfterAFailure) {
  Confidence confidence(kPause);
  EXPECT_TRUE(confidence.given());
  confidence.onFailure(at(0));
  EXPECT_FALSE(confidence.given());
}

TEST(Confidence, ComesBackWhenItHasWorkedForThePause) {
  Confidence confidence(kPause);
  confidence.onFailure(at(0));
  confidence.onWorking(at(10), at(14.9), false);
  EXPECT_FALSE(confidence.given());
  confidence.onWorking(at(10), at(15), false);
  EXPECT_TRUE(confidence.given());
}

TEST(Confidence, AnOutageInBetweenBeginsThePauseAnew) {
  Confidence confidence(kPause);
  confidence.onFailure(at(0));
  confidence.onWorking(at(10), at(14), false);
  confidence.onFailure(at(14));  // of a queue pair that nothing went by
  confidence.onWorking(at(14.5), at(16), false);
  EXPECT_FALSE(confidence.given());
  EXPECT_EQ(confidence.pause(), kPause);
}

TEST(Confidence, TakesTwiceAsLongAfterEachFailureSoonAfterTheReturn) {
  Confidence confidence(kPause);
  double now = 0;
  for (const double pause : {5., 10., 20., 40., 80., 160., 320., 320.}) {
    confidence.onFailure(at(now));
    EXPECT_EQ(confidence.pause(), pause);
    now += pause;
    confidence.onWorking(at(now - pause), at(now), false);
    EXPECT_TRUE(confidence.given());
    now += 1;
  }
  confidence.onFailure(at(now + 16 * 320));
  EXPECT_EQ(confidence.pause(), kPause) << "it had been well for long";
}

TEST(Confidence, ComesBackAtOnceWhereNothingElseWorks) {
  Confidence confidence(kPause);
  confidence.onFailure(at(0));
  confidence.onWorking(at(1), at(1), true);
  EXPECT_TRUE(confidence.given());
}

TEST(Confidence, OfWhatWasNotThereAtTheStartComesAsLateAsAnyOther) {
  Confidence confidence(kPause);
  confidence.withdraw();
  confidence.onWorking(at(1), at(2), false);
  EXPECT_FALSE(confidence.given());
  confidence.onWorking(at(1), at(6), false);
  EXPECT_TRUE(confidence.given());
}

}  // namespace
}  // namespace atl::rdma
