// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/assembly.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/bootstrap/rank_list.h"

namespace atl {
namespace {

ProcessInfo process(std::uint64_t id, const char* host, int pid) {
  ProcessInfo info;
  info.id = id;
  info.hostName = host;
  info.pid = pid;
  return info;
}

TEST(Assembly, IsCompleteWhenEveryRankHasComeOnce) {
  Assembly assembly;
  assembly.addProcess(process(1, "a", 10));
  assembly.addProcess(process(2, "b", 20));
  EXPECT_TRUE(assembly.addRank(2, 1, 3).ok());
  EXPECT_TRUE(assembly.addRank(1, 0, 3).ok());
  EXPECT_FALSE(assembly.complete());
  EXPECT_EQ(assembly.missing(), "rank 2 of 3");
  EXPECT_TRUE(assembly.addRank(2, 2, 3).ok());
  ASSERT_TRUE(assembly.complete());
  const auto directory = assembly.directory({});
  EXPECT_EQ(directory.processOf, (std::vector<std::uint32_t>{0, 1, 1}));
  EXPECT_EQ(directory.name(2), "rank 2 (host b, pid 20)");
}

TEST(Assembly, Errors_NameBothSides) {
  Assembly assembly;
  assembly.addProcess(process(1, "a", 10));
  assembly.addProcess(process(2, "b", 20));
  ASSERT_TRUE(assembly.addRank(1, 0, 3).ok());
  EXPECT_EQ(assembly.addRank(2, 0, 3).error().text, "rank 0 came twice: from host a, pid 10, and from host b, pid 20");
  EXPECT_EQ(assembly.addRank(2, 1, 4).error().text,
            "rank 1 (host b, pid 20) was started for 4 ranks, rank 0 (host a, pid 10) for 3");
  EXPECT_EQ(assembly.addRank(2, 3, 3).error().text,
            "rank 3 (host b, pid 20) is out of range: there are 3 ranks, from 0");
  EXPECT_EQ(assembly.addRank(2, -1, 3).error().text,
            "rank -1 (host b, pid 20) is out of range: there are 3 ranks, from 0");
  EXPECT_FALSE(assembly.addRank(3, 1, 3).ok()) << "a process that nobody announced";
}

TEST(RankList, RunsAreJoined_AndManyAreCut) {
  EXPECT_EQ(textOfRanks(std::vector<Rank>{3}), "rank 3");
  EXPECT_EQ(textOfRanks(std::vector<Rank>{3, 5, 6, 7}), "ranks 3, 5-7");
  std::vector<Rank> odd;
  for (Rank rank = 1; rank < 100; rank += 2) odd.push_back(rank);
  EXPECT_TRUE(textOfRanks(odd).ends_with("29, 31 and 34 more")) << textOfRanks(odd);
}

}  // namespace
}  // namespace atl
