// SPDX-License-Identifier: Apache-2.0
// When a driver looks where its peers run, and what it does with what it sees.
#include "src/exec/spinning.h"

#include <gtest/gtest.h>

#include <chrono>

namespace atl {
namespace {

constexpr int kPolls = 100;

/// Done after so many polls in vain.
class Coming final : public Execution {
 public:
  Coming(int polls, CoreUse use) : left_(polls), use_(use) {}

  Result<bool> progress() override { return left_-- <= 0; }
  [[nodiscard]] bool moved() const override { return false; }
  [[nodiscard]] Patience patience() const override {
    return {.polls = kPolls, .awake = std::chrono::hours(1), .looks = looks};
  }
  CoreUse coreUse() override {
    ++asked;
    return use_;
  }
  void wanted(WakeSources&) const override {}
  void cancel(const Error&) override {}

  bool looks = true;
  int asked = 0;

 private:
  int left_;
  CoreUse use_;
};

/// How often it looked where its peers are in a wait of so many polls.
int looksIn(int polls, CoreUse use) {
  Coming coming(polls, use);
  Execution* const one[] = {&coming};
  EXPECT_TRUE(drive(one).ok());
  return coming.asked;
}

class Spins : public testing::Test {
 protected:
  ~Spins() override { Spinning::ofThisThread().found(CoreUse::own); }
};

TEST_F(Spins, ShortWait_LooksAtNobody) {
  EXPECT_EQ(looksIn(kPolls, CoreUse::own), 0);
}

TEST_F(Spins, PeersElsewhere_AreLookedForNowAndThenAndThisCoreIsKept) {
  EXPECT_EQ(looksIn(10 * kPolls, CoreUse::own), 9);  // at every 101st poll
  EXPECT_EQ(looksIn(kPolls, CoreUse::own), 0);
}

TEST_F(Spins, PeerOnThisCore_GetsItAtOnceNextTime) {
  EXPECT_EQ(looksIn(kPolls + 1, CoreUse::shared), 1);
  EXPECT_GT(looksIn(kPolls, CoreUse::shared), kPolls / 2);
}

TEST_F(Spins, PeerThatHasLeftThisCore_IsPolledForAgain) {
  looksIn(kPolls + 1, CoreUse::shared);
  EXPECT_EQ(looksIn(kPolls, CoreUse::own), 1);
  EXPECT_EQ(looksIn(kPolls, CoreUse::own), 0);
}

TEST_F(Spins, PeersNobodyKnowsWhere_GetTheCoreButNoSoonerNextTime) {
  EXPECT_GT(looksIn(2 * kPolls, CoreUse::unknown), kPolls / 2);
  EXPECT_EQ(looksIn(kPolls, CoreUse::unknown), 0);
}

TEST_F(Spins, WhoIsToldNotToLook_DoesNot) {
  Coming coming(10 * kPolls, CoreUse::shared);
  coming.looks = false;
  Execution* const one[] = {&coming};
  EXPECT_TRUE(drive(one).ok());
  EXPECT_EQ(coming.asked, 0);
}

TEST_F(Spins, OneOfTwoSharesTheCore_ThatCounts) {
  Coming far(kPolls + 1, CoreUse::own);
  Coming near(kPolls + 1, CoreUse::shared);
  Execution* const both[] = {&far, &near};
  EXPECT_TRUE(drive(both).ok());
  EXPECT_EQ(far.asked, 1);
  EXPECT_EQ(near.asked, 1);
  EXPECT_GT(looksIn(kPolls, CoreUse::shared), kPolls / 2);
}

}  // namespace
}  // namespace atl
