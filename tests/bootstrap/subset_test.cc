// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
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

TEST(Subset, HalvesOfOneProcess_AreSessionsOfTheirOwn) {
  const auto parent = Session::local(6, Settings{});
  std::vector<std::uint64_t> numbers(6);
  asThreads(6, [&](Rank rank) {
    std::vector<Rank> members;
    for (Rank r = 4 + rank % 2; r >= 0; r -= 2) members.push_back(r);  // reversed: 4 2 0 and 5 3 1
    auto half = parent->subset(rank, members, 1, soon());
    ASSERT_TRUE(half.ok()) << half.error().text;
    numbers[static_cast<std::size_t>(rank)] = (*half)->communicator();
    const Rank me = 2 - rank / 2;
    std::vector<std::byte> mine(sizeof rank);
    std::memcpy(mine.data(), &rank, sizeof rank);
    const auto table = (*half)->allGather(me, mine, soon());
    ASSERT_TRUE(table.ok()) << table.error().text;
    EXPECT_EQ(std::memcmp(table->data(), members.data(), table->size()), 0) << "in the order of the new ranks";
    (*half)->leave(me);
  });
  EXPECT_EQ(numbers[0], numbers[2]);
  EXPECT_EQ(numbers[1], numbers[3]);
  EXPECT_NE(numbers[0], numbers[1]);
  EXPECT_NE(numbers[0], parent->communicator());
}

TEST(Subset, OtherSerial_IsAnotherCommunicator) {
  const auto parent = Session::local(1, Settings{});
  const std::vector<Rank> all = {0};
  const auto first = parent->subset(0, all, 1, soon());
  const auto second = parent->subset(0, all, 2, soon());
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE((*first)->communicator(), (*second)->communicator());
}

TEST(Subset, WrongMembers_AreRefused) {
  const auto parent = Session::local(3, Settings{});
  const auto text = [&](Rank me, std::vector<Rank> members) {
    const auto result = parent->subset(me, members, 1, soon());
    return result.ok() ? std::string("accepted") : result.error().text;
  };
  EXPECT_NE(text(0, {0, 3}).find("member 3"), std::string::npos);
  EXPECT_NE(text(0, {0, 1, 1}).find("rank 1 is listed twice"), std::string::npos);
  EXPECT_NE(text(2, {0, 1}).find("rank 2 is not among the members"), std::string::npos);
}

TEST(Subset, MemberThatDoesNotCome_IsATimeout) {
  const auto parent = Session::local(2, Settings{});
  const std::vector<Rank> all = {0, 1};
  const auto result = parent->subset(0, all, 1, Deadline::inSeconds(0.2));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::timeout);
}

}  // namespace
}  // namespace atl
