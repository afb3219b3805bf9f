// SPDX-License-Identifier: Apache-2.0
// Plans of the user's own: loaded by call or by setting, on all ranks or, wrongly, on one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "src/plan/algorithm.h"
#include "src/plan/serialize.h"
#include "tests/api/world.h"

namespace atl::api {
namespace {

using testing::HasSubstr;

/// A ring all-reduce for so many ranks under a name of its own, in a file that goes with this.
class PlanFile {
 public:
  explicit PlanFile(Rank ranks)
      : path_(std::filesystem::temp_directory_path() /
              ("atoll-plan-" + std::to_string(::getpid()) + "-" + std::to_string(ranks))) {
    std::vector<Plan> family;
    for (Rank rank = 0; rank < ranks; ++rank) {
      family.push_back(plan::algorithmNamed("ring")->generate({Collective::allReduce, ranks, rank}));
      family.back().algorithm = "my-ring";
    }
    std::ofstream(path_) << plan::toJson(family);
  }
  PlanFile(const PlanFile&) = delete;
  PlanFile& operator=(const PlanFile&) = delete;
  ~PlanFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const char* path() const { return path_.c_str(); }

 private:
  std::filesystem::path path_;
};

/// All ranks add their numbers, from 1.
void expectSum(World& world) {
  world.run([&](int rank, atollComm_t comm) {
    std::array<int, 100> data;
    data.fill(rank + 1);
    ASSERT_EQ(atollAllReduce(data.data(), data.data(), data.size(), atollInt, atollSum, comm, nullptr), atollSuccess)
        << lastError();
    EXPECT_THAT(data, testing::Each(world.ranks() * (world.ranks() + 1) / 2));
  });
}

TEST(LoadPlan, OnEveryRank_RunsThePlan) {
  const PlanFile file(3);
  World world(3);
  for (int rank = 0; rank < 3; ++rank) {
    ASSERT_EQ(atollCommLoadPlan(world[rank], file.path()), atollSuccess) << lastError();
  }
  expectSum(world);
}

TEST(LoadPlan, OnOneRankOnly_IsAMismatch) {
  const PlanFile file(2);
  World world(2);
  ASSERT_EQ(atollCommLoadPlan(world[0], file.path()), atollSuccess) << lastError();
  world.run([](int, atollComm_t comm) {
    std::array<int, 100> data{};
    EXPECT_EQ(atollAllReduce(data.data(), data.data(), data.size(), atollInt, atollSum, comm, nullptr), atollMismatch);
  });
}

TEST(LoadPlan, BetweenTwoCallsThatAreTheSame_CountsForTheSecond) {
  const PlanFile file(2);
  World world(2);
  world.run([&](int rank, atollComm_t comm) {
    const std::array<int, 100> data{};
    std::array<int, 100> sum{};
    const auto call = [&] {
      return atollAllReduce(data.data(), sum.data(), data.size(), atollInt, atollSum, comm, nullptr);
    };
    EXPECT_EQ(call(), atollSuccess);
    EXPECT_EQ(call(), atollSuccess);
    EXPECT_EQ(rank == 0 ? atollCommLoadPlan(comm, file.path()) : atollSuccess, atollSuccess) << lastError();
    EXPECT_EQ(call(), atollMismatch) << "only one rank has the plan";
  });
}

TEST(LoadPlan, ForAnotherNumberOfRanks_IsRefused) {
  const PlanFile file(3);
  World world(2);
  EXPECT_EQ(atollCommLoadPlan(world[0], file.path()), atollInvalidArgument);
  EXPECT_THAT(lastError(), HasSubstr("3 ranks"));
}

TEST(LoadPlan, OfAFileThatIsNone_NamesTheFile) {
  World world(1);
  EXPECT_EQ(atollCommLoadPlan(world[0], "/nonexistent/plan.json"), atollSystemError);
  EXPECT_EQ(lastError(), "atollCommLoadPlan: cannot open plan file /nonexistent/plan.json: No such file or directory");
  const auto path = std::filesystem::temp_directory_path() / ("atoll-no-plan-" + std::to_string(::getpid()));
  std::ofstream(path) << "[]";
  EXPECT_EQ(atollCommLoadPlan(world[0], path.c_str()), atollInvalidArgument);
  EXPECT_THAT(lastError(), HasSubstr(path.string()));
  std::filesystem::remove(path);
}

TEST(PlanSetting, ServesCommunicatorsOfItsSize) {
  const PlanFile file(2);
  ::setenv("ATOLL_PLAN_FILE", file.path(), 1);
  {
    World fitting(2);
    World other(3);
    expectSum(fitting);
    expectSum(other);
  }
  ::unsetenv("ATOLL_PLAN_FILE");
}

TEST(PlanSetting, OfAFileThatIsNone_FailsTheCommunicator) {
  ::setenv("ATOLL_PLAN_FILE", "/nonexistent/plan.json", 1);
  atollComm_t comm = nullptr;
  EXPECT_EQ(atollCommInitAll(&comm, 1), atollSystemError);
  EXPECT_THAT(lastError(),
              HasSubstr("atollCommInitAll: ATOLL_PLAN_FILE: cannot open plan file /nonexistent/plan.json"));
  EXPECT_EQ(comm, nullptr);
  ::unsetenv("ATOLL_PLAN_FILE");
}

}  // namespace
}  // namespace atl::api
