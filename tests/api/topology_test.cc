// SPDX-License-Identifier: Apache-2.0
// A new topology while a communicator runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/api/world.h"

namespace atl::api {
namespace {

using testing::HasSubstr;

/// A file that goes with this.
class File {
 public:
  File(const std::string& name, const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("atoll-topology-" + std::to_string(::getpid()) + "-" + name)) {
    write(text);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove(path_); }
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  [[nodiscard]] const char* path() const { return path_.c_str(); }

 private:
  std::filesystem::path path_;
};

/// Islands of two ranks behind slow uplinks.
std::string islands(int count) {
  return "{atoll-topology: 1, levels: [{name: box, kind: switch, members: 2}, {name: net, kind: switch, members: " +
         std::to_string(count) + ", bandwidth: 10 MB/s, ports: 1 per box}]}\n";
}

std::string chosen(atollComm_t comm) {
  atollChoice_t choice{};
  choice.size = sizeof choice;
  EXPECT_EQ(atollCommGetChoice(comm, "allreduce", 64 << 20, &choice), atollSuccess) << lastError();
  return choice.algorithm;
}

/// All ranks add their numbers, from 1.
void expectSum(int ranks, int rank, atollComm_t comm) {
  std::array<int, 5000> data;
  data.fill(rank + 1);
  ASSERT_EQ(atollAllReduce(data.data(), data.data(), data.size(), atollInt, atollSum, comm, nullptr), atollSuccess)
      << lastError();
  EXPECT_THAT(data, testing::Each(ranks * (ranks + 1) / 2));
}

TEST(SetTopology, Islands_AreGoneByFromTheNextCall) {
  const File two("two", islands(2));
  World world(4);
  EXPECT_THAT(chosen(world[0]), testing::Not(HasSubstr("hierarchical")));
  world.run([&](int rank, atollComm_t comm) {
    expectSum(4, rank, comm);
    ASSERT_EQ(atollCommSetTopology(comm, two.path()), atollSuccess) << lastError();
    EXPECT_THAT(chosen(comm), HasSubstr("hierarchical"));
    expectSum(4, rank, comm);
  });
}

TEST(SetTopology, FileThatWasWrittenAnew_IsReadAnew) {
  const File file("anew", islands(2));
  World world(4);
  world.run(
      [&](int, atollComm_t comm) { ASSERT_EQ(atollCommSetTopology(comm, file.path()), atollSuccess) << lastError(); });
  file.write("{atoll-topology: 1, levels: [{name: all, kind: switch, members: 4}]}\n");
  world.run([&](int rank, atollComm_t comm) {
    ASSERT_EQ(atollCommSetTopology(comm, file.path()), atollSuccess) << lastError();
    EXPECT_THAT(chosen(comm), testing::Not(HasSubstr("hierarchical")));
    expectSum(4, rank, comm);
  });
}

TEST(SetTopology, CommunicatorsSplitOffLater_InheritIt) {
  const File four("four", islands(4));
  World world(8);
  world.run([&](int rank, atollComm_t comm) {
    ASSERT_EQ(atollCommSetTopology(comm, four.path()), atollSuccess) << lastError();
    atollComm_t part = nullptr;
    ASSERT_EQ(atollCommSplit(comm, rank / 4, rank, &part, nullptr), atollSuccess) << lastError();
    EXPECT_THAT(chosen(part), HasSubstr("hierarchical"));
    expectSum(4, rank % 4, part);
    EXPECT_EQ(atollCommDestroy(part), atollSuccess);
  });
}

TEST(SetTopology, RanksToldDifferentContent_KeepTheOldOneAndNameTwo) {
  const File two("told-two", islands(2));
  const File other("told-other", islands(2) + "# moved\n");
  World world(4);
  world.run([&](int rank, atollComm_t comm) {
    ASSERT_EQ(atollCommSetTopology(comm, rank == 2 ? other.path() : two.path()), atollMismatch);
    EXPECT_THAT(lastError(), testing::AllOf(HasSubstr("ranks disagree on the topology: rank 0"), HasSubstr("rank 2")));
    EXPECT_THAT(chosen(comm), testing::Not(HasSubstr("hierarchical")));
    expectSum(4, rank, comm);
  });
}

TEST(SetTopology, OneRankWithoutTheFile_IsToldWhyAndNamedToTheOthers) {
  const File two("missing", islands(2));
  World world(4);
  world.run([&](int rank, atollComm_t comm) {
    if (rank == 1) {
      EXPECT_EQ(atollCommSetTopology(comm, "/nonexistent/topology.yaml"), atollSystemError);
      EXPECT_THAT(lastError(), HasSubstr("cannot open topology file /nonexistent/topology.yaml"));
    } else {
      EXPECT_EQ(atollCommSetTopology(comm, two.path()), atollMismatch);
      EXPECT_THAT(lastError(), HasSubstr("no file that can be read"));
    }
    expectSum(4, rank, comm);
    EXPECT_EQ(atollCommSetTopology(comm, two.path()), atollSuccess) << lastError();
    expectSum(4, rank, comm);
  });
}

TEST(SetTopology, InsideAGroup_IsRefused) {
  const File one("group", islands(1));
  World world(2);
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  EXPECT_EQ(atollCommSetTopology(world[0], one.path()), atollInvalidUsage);
  EXPECT_THAT(lastError(), HasSubstr("a group is open"));
  EXPECT_EQ(atollGroupEnd(), atollSuccess);
}

}  // namespace
}  // namespace atl::api
