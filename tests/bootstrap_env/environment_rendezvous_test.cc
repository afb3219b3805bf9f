// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <charconv>

#include "src/base/unique_fd.h"
#include "src/bootstrap/environment.h"
#include "src/bootstrap/launcher_channel.h"
#include "src/bootstrap/rendezvous_offer.h"
#include "tests/bootstrap_env/fake_rendezvous.h"
#include "tests/bootstrap_env/variables.h"

namespace atl {
namespace {

using test::addressRequests;
using test::Variables;
using testing::HasSubstr;

LaunchEnvironment place(LauncherKind kind, Rank process, Rank processes = 4) {
  LaunchEnvironment launch;
  launch.kind = kind;
  launch.process = process;
  launch.processes = processes;
  return launch;
}

Result<UniqueId> rendezvous(const LaunchEnvironment& launch) {
  return rendezvousFromEnvironment(launch, Settings{}, Deadline::inSeconds(20));
}

int portOf(const std::string& hostPort) {
  int port = 0;
  const auto colon = hostPort.rfind(':') + 1;
  std::from_chars(hostPort.data() + colon, hostPort.data() + hostPort.size(), port);
  return port;
}

TEST(EnvironmentRendezvous, OneProcess_AsksNobody) {
  const Variables none({});
  EXPECT_TRUE(rendezvous(place(LauncherKind::openMpi, 0, 1)).ok());
}

TEST(EnvironmentRendezvous, GivenId_IsTakenOnce) {
  const Variables given({{"ATOLL_ID", toHex(test::idNumber(9))}});
  const auto first = rendezvous(place(LauncherKind::atollRun, 1));
  ASSERT_TRUE(first.ok()) << first.error().text;
  EXPECT_EQ(*first, test::idNumber(9));
  const auto second = rendezvous(place(LauncherKind::atollRun, 1));
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().text, HasSubstr("ATOLL_ID"));
}

TEST(EnvironmentRendezvous, NothingSaysHow_NamesTheVariables) {
  const Variables none({});
  const auto id = rendezvous(place(LauncherKind::atollRun, 1));
  ASSERT_FALSE(id.ok());
  EXPECT_THAT(id.error().text, HasSubstr("ATOLL_LAUNCHER_FD"));
}

TEST(EnvironmentRendezvous, ClosedChannel_NamesTheVariable) {
  const Variables closed({{"ATOLL_LAUNCHER_FD", "987"}});
  const auto id = rendezvous(place(LauncherKind::atollRun, 1));
  ASSERT_FALSE(id.ok());
  EXPECT_THAT(id.error().text, HasSubstr("ATOLL_LAUNCHER_FD is 987"));
}

class Channel : public testing::Test {
 protected:
  Channel() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()), 0);
    launcher_.reset(fds[0]);
    rank_.reset(fds[1]);
  }

  UniqueFd launcher_;
  UniqueFd rank_;
};

TEST_F(Channel, WhatProcess0Writes_IsWhatTheOthersTake) {
  const Variables channel({{"ATOLL_LAUNCHER_FD", std::to_string(rank_.get())}});
  const auto opened = rendezvous(place(LauncherKind::atollRun, 0));
  ASSERT_TRUE(opened.ok()) << opened.error().text;
  auto line = readLine(launcher_.get(), kMaxOfferBytes, Deadline::inSeconds(20));
  ASSERT_TRUE(line.ok()) << line.error().text;
  ASSERT_TRUE(writeLine(launcher_.get(), *line, Deadline::inSeconds(20)).ok());
  const auto learned = rendezvous(place(LauncherKind::atollRun, 3));
  ASSERT_TRUE(learned.ok()) << learned.error().text;
  EXPECT_EQ(*learned, *opened);
  EXPECT_NE(::fcntl(rank_.get(), F_GETFD) & FD_CLOEXEC, 0) << "programs that the rank starts would inherit it";
}

