// SPDX-License-Identifier: Apache-2.0
// Sessions between processes, when all goes well.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "src/bootstrap/handshake.h"
#include "src/bootstrap/session.h"
#include "src/bootstrap/socket.h"
#include "tests/bootstrap/member_process.h"

namespace atl {
namespace {

using test::MemberProcess;

/// The ranks of process p when each has `each`.
std::string ranksOf(int process, int each) {
  std::string text;
  for (int i = 0; i < each; ++i) text += (i == 0 ? "" : ",") + std::to_string(process * each + i);
  return text;
}

std::string joinCommand(const std::string& ids, int ranks, const std::string& mine) {
  return "join " + ids + " " + std::to_string(ranks) + " " + mine + " 30";
}

void awaitAll(std::vector<MemberProcess>& members, int each, const std::string& word) {
  for (auto& member : members) {
    for (int i = 0; i < each; ++i) member.await(word + " ");
  }
}

void tellAll(std::vector<MemberProcess>& members, const std::string& command) {
  for (auto& member : members) member.tell(command);
}

/// Every process ends well and none took a goodbye for a death, or had any error.
void finishAll(std::vector<MemberProcess>& members) {
  for (auto& member : members) {
    EXPECT_EQ(member.finish(), 0);
    EXPECT_FALSE(test::contains(member.heard(), "died")) << ::testing::PrintToString(member.heard());
    EXPECT_FALSE(test::contains(member.heard(), "error")) << ::testing::PrintToString(member.heard());
  }
}

class Processes : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(Processes, JoinGatherSplitStreamAndLeave) {
  const auto [processes, each] = GetParam();
  std::vector<MemberProcess> members(static_cast<std::size_t>(processes));
  const std::string id = members[0].askId();
  for (int p = 0; p < processes; ++p)
    members[static_cast<std::size_t>(p)].tell(joinCommand(id, processes * each, ranksOf(p, each)));
  awaitAll(members, each, "joined");
  for (const char* command : {"gather", "gather", "subset 2", "subset 1", "stream tcp", "stream local", "leave"})
    tellAll(members, command);
  for (const char* word : {"gathered", "gathered", "subset", "subset", "streamed", "streamed", "left"})
    awaitAll(members, each, word);
  finishAll(members);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Processes,
                         ::testing::Values(std::tuple(2, 1), std::tuple(2, 3), std::tuple(3, 1), std::tuple(4, 2),
                                           std::tuple(9, 3), std::tuple(12, 1)),
                         [](const auto& shape) {
                           return std::to_string(std::get<0>(shape.param)) + "x" +
                                  std::to_string(std::get<1>(shape.param));
                         });

TEST(Rendezvous, OfAProcessWithoutRanks_BringsTheOthersTogether) {
  const auto id = openRendezvous(Settings{});
  ASSERT_TRUE(id.ok()) << id.error().text;
  std::string hex;
  for (const auto byte : id->bytes) hex += fmt::format("{:02x}", byte);
  std::vector<MemberProcess> members(3);
  for (int p = 0; p < 3; ++p) members[static_cast<std::size_t>(p)].tell(joinCommand(hex, 3, std::to_string(p)));
  awaitAll(members, 1, "joined");
  tellAll(members, "gather");
  awaitAll(members, 1, "gathered");
  tellAll(members, "leave");
  awaitAll(members, 1, "left");
  finishAll(members);
}

TEST(Rendezvous, WithSeveralIds_IsOneGroup) {
  constexpr int kProcesses = 7;
  std::vector<MemberProcess> members(kProcesses);
  const std::string ids = members[0].askId() + "," + members[3].askId() + "," + members[5].askId();
  for (int p = 0; p < kProcesses; ++p)
    members[static_cast<std::size_t>(p)].tell(joinCommand(ids, 2 * kProcesses, ranksOf(p, 2)));
  awaitAll(members, 2, "joined");
  for (const char* command : {"gather", "subset 3", "leave"}) tellAll(members, command);
  for (const char* word : {"gathered", "subset", "left"}) awaitAll(members, 2, word);
  finishAll(members);
}

TEST(Rendezvous, RanksOfAProcessMayComeLate_AndIdsMayServeAgain) {
  std::vector<MemberProcess> members(2);
  const std::string id = members[0].askId();
  for (int round = 0; round < 2; ++round) {
    members[1].tell(joinCommand(id, 3, "2,0"));
    members[0].tell(joinCommand(id, 3, "1"));
    members[0].await("joined 1");
    members[1].await("joined");
    members[1].await("joined");
    tellAll(members, "gather");
    members[0].await("gathered 1");
    members[1].await("gathered");
    members[1].await("gathered");
  }
  tellAll(members, "leave");
  finishAll(members);
}

/// A port of this host that is free now.
std::string freePort() {
  NetAddress loopback;
  loopback.ip[10] = loopback.ip[11] = 0xff;
  loopback.ip[12] = 127;
  loopback.ip[15] = 1;
  const auto fd = listenOn(loopback);
  EXPECT_TRUE(fd.ok());
  return std::to_string(*boundPort(fd->get()));
}

TEST(RendezvousAt, GuestsMayComeBeforeTheHost) {
  std::vector<MemberProcess> members(3);
  const std::string address = "127.0.0.1:" + freePort();
  const std::string guestId = members[1].askId("at " + address + " lagoon guest");
  members[1].tell(joinCommand(guestId, 3, "1"));
  members[2].tell(joinCommand(guestId, 3, "2"));
  const std::string hostId = members[0].askId("at " + address + " lagoon host");
  members[0].tell(joinCommand(hostId, 3, "0"));
  awaitAll(members, 1, "joined");
  tellAll(members, "gather");
  awaitAll(members, 1, "gathered");
  tellAll(members, "leave");
  finishAll(members);
}

TEST(RendezvousAt, WrongAddresses_AreNamed) {
  const auto text = [](const std::string& address) {
    const auto id = rendezvousAt(address, "s", false, Settings{});
    return id.ok() ? std::string("accepted") : id.error().text;
  };
  EXPECT_NE(text("nowhere").find("'nowhere' is not host:port"), std::string::npos);
  EXPECT_NE(text("127.0.0.1:0").find("'0' is not a port"), std::string::npos);
  EXPECT_NE(text("127.0.0.1:66000").find("'66000' is not a port"), std::string::npos);
}

TEST(Leaving, OfTheRootFirst_IsNoDeath) {
  std::vector<MemberProcess> members(10);
  const std::string id = members[0].askId();
  for (int p = 0; p < 10; ++p) members[static_cast<std::size_t>(p)].tell(joinCommand(id, 10, std::to_string(p)));
  awaitAll(members, 1, "joined");
  for (auto& member : members) {
    member.tell("leave");
    member.await("left");
    EXPECT_EQ(member.finish(), 0);
    EXPECT_FALSE(test::contains(member.heard(), "died")) << ::testing::PrintToString(member.heard());
  }
}

TEST(Fork, AfterTheStart_IsAnErrorInTheChild) {
  ASSERT_TRUE(openRendezvous(Settings{}).ok());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto id = openRendezvous(Settings{});
    ::_exit(!id.ok() && id.error().code == ErrorCode::invalidUsage ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace atl
