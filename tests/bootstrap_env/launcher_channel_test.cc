// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/launcher_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "src/base/unique_fd.h"

namespace atl {
namespace {

class LauncherChannel : public testing::Test {
 protected:
  LauncherChannel() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()), 0);
    near_.reset(fds[0]);
    far_.reset(fds[1]);
  }

  UniqueFd near_;
  UniqueFd far_;
};

TEST_F(LauncherChannel, TwoLines_AreReadOneByOne) {
  ASSERT_TRUE(writeLine(near_.get(), "first", Deadline::inSeconds(20)).ok());
  ASSERT_TRUE(writeLine(near_.get(), "second", Deadline::inSeconds(20)).ok());
  EXPECT_EQ(*readLine(far_.get(), 100, Deadline::inSeconds(20)), "first");
  EXPECT_EQ(*readLine(far_.get(), 100, Deadline::inSeconds(20)), "second");
}

TEST_F(LauncherChannel, NothingComes_GivesUpAtTheDeadline) {
  const auto line = readLine(far_.get(), 100, Deadline::in(std::chrono::milliseconds(1)));
  ASSERT_FALSE(line.ok());
  EXPECT_EQ(line.error().code, ErrorCode::timeout);
}

TEST_F(LauncherChannel, OtherEndGone_IsAnErrorNotASignal) {
  near_.reset();
  EXPECT_EQ(readLine(far_.get(), 100, Deadline::inSeconds(20)).error().code, ErrorCode::remoteError);
  EXPECT_FALSE(writeLine(far_.get(), "late", Deadline::inSeconds(20)).ok());
}

TEST_F(LauncherChannel, OverlongLine_IsRefused) {
  ASSERT_TRUE(writeLine(near_.get(), std::string(200, 'x'), Deadline::inSeconds(20)).ok());
  const auto line = readLine(far_.get(), 100, Deadline::inSeconds(20));
  ASSERT_FALSE(line.ok());
  EXPECT_THAT(line.error().text, testing::HasSubstr("100 bytes"));
}

}  // namespace
}  // namespace atl
