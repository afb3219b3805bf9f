// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/bootstrap/environment.h"
#include "tests/bootstrap_env/variables.h"

namespace atl {
namespace {

using test::Variables;
using testing::AllOf;
using testing::HasSubstr;

TEST(DetectLaunch, NoLaunchersVariables_FindsNothing) {
  const Variables none({});
  const auto launch = detectLaunch();
  ASSERT_TRUE(launch.ok());
  EXPECT_FALSE(launch->has_value());
}

struct Case {
  std::vector<std::pair<const char*, std::string>> variables;
  LauncherKind kind;
  Rank localProcess;
};

TEST(DetectLaunch, EachLauncher_IsKnownByItsVariables) {
  const Case cases[] = {
      {{{"ATOLL_RANK", "2"}, {"ATOLL_RANKS", "5"}, {"ATOLL_LOCAL_RANK", "1"}}, LauncherKind::atollRun, 1},
      {{{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "5"}, {"OMPI_COMM_WORLD_LOCAL_RANK", "0"}},
       LauncherKind::openMpi,
       0},
      {{{"PMI_RANK", "2"}, {"PMI_SIZE", "5"}}, LauncherKind::pmi, kNoRank},
      {{{"SLURM_PROCID", "2"}, {"SLURM_NTASKS", "5"}, {"SLURM_STEP_ID", "0"}, {"SLURM_LOCALID", "2"}},
       LauncherKind::slurm,
       2},
      {{{"RANK", "2"}, {"WORLD_SIZE", "5"}, {"LOCAL_RANK", "2"}}, LauncherKind::torchrun, 2},
  };
  for (const Case& wanted : cases) {
    const Variables none({});
    for (const auto& [name, value] : wanted.variables) ::setenv(name, value.c_str(), 1);
    const auto launch = detectLaunch();
    ASSERT_TRUE(launch.ok()) << launch.error().text;
    ASSERT_TRUE(launch->has_value()) << wanted.variables[0].first;
    EXPECT_EQ((*launch)->kind, wanted.kind) << wanted.variables[0].first;
    EXPECT_EQ((*launch)->process, 2);
    EXPECT_EQ((*launch)->processes, 5);
    EXPECT_EQ((*launch)->localProcess, wanted.localProcess) << wanted.variables[0].first;
    for (const auto& [name, value] : wanted.variables) ::unsetenv(name);
  }
}

TEST(DetectLaunch, AtollRunUnderMpi_TheInnerLauncherWins) {
  const Variables both(
      {{"ATOLL_RANK", "0"}, {"ATOLL_RANKS", "2"}, {"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_COMM_WORLD_SIZE", "4"}});
  const auto launch = detectLaunch();
  ASSERT_TRUE(launch.ok() && launch->has_value());
  EXPECT_EQ((*launch)->kind, LauncherKind::atollRun);
  EXPECT_EQ((*launch)->processes, 2);
}

TEST(DetectLaunch, SlurmAllocationWithoutStep_IsNoLauncher) {
  const Variables shell({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}});
  const auto launch = detectLaunch();
  ASSERT_TRUE(launch.ok());
  EXPECT_FALSE(launch->has_value());
}

TEST(DetectLaunch, SlurmStepOfFewerTasks_CountsTheStepsTasks) {
  const Variables step(
      {{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "8"}, {"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_STEP_ID", "3"}});
  const auto launch = detectLaunch();
  ASSERT_TRUE(launch.ok() && launch->has_value());
  EXPECT_EQ((*launch)->processes, 2);
}

TEST(DetectLaunch, HalfSet_NamesBothVariablesAndTheValue) {
  const Variables half({{"PMI_RANK", "3"}});
  const auto launch = detectLaunch();
  ASSERT_FALSE(launch.ok());
  EXPECT_THAT(launch.error().text, AllOf(HasSubstr("PMI_RANK is '3'"), HasSubstr("PMI_SIZE is not set")));
}

TEST(DetectLaunch, Nonsense_NamesVariableAndValue) {
  const Variables nonsense({{"RANK", "one"}, {"WORLD_SIZE", "2"}});
  const auto launch = detectLaunch();
  ASSERT_FALSE(launch.ok());
  EXPECT_EQ(launch.error().code, ErrorCode::invalidArgument);
  EXPECT_THAT(launch.error().text, HasSubstr("RANK is 'one'"));
}

TEST(DetectLaunch, RankNotBelowSize_NamesBoth) {
  const Variables beyond({{"ATOLL_RANK", "4"}, {"ATOLL_RANKS", "4"}});
  const auto launch = detectLaunch();
  ASSERT_FALSE(launch.ok());
  EXPECT_THAT(launch.error().text, AllOf(HasSubstr("ATOLL_RANK is 4"), HasSubstr("ATOLL_RANKS (4)")));
}

TEST(DetectLaunch, FileWithoutRank_SaysWhatIsMissing) {
  const Variables file({{"ATOLL_RENDEZVOUS_FILE", "/somewhere"}});
  const auto launch = detectLaunch();
  ASSERT_FALSE(launch.ok());
  EXPECT_THAT(launch.error().text, AllOf(HasSubstr("ATOLL_RENDEZVOUS_FILE"), HasSubstr("ATOLL_RANKS")));
}

TEST(FirstHost, OfSlurmsNodeLists) {
  EXPECT_EQ(firstHostOf("n07"), "n07");
  EXPECT_EQ(firstHostOf("n07,n09"), "n07");
  EXPECT_EQ(firstHostOf("n[07-09,12],m3"), "n07");
  EXPECT_EQ(firstHostOf("n[12,14]"), "n12");
  EXPECT_EQ(firstHostOf("rack[1-2]-ib,x"), "rack1-ib");
  EXPECT_EQ(firstHostOf("login,n[1-4]"), "login");
  EXPECT_EQ(firstHostOf("n[1-"), "");
  EXPECT_EQ(firstHostOf("a[1-2]b[3-4]"), "");
  EXPECT_EQ(firstHostOf(""), "");
}

}  // namespace
}  // namespace atl
