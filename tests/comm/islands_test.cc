// SPDX-License-Identifier: Apache-2.0
// The topology that communicators hold: from a file, from what processes were told, and after a split.
#include "src/comm/islands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/rank_threads.h"

namespace atl {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Islands : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("atoll-comm-islands-{}", ::getpid());
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Settings with a file of its own name, for a file is read once in a process.
  [[nodiscard]] Settings settingsWith(std::string_view levels, std::string_view more = "") const {
    const auto path = folder_ / fmt::format("{}.yaml", testing::UnitTest::GetInstance()->current_test_info()->name());
    std::ofstream(path) << fmt::format("{{atoll-topology: 1, name: told, levels: [{}]{}}}", levels, more);
    Settings settings = test::testSettings();
    settings.topologyFile = path;
    return settings;
  }

  std::filesystem::path folder_;
};

constexpr const char* kTwoHosts =
    "{name: host, kind: switch, members: [4, 2], labels: [ada, bea]}, {name: net, kind: switch, members: 2}";

TEST_F(Islands, WithoutBeingTold_ThreadsAreOnOneHost) {
  const auto ranks = test::communicators(3, test::testSettings());
  const Topology& topology = ranks[0]->topology();
  EXPECT_EQ(topology.ranks(), 3);
  EXPECT_EQ(topology.level(topology.hierarchy().levels() - 1).name, "host");
}

TEST_F(Islands, File_PlacesTheRanksAndOneCopyServesAll) {
  const auto ranks = test::communicators(6, settingsWith(kTwoHosts, ", placement: by-island"));
  const Topology& topology = ranks[0]->topology();
  EXPECT_EQ(topology.name(), "told");
  EXPECT_EQ(topology.hierarchy().commonLevel(1, 3), 0);
  EXPECT_EQ(topology.hierarchy().commonLevel(0, 1), 1);
  for (const auto& rank : ranks) EXPECT_EQ(&rank->topology(), &topology);
}

TEST_F(Islands, Split_KeepsWhereItsMembersAre) {
  auto ranks = test::communicators(6, settingsWith(kTwoHosts));
  std::vector<std::unique_ptr<Communicator>> parts(6);
  test::onThreads(6, [&](Rank r) {
    auto part = ranks[static_cast<std::size_t>(r)]->split(r % 2, -r, test::testSettings());
    ASSERT_TRUE(part.ok()) << part.error().text;
    parts[static_cast<std::size_t>(r)] = std::move(part).value();
  });
  const Topology& odd = parts[1]->topology();  // old ranks 5, 3, 1
  EXPECT_EQ(&parts[3]->topology(), &odd);
  ASSERT_EQ(odd.ranks(), 3);
  EXPECT_EQ(odd.label(0, odd.hierarchy().groupOf(0, 0)), "bea");
  EXPECT_EQ(odd.hierarchy().commonLevel(1, 2), 0);
}

TEST_F(Islands, FileThatCannotBeRead_IsNamedWithItsLine) {
  const Settings settings = settingsWith("{name: host, kind: star}");
  const auto made = Communicator::create(Session::local(2, settings), 0, settings);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().text, AllOf(HasSubstr("ATOLL_TOPOLOGY: "), HasSubstr(".yaml:1:"), HasSubstr("'star'")));
}

TEST_F(Islands, OfAnotherNumberOfRanks_FileOnlyDescribes) {
  const auto ranks = test::communicators(3, settingsWith(kTwoHosts));
  EXPECT_EQ(ranks[0]->topology().ranks(), 3);
  EXPECT_EQ(ranks[0]->topology().hierarchy().groups(0), 1);
}

TEST(IslandsOfProcesses, DifferentFiles_AreAMismatchThatNamesBoth) {
  Directory directory;
  directory.processes.resize(3);
  directory.processOf = {0, 1, 2};
  for (std::size_t p = 0; p < 3; ++p) {
    directory.processes[p].hostName = fmt::format("n{}", p);
    directory.processes[p].topology = p < 2 ? 0xabc : 0;
  }
  const auto topology = topologyOf(directory, Settings(), 4711);
  ASSERT_FALSE(topology.ok());
  EXPECT_EQ(topology.error().code, ErrorCode::mismatch);
  EXPECT_THAT(topology.error().text, AllOf(HasSubstr("rank 0 (host n0"), HasSubstr("a file of hash 0000000000000abc"),
                                           HasSubstr("rank 2 (host n2"), HasSubstr("no file that can be read")));
}

TEST(IslandsOfProcesses, NetworkComesFromTheirPorts) {
  Directory directory;
  directory.processes.resize(4);
  directory.processOf = {0, 1, 2, 3};
  for (std::size_t p = 0; p < 4; ++p) {
    directory.processes[p].host = p / 2;
    directory.processes[p].rails = 2;
    directory.processes[p].megabits = 100000;
  }
  const auto topology = topologyOf(directory, Settings(), 4712);
  ASSERT_TRUE(topology.ok()) << topology.error().text;
  EXPECT_DOUBLE_EQ((*topology)->uplinkRate(1, 0), 25e9);
}

}  // namespace
}  // namespace atl
