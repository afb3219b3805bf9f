// SPDX-License-Identifier: Apache-2.0
// Sessions between processes, when something goes wrong: every rank that is left hears of it, by name.
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "tests/bootstrap/member_process.h"

namespace atl {
namespace {

using test::MemberProcess;

std::string joinCommand(const std::string& ids, int ranks, const std::string& mine, const std::string& limit = "30") {
  return "join " + ids + " " + std::to_string(ranks) + " " + mine + " " + limit;
}

TEST(JoinErrors, MissingRanks_AreNamedInEveryProcess) {
  std::vector<MemberProcess> members(3);
  const std::string id = members[0].askId();
  members[0].tell(joinCommand(id, 9, "0,1", "1.5"));
  members[1].tell(joinCommand(id, 9, "4", "1.5"));
  members[2].tell(joinCommand(id, 9, "8", "1.5"));
  for (auto& member : members) {
    const auto line = member.await("error");
    EXPECT_NE(line.find("ranks 2-3, 5-7 of 9 did not come within"), std::string::npos) << line;
  }
}

TEST(JoinErrors, RankOfTwoProcesses_IsNamedWithBoth) {
  std::vector<MemberProcess> members(3);
  const std::string id = members[0].askId();
  for (int p = 0; p < 3; ++p) members[static_cast<std::size_t>(p)].tell(joinCommand(id, 4, p == 0 ? "0" : "2"));
  for (auto& member : members) {
    const auto line = member.await("error");
    EXPECT_NE(line.find("rank 2 came twice"), std::string::npos) << line;
    for (const int p : {1, 2}) {
      EXPECT_NE(line.find("pid " + std::to_string(members[static_cast<std::size_t>(p)].pid())), std::string::npos)
          << line;
    }
  }
}

TEST(JoinErrors, OtherNumberOfRanks_IsNamedWithBoth) {
  std::vector<MemberProcess> members(2);
  const std::string id = members[0].askId();
  members[0].tell(joinCommand(id, 4, "0"));
  members[1].tell(joinCommand(id, 5, "1"));
  for (auto& member : members) {
    const auto line = member.await("error");
    EXPECT_NE(line.find("for 4"), std::string::npos) << line;
    EXPECT_NE(line.find("for 5"), std::string::npos) << line;
  }
}

TEST(JoinErrors, ProcessThatDiesMeanwhile_EndsTheWaiting) {
  std::vector<MemberProcess> members(2);
  const std::string id = members[0].askId();
  members[0].tell(joinCommand(id, 3, "0", "3"));
  members[1].tell(joinCommand(id, 3, "1", "3"));
  // Whether rank 1 has come by now or not, it never answers again: the other hears that it went, or that it did not
  // come.
  members[1].kill(SIGKILL);
  const auto line = members[0].await("error");
  EXPECT_TRUE(line.find("went before all ranks were there") != std::string::npos ||
              line.find("ranks 1-2 of 3 did not come") != std::string::npos)
      << line;
}

TEST(JoinErrors, RendezvousThatIsGone_IsSaidSoon) {
  std::vector<MemberProcess> members(2);
  const std::string id = members[0].askId();
  members[0].finish();
  members[1].tell(joinCommand(id, 2, "1"));
  const auto line = members[1].await("error");
  EXPECT_NE(line.find("no connection to the rendezvous"), std::string::npos) << line;
}

class KilledOf : public ::testing::TestWithParam<int> {};

/// Ten processes: the root, its eight children, and a grandchild; which process is where depends on who came first, so
/// each of them is the victim once.
TEST_P(KilledOf, Ten_IsNamedToAllOthers_WhoGoOnWithoutIt) {
  const int victim = GetParam();
  std::vector<MemberProcess> members(10);
  const std::string id = members[0].askId();
  for (int p = 0; p < 10; ++p) members[static_cast<std::size_t>(p)].tell(joinCommand(id, 10, std::to_string(p)));
  for (auto& member : members) member.await("joined");
  members[static_cast<std::size_t>(victim)].kill(SIGKILL);
  std::string survivors;
  for (int p = 0; p < 10; ++p) {
    if (p == victim) continue;
    auto& member = members[static_cast<std::size_t>(p)];
    const auto line = member.await("notice " + std::to_string(p) + " died " + std::to_string(victim) + " ");
    EXPECT_NE(line.find("rank " + std::to_string(victim) + " (host "), std::string::npos) << line;
    EXPECT_NE(line.find("pid " + std::to_string(members[static_cast<std::size_t>(victim)].pid()) + ") died"),
              std::string::npos)
        << line;
    survivors += (survivors.empty() ? "" : ",") + std::to_string(p);
  }
  for (int p = 0; p < 10; ++p) {
    if (p != victim) members[static_cast<std::size_t>(p)].tell("gather");
  }
  for (int p = 0; p < 10; ++p) {
    if (p == victim) continue;
    auto& member = members[static_cast<std::size_t>(p)];
    EXPECT_NE(member.await("error").find("died"), std::string::npos)
        << "an exchange with the dead is an error, not a wait";
    member.tell("survivors " + survivors);
  }
  for (int p = 0; p < 10; ++p) {
    if (p == victim) continue;
    auto& member = members[static_cast<std::size_t>(p)];
    member.await("survives");
    EXPECT_EQ(member.finish(), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Victims, KilledOf, ::testing::Range(0, 10));

TEST(Killed, ProcessOfSeveralRanks_IsNamedWithAllOfThem) {
  std::vector<MemberProcess> members(2);
  const std::string id = members[0].askId();
  members[0].tell(joinCommand(id, 4, "0"));
  members[1].tell(joinCommand(id, 4, "1,2,3"));
  members[0].await("joined");
  members[1].await("joined");
  members[1].kill(SIGKILL);
  EXPECT_NE(members[0].await("notice 0 died 1").find("ranks 1-3 (host"), std::string::npos);
}

}  // namespace
}  // namespace atl
