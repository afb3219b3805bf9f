// SPDX-License-Identifier: Apache-2.0
#include "transports/inproc/inproc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "tests/transports/memory_link_conformance.h"
#include "transports/inproc/meeting_place.h"

namespace atl {
namespace {

/// A communicator whose ranks all live in this process.
class Group {
 public:
  Group(std::uint64_t communicator, Rank ranks) {
    directory_.processes.resize(1);
    directory_.processOf.resize(static_cast<std::size_t>(ranks));
    for (Rank rank = 0; rank < ranks; ++rank) {
      TransportContext context;
      context.communicator = communicator;
      context.rank = rank;
      context.directory = &directory_;
      context.settings = &settings_;
      transports_.push_back(makeInproc(context));
    }
  }
  Transport& of(Rank rank) { return *transports_[static_cast<std::size_t>(rank)]; }
  void drop(Rank rank) { transports_[static_cast<std::size_t>(rank)].reset(); }
  MemoryLink link(Rank me, Rank peer, int lane = 0) {
    auto pending = of(me).connect(peer, lane);
    const auto ready = pending->poll();
    EXPECT_TRUE(ready.ok() && *ready);
    return std::get<MemoryLink>(pending->take());
  }
  test::LinkedPair pair(int lane = 0) { return {link(0, 1, lane), link(1, 0, lane)}; }

 private:
  Settings settings_;
  Directory directory_;
  std::vector<std::unique_ptr<Transport>> transports_;
};

TEST(InprocLink, CarriesMixedMessagesInOrder) {
  Group group(1, 2);
  auto pair = group.pair();
  test::carriesMixedMessages(pair, 5000);
}

TEST(InprocLink, WrapsAroundItsSlots) {
  Group group(1, 2);
  auto pair = group.pair();
  test::wrapsAround(pair, 70000);
}

TEST(InprocLink, HoldsAtMostItsSlots) {
  Group group(1, 2);
  auto pair = group.pair();
  test::holdsAtMostItsSlots(pair);
}

TEST(InprocLink, ShowsTheCall) {
  Group group(1, 2);
  auto pair = group.pair();
  test::showsTheCall(pair);
}

TEST(InprocLink, IsReadyBeforeTheOtherEndComes) {
  Group group(1, 2);
  const auto first = group.link(1, 0);
  first.out->slots[1].tag = 99;
  const auto second = group.link(0, 1);
  EXPECT_EQ(second.in, first.out);
  EXPECT_EQ(second.out, first.in);
  EXPECT_EQ(second.in->slots[1].tag, 99U);
  EXPECT_TRUE(first.sameProcess);
}

TEST(InprocLink, LanesAndPairsAreApart) {
  Group group(1, 3);
  const auto a = group.link(0, 1, 0);
  const auto b = group.link(0, 1, 1);
  const auto c = group.link(0, 2, 0);
  EXPECT_NE(a.out, b.out);
  EXPECT_NE(a.out, c.out);
  EXPECT_NE(b.out, c.out);
}

TEST(InprocLink, CommunicatorsAreApart) {
  Group one(1, 2);
  Group two(2, 2);
  EXPECT_NE(one.link(0, 1).out, two.link(0, 1).out);
}

TEST(InprocLink, WhatARankSentBeforeItLeftArrives) {
  Group group(1, 2);
  {
    const auto mine = group.link(0, 1);
    mine.out->slots[1].tag = 77;
  }
  group.drop(0);
  const auto theirs = group.link(1, 0);
  EXPECT_EQ(theirs.in->slots[1].tag, 77U);
}

TEST(InprocLink, AskingTwiceForOneLaneIsAnError) {
  Group group(1, 2);
  const auto first = group.link(0, 1, 3);
  const auto second = group.of(0).connect(1, 3)->poll();
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().text, testing::HasSubstr("rank 0 asked twice for lane 3 to rank 1"));
}

TEST(InprocLink, RegionGoesWithItsSecondLink) {
  Group group(1, 2);
  auto pair = group.pair();
  const std::weak_ptr<void> region = pair.lower.keepAlive;
  pair.lower = {};
  EXPECT_FALSE(region.expired());
  pair.higher = {};
  EXPECT_TRUE(region.expired());
}

TEST(Inproc, NothingOfACommunicatorIsLeftWhenAllItsRanksHaveGone) {
  const auto before = MeetingPlace::places();
  std::weak_ptr<void> unmet;
  {
    Group group(5, 3);
    unmet = group.link(0, 1).keepAlive;  // rank 1 never asks for its end
    EXPECT_EQ(MeetingPlace::places(), before + 1);
    EXPECT_FALSE(unmet.expired());
  }
  EXPECT_EQ(MeetingPlace::places(), before);
  EXPECT_TRUE(unmet.expired());
}

TEST(Inproc, AThousandRanksLinkFromTheirOwnThreads) {
  constexpr Rank kRanks = 1000;
  Group group(9, kRanks);
  std::vector<MemoryLink> up(kRanks);
  std::vector<MemoryLink> down(kRanks);
  std::vector<std::thread> threads;
  for (Rank rank = 0; rank < kRanks; ++rank) {
    threads.emplace_back([&, rank] {
      up[static_cast<std::size_t>(rank)] = group.link(rank, (rank + 1) % kRanks);
      down[static_cast<std::size_t>(rank)] = group.link(rank, (rank + kRanks - 1) % kRanks);
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t rank = 0; rank < kRanks; ++rank) {
    const auto& peer = down[(rank + 1) % kRanks];
    ASSERT_EQ(up[rank].out, peer.in);
    ASSERT_EQ(up[rank].in, peer.out);
  }
}

TEST(Inproc, JoinsOnlyRanksOfOneProcess) {
  Group group(1, 1);
  ProcessInfo a;
  ProcessInfo b;
  a.id = 1;
  b.id = 2;
  EXPECT_EQ(group.of(0).whyNot(a, a), "");
  EXPECT_EQ(group.of(0).whyNot(a, b), "not in one process");
}

}  // namespace
}  // namespace atl