TEST_F(Channel, Process0Fails_TheOthersLearnWhy) {
  const Variables channel({{"ATOLL_LAUNCHER_FD", std::to_string(rank_.get())}});
  test::nextOpenFails() = makeError(ErrorCode::systemError, "no interface is up");
  EXPECT_FALSE(rendezvous(place(LauncherKind::atollRun, 0)).ok());
  auto line = readLine(launcher_.get(), kMaxOfferBytes, Deadline::inSeconds(20));
  ASSERT_TRUE(line.ok()) << line.error().text;
  ASSERT_TRUE(writeLine(launcher_.get(), *line, Deadline::inSeconds(20)).ok());
  const auto learned = rendezvous(place(LauncherKind::atollRun, 1));
  ASSERT_FALSE(learned.ok());
  EXPECT_EQ(learned.error().code, ErrorCode::systemError);
  EXPECT_THAT(learned.error().text, HasSubstr("no interface is up"));
}

TEST(EnvironmentRendezvous, PlainMasterAddress_IsUsedAsItIs_OnePortACall) {
  const Variables torch({{"MASTER_ADDR", "head"}, {"MASTER_PORT", "29500"}});
  const auto before = addressRequests().size();
  ASSERT_TRUE(rendezvous(place(LauncherKind::torchrun, 0)).ok());
  ASSERT_TRUE(rendezvous(place(LauncherKind::torchrun, 0)).ok());
  const auto first = addressRequests().at(before);
  const auto second = addressRequests().at(before + 1);
  EXPECT_TRUE(first.host);
  EXPECT_THAT(first.hostPort, testing::StartsWith("head:"));
  EXPECT_GE(portOf(first.hostPort), 29500);
  EXPECT_EQ(portOf(second.hostPort), portOf(first.hostPort) + 1);
  EXPECT_NE(first.secretText, second.secretText);
}

TEST(EnvironmentRendezvous, UnderTorchrun_LeavesItsStoresPortAlone) {
  const Variables torch({{"MASTER_ADDR", "fe80::1"}, {"MASTER_PORT", "29500"}, {"TORCHELASTIC_RUN_ID", "job-7"}});
  ASSERT_TRUE(rendezvous(place(LauncherKind::torchrun, 1)).ok());
  const auto request = addressRequests().back();
  EXPECT_FALSE(request.host);
  EXPECT_THAT(request.hostPort, testing::StartsWith("[fe80::1]:"));
  EXPECT_LT(portOf(request.hostPort), 29000 + 4000);
  EXPECT_GE(portOf(request.hostPort), 20000);
}

TEST(EnvironmentRendezvous, NoMasterAddress_IsNamed) {
  const Variables torch({{"MASTER_PORT", "29500"}});
  const auto id = rendezvous(place(LauncherKind::torchrun, 1));
  ASSERT_FALSE(id.ok());
  EXPECT_THAT(id.error().text, HasSubstr("MASTER_ADDR"));
}

TEST(EnvironmentRendezvous, SlurmsFirstNodeHosts_AndJobsDiffer) {
  const auto ask = [](const char* job) {
    const Variables slurm({{"SLURM_JOB_ID", job}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NODELIST", "n[07-09]"}});
    EXPECT_TRUE(rendezvous(place(LauncherKind::slurm, 0)).ok());
    return addressRequests().back();
  };
  const auto first = ask("77");
  const auto second = ask("78");
  EXPECT_THAT(first.hostPort, testing::StartsWith("n07:"));
  EXPECT_NE(first.hostPort, second.hostPort);
  EXPECT_NE(first.secretText, second.secretText);
}

TEST(EnvironmentRendezvous, SlurmWithoutNodes_IsNamed) {
  const Variables slurm({{"SLURM_JOB_ID", "77"}, {"SLURM_STEP_ID", "0"}});
  const auto id = rendezvous(place(LauncherKind::slurm, 0));
  ASSERT_FALSE(id.ok());
  EXPECT_THAT(id.error().text, HasSubstr("MASTER_ADDR"));
}

}  // namespace
}  // namespace atl
