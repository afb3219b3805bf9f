// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/bounce_copy.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <vector>

namespace atl::exec {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kBytes = 4096;
constexpr std::size_t kMost = 256 * 1024;
constexpr int kFirst = BounceCopier::kFirstTimed;

/// How many of `messages` copies went around the cache, and how many asked to be timed.
struct Tally {
  int streamed = 0;
  int timed = 0;
};

class Link {
 public:
  Link() : out_(std::make_unique<Mailbox>()), from_(kMost, std::byte{7}), slot_(from_.size()) {}

  CopyMarks copy(std::size_t bytes = kBytes, bool beyondCache = false, Path stream = Path::automatic) {
    return copier_.copy(bytes, beyondCache, *out_, stream,
                        [&](bool) { std::memcpy(slot_.data(), from_.data(), bytes); });
  }
  Tally copyMany(int messages) {
    Tally tally;
    for (int i = 0; i < messages; ++i) {
      const CopyMarks marks = copy();
      tally.streamed += marks.streamed ? 1 : 0;
      tally.timed += marks.timed ? 1 : 0;
    }
    return tally;
  }
  /// What the reader says of the two ways.
  void readerSays(std::uint32_t cached, std::uint32_t streamed) {
    out_->readCost[copyClassOf(kBytes, false)][0].store(cached);
    out_->readCost[copyClassOf(kBytes, false)][1].store(streamed);
  }

 private:
  std::unique_ptr<Mailbox> out_;
  BounceCopier copier_;
  std::vector<std::byte> from_;
  std::vector<std::byte> slot_;
};

/// More than writing 4 KiB can cost, so that the reader's word decides.
constexpr std::uint32_t kDear = 1U << 31;

TEST(BounceCopy, FirstMessages_TryBothWaysAndAreTimed) {
  Link link;
  const Tally tally = link.copyMany(kFirst);
  EXPECT_EQ(tally.streamed, kFirst / 2);
  EXPECT_EQ(tally.timed, kFirst);
}

TEST(BounceCopy, ReaderFindsTheCacheCheaper_GoesThroughItButForTrials) {
  Link link;
  link.readerSays(1, kDear);
  link.copyMany(kFirst);
  const Tally tally = link.copyMany(1024);
  EXPECT_EQ(tally.streamed, 1024 / 128);
  EXPECT_EQ(tally.timed, 1024 / 16);
}

TEST(BounceCopy, ReaderFindsMemoryCheaper_GoesAroundTheCacheButForTrials) {
  Link link;
  link.readerSays(kDear, 1);
  link.copyMany(kFirst);
  EXPECT_EQ(link.copyMany(1024).streamed, 1024 - 1024 / 128);
}

TEST(BounceCopy, ReaderChangesItsMind_IsFollowed) {
  Link link;
  link.readerSays(1, kDear);
  link.copyMany(256);
  link.readerSays(kDear, 1);
  EXPECT_EQ(link.copyMany(1024).streamed, 1024 - 1024 / 128);
}

TEST(BounceCopy, ReaderSaysNothing_GoesAroundTheCache) {
  Link link;
  link.copyMany(kFirst);
  EXPECT_EQ(link.copyMany(1024).streamed, 1024 - 1024 / 128);
}

TEST(BounceCopy, WhatIsKnownOfOneSize_SaysNothingOfAnother) {
  Link link;
  link.readerSays(1, kDear);
  link.copyMany(2 * kFirst);
  for (const std::size_t bytes : {kBytes / 8, kBytes * 2, kBytes * 8}) {
    EXPECT_TRUE(link.copy(bytes).timed) << bytes;
    EXPECT_NE(link.copy(bytes).streamed, link.copy(bytes).streamed) << bytes;
  }
}

TEST(BounceCopy, CallThatLeavesTheCache_LearnsForItself) {
  Link link;
  for (int i = 0; i < 2 * kFirst; ++i) link.copy(kMost);
  EXPECT_TRUE(link.copy(kMost, true).timed);
  EXPECT_NE(copyClassOf(kMost, true), copyClassOf(kMost, false));
}

TEST(BounceCopy, ToldWhichWay_GoesThereUntimed) {
  Link link;
  for (const Path stream : {Path::on, Path::off}) {
    const CopyMarks marks = link.copy(kBytes, false, stream);
    EXPECT_EQ(marks.streamed, stream == Path::on);
    EXPECT_FALSE(marks.timed);
  }
}

TEST(BounceCopy, ReadersWord_ReachesTheClassOfTheMessage) {
  Mailbox box{};
  noteReading(box, {true, true, 4}, nanoseconds(4096), 4096);
  EXPECT_NEAR(box.readCost[4][1].load(), 1000, 1);
  EXPECT_EQ(box.readCost[4][0].load(), 0U);
  EXPECT_EQ(box.readCost[3][1].load(), 0U);
}

TEST(BounceCopy, Marks_SurviveTheFlag) {
  for (const bool streamed : {false, true}) {
    for (const bool timed : {false, true}) {
      const CopyMarks marks = CopyMarks::of(CopyMarks{streamed, timed, 3}.bits());
      EXPECT_EQ(marks.streamed, streamed);
      EXPECT_EQ(marks.timed, timed);
      EXPECT_EQ(marks.kind, 3);
    }
  }
}

TEST(BounceCopy, MarksThatNobodyWrites_AreOfSomeClass) {
  EXPECT_LT(CopyMarks::of(~0ULL).kind, kCopyClasses);
}

TEST(BlendedCost, FirstSample_IsTakenAsItIs) {
  EXPECT_NEAR(blendedCost(0, nanoseconds(4096), 4096), 1000, 1);
}

TEST(BlendedCost, SameSampleAgainAndAgain_Stays) {
  std::uint32_t cost = blendedCost(0, nanoseconds(4096), 4096);
  for (int i = 0; i < 100; ++i) cost = blendedCost(cost, nanoseconds(4096), 4096);
  EXPECT_NEAR(cost, 1000, 5);
}

TEST(BlendedCost, CoreTakenAway_CountsLittle) {
  EXPECT_LE(blendedCost(1000, std::chrono::seconds(1), 4096), 1126U);
}

TEST(BlendedCost, LessThanKnown_IsTakenAtOnceAndMoreInTime) {
  std::uint32_t cost = blendedCost(9000, nanoseconds(4096), 4096);
  EXPECT_NEAR(cost, 1000, 1);
  for (int i = 0; i < 100; ++i) cost = blendedCost(cost, nanoseconds(4096 * 5), 4096);
  EXPECT_NEAR(cost, 5000, 10);
}

TEST(BlendedCost, NothingMeasurable_IsStillKnown) {
  EXPECT_GT(blendedCost(0, nanoseconds(0), 1 << 20), 0U);
  EXPECT_GT(blendedCost(1, nanoseconds(0), 1 << 20), 0U);
}

}  // namespace
}  // namespace atl::exec
