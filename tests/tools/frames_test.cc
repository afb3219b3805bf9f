// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/launch/frames.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace atl::launch {
namespace {

FramePipe over(int fd) {
  auto pipe = FramePipe::over(UniqueFd(::dup(fd)), UniqueFd(fd));
  EXPECT_TRUE(pipe.ok());
  return std::move(*pipe);
}

class Frames : public testing::Test {
 protected:
  Frames() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()), 0);
    near_ = over(fds[0]);
    far_ = over(fds[1]);
  }

  FramePipe near_;
  FramePipe far_;
};

TEST_F(Frames, ArriveWholeAndInOrder) {
  near_.send(FrameType::output, 3, "some text");
  near_.send(FrameType::exited, 3, "");
  ASSERT_TRUE(near_.flush().ok());
  ASSERT_TRUE(*far_.fill());
  const auto first = far_.next();
  ASSERT_TRUE(first.ok() && *first);
  EXPECT_EQ((*first)->type, FrameType::output);
  EXPECT_EQ((*first)->rank, 3);
  EXPECT_EQ((*first)->payload, "some text");
  const auto second = far_.next();
  ASSERT_TRUE(second.ok() && *second);
  EXPECT_EQ((*second)->type, FrameType::exited);
  const auto none = far_.next();
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(*none);
}

TEST_F(Frames, MoreThanTheSocketTakes_StaysQueuedAndGoesOnLater) {
  const std::string payload(std::size_t{3} << 20, 'x');
  near_.send(FrameType::output, 0, payload);
  ASSERT_TRUE(near_.flush().ok());
  EXPECT_GT(near_.queued(), 0U);
  std::optional<Frame> frame;
  for (int turn = 0; turn < 10000 && !frame; ++turn) {
    ASSERT_TRUE(near_.flush().ok());
    ASSERT_TRUE(*far_.fill());
    auto next = far_.next();
    ASSERT_TRUE(next.ok());
    frame = std::move(*next);
  }
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->payload, payload);
  EXPECT_EQ(near_.queued(), 0U);
}

TEST_F(Frames, OtherSideCloses_FillSaysSo) {
  near_ = FramePipe();
  const auto open = far_.fill();
  ASSERT_TRUE(open.ok());
  EXPECT_FALSE(*open);
}

TEST_F(Frames, FrameOfAbsurdLength_IsAnError) {
  const std::array<std::uint32_t, 3> header = {static_cast<std::uint32_t>(FrameType::output), 0, 0xffffffff};
  ASSERT_EQ(::write(near_.outFd(), header.data(), sizeof header), static_cast<ssize_t>(sizeof header));
  ASSERT_TRUE(*far_.fill());
  EXPECT_FALSE(far_.next().ok());
}

}  // namespace
}  // namespace atl::launch
