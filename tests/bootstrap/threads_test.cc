// SPDX-License-Identifier: Apache-2.0
// Sessions whose ranks are threads of one process.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "src/bootstrap/session.h"
#include "tests/bootstrap/crew.h"

namespace atl {
namespace {

using test::asThreads;

Deadline soon() {
  return Deadline::inSeconds(20);
}

std::vector<std::byte> share(Rank rank, std::size_t size) {
  return std::vector<std::byte>(size, static_cast<std::byte>(rank % 251));
}

void expectTable(const Result<std::vector<std::byte>>& table, Rank ranks, std::size_t size) {
  ASSERT_TRUE(table.ok()) << table.error().text;
  ASSERT_EQ(table->size(), static_cast<std::size_t>(ranks) * size);
  for (std::size_t i = 0; i < table->size(); ++i) {
    ASSERT_EQ((*table)[i], static_cast<std::byte>(static_cast<Rank>(i / size) % 251)) << "byte " << i;
  }
}

class JoinAsThreads : public ::testing::TestWithParam<Rank> {};

TEST_P(JoinAsThreads, AllRanks_ShareOneDirectoryAndGather) {
  const Rank ranks = GetParam();
  const auto id = openRendezvous(Settings{});
  ASSERT_TRUE(id.ok()) << id.error().text;
  std::vector<std::uint64_t> numbers(static_cast<std::size_t>(ranks));
  asThreads(ranks, [&](Rank rank) {
    const std::array ids = {*id};
    auto session = Session::join(ids, rank, ranks, Settings{}, soon());
    ASSERT_TRUE(session.ok()) << session.error().text;
    EXPECT_EQ((*session)->directory().ranks(), ranks);
    EXPECT_TRUE((*session)->directory().sameProcess(0, rank));
    numbers[static_cast<std::size_t>(rank)] = (*session)->communicator();
    expectTable((*session)->allGather(rank, share(rank, 3), soon()), ranks, 3);
    expectTable((*session)->allGather(rank, share(rank, 8), soon()), ranks, 8);
    (*session)->leave(rank);
  });
  for (const auto number : numbers) EXPECT_EQ(number, numbers.front());
}

INSTANTIATE_TEST_SUITE_P(Ranks, JoinAsThreads, ::testing::Values(1, 2, 3, 17, 256, 1000));

TEST(LocalSession, GathersWithoutAnyJoining) {
  const auto session = Session::local(5, Settings{});
  asThreads(5, [&](Rank rank) { expectTable(session->allGather(rank, share(rank, 4), soon()), 5, 4); });
}

TEST(LocalSession, TwoSessions_HaveDifferentCommunicators) {
  EXPECT_NE(Session::local(1, Settings{})->communicator(), Session::local(1, Settings{})->communicator());
}

TEST(LocalSession, SharesOfDifferentSizes_AreAnErrorOnEveryRank) {
  const auto session = Session::local(3, Settings{});
  asThreads(3, [&](Rank rank) {
    const auto table = session->allGather(rank, share(rank, rank == 1 ? 5 : 4), soon());
    ASSERT_FALSE(table.ok());
    EXPECT_EQ(table.error().code, ErrorCode::mismatch);
    EXPECT_NE(table.error().text.find("different sizes"), std::string::npos) << table.error().text;
  });
}

TEST(LocalSession, AbsentRank_TimesOutAndIsNamed) {
  const auto session = Session::local(4, Settings{});
  asThreads(3, [&](Rank rank) {
    const auto table = session->allGather(rank, share(rank, 4), Deadline::inSeconds(0.2));
    ASSERT_FALSE(table.ok());
    EXPECT_EQ(table.error().code, ErrorCode::timeout);
    EXPECT_NE(table.error().text.find("rank 3 of this process did not take part"), std::string::npos)
        << table.error().text;
  });
}

TEST(LocalSession, DepartedRank_EndsAGatherAtOnce) {
  const auto session = Session::local(2, Settings{});
  session->leave(1);
  const auto table = session->allGather(0, share(0, 4), Deadline::never());
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code, ErrorCode::remoteError);
  EXPECT_NE(table.error().text.find("rank 1 (host"), std::string::npos) << table.error().text;
}

TEST(LocalSession, WhatARankLeavesBehind_StaysUntilTheLastHasLeft) {
  const auto session = Session::local(2, Settings{});
  auto kept = std::make_shared<int>();
  const std::weak_ptr<int> seen = kept;
  session->leave(1, std::move(kept));
  EXPECT_FALSE(seen.expired());
  session->leave(0);
  EXPECT_TRUE(seen.expired());
}

TEST(JoinErrors, MissingRanks_AreNamedToAllWhoWait) {
  const auto id = openRendezvous(Settings{});
  ASSERT_TRUE(id.ok());
  std::mutex mutex;
  std::vector<std::string> texts;
  asThreads(3, [&](Rank rank) {
    const std::array ids = {*id};
    const auto session = Session::join(ids, rank, 8, Settings{}, Deadline::inSeconds(0.3));
    ASSERT_FALSE(session.ok());
    EXPECT_EQ(session.error().code, ErrorCode::timeout);
    const std::lock_guard lock(mutex);
    texts.push_back(session.error().text);
  });
  ASSERT_EQ(texts.size(), 3U);
  EXPECT_NE(texts[0].find("ranks 3-7 of 8 did not come within"), std::string::npos) << texts[0];
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_EQ(texts[0], texts[2]);
}

TEST(JoinErrors, RankThatComesTwice_IsNamed) {
  const auto id = openRendezvous(Settings{});
  ASSERT_TRUE(id.ok());
  asThreads(2, [&](Rank) {
    const std::array ids = {*id};
    const auto session = Session::join(ids, 1, 3, Settings{}, soon());
    ASSERT_FALSE(session.ok());
    EXPECT_NE(session.error().text.find("rank 1 came twice: from host"), std::string::npos) << session.error().text;
  });
}

TEST(JoinErrors, RanksThatDisagreeOnTheirNumber_AreBothNamed) {
  const auto id = openRendezvous(Settings{});
  ASSERT_TRUE(id.ok());
  asThreads(2, [&](Rank rank) {
    const std::array ids = {*id};
    const auto session = Session::join(ids, rank, 4 + rank, Settings{}, soon());
    ASSERT_FALSE(session.ok());
    EXPECT_EQ(session.error().code, ErrorCode::mismatch);
    EXPECT_NE(session.error().text.find("rank 0 (host"), std::string::npos) << session.error().text;
    EXPECT_NE(session.error().text.find("rank 1 (host"), std::string::npos) << session.error().text;
  });
}

TEST(JoinErrors, RankOutOfRange_FailsEverybody) {
  const auto id = openRendezvous(Settings{});
  ASSERT_TRUE(id.ok());
  asThreads(2, [&](Rank rank) {
    const std::array ids = {*id};
    const auto session = Session::join(ids, rank == 0 ? 0 : 7, 2, Settings{}, soon());
    ASSERT_FALSE(session.ok());
    EXPECT_NE(session.error().text.find("rank 7 (host"), std::string::npos) << session.error().text;
    EXPECT_NE(session.error().text.find("out of range"), std::string::npos) << session.error().text;
  });
}

TEST(JoinErrors, BytesThatAreNoId_AreRefused) {
  UniqueId nonsense;
  nonsense.bytes.fill(0x5a);
  const auto session = Session::join(std::array{nonsense}, 0, 1, Settings{}, soon());
  ASSERT_FALSE(session.ok());
  EXPECT_EQ(session.error().code, ErrorCode::invalidArgument);
}

TEST(Notices, ReachTheOtherRanksInOrder_AlsoThoseWhoListenLater) {
  const auto session = Session::local(3, Settings{});
  std::vector<std::string> early;
  session->onNotice(0, [&](const Notice& notice) { early.push_back(notice.text); });
  Notice notice;
  notice.kind = Notice::Kind::failed;
  notice.rank = 2;
  notice.text = "rank 2 ran out of paper";
  session->spread(notice);
  session->leave(1);
  std::vector<std::string> late;
  session->onNotice(2, [&](const Notice& n) { late.push_back(n.text); });
  ASSERT_EQ(early.size(), 2U);
  EXPECT_EQ(early[0], "rank 2 ran out of paper");
  EXPECT_NE(early[1].find("rank 1 (host"), std::string::npos);
  EXPECT_NE(early[1].find("has left"), std::string::npos);
  ASSERT_EQ(late.size(), 1U) << "a rank is not told of its own failure";
  EXPECT_EQ(late[0], early[1]);
}

TEST(Notices, RemovedHandler_IsNotCalledAgain) {
  const auto session = Session::local(2, Settings{});
  std::atomic<int> calls = 0;
  session->onNotice(0, [&](const Notice&) { ++calls; });
  session->onNotice(0, nullptr);
  session->leave(1);
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace atl
