// SPDX-License-Identifier: Apache-2.0
#include "transports/shared_memory.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace atl {
namespace {

using testing::HasSubstr;

UniqueFd copyOf(int fd) {
  return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

TEST(SharedMemory, BothMappingsSeeOneMemory) {
  auto mine = SharedMemory::create(10000, "test");
  ASSERT_TRUE(mine.ok()) << mine.error().text;
  auto theirs = SharedMemory::map(copyOf(mine->fd()), 10000, false);
  ASSERT_TRUE(theirs.ok()) << theirs.error().text;
  ASSERT_NE(mine->data(), theirs->data());
  std::strcpy(reinterpret_cast<char*>(mine->data()) + 9000, "seen");
  EXPECT_STREQ(reinterpret_cast<const char*>(theirs->data()) + 9000, "seen");
}

TEST(SharedMemory, IsZeroAndSurvivesMovesAndTheLossOfItsDescriptor) {
  auto made = SharedMemory::create(4096, "test");
  ASSERT_TRUE(made.ok());
  SharedMemory memory = std::move(made).value();
  memory.closeFd();
  EXPECT_EQ(memory.fd(), -1);
  for (std::size_t i = 0; i < memory.size(); ++i) ASSERT_EQ(memory.data()[i], std::byte{0});
  memory.data()[4095] = std::byte{1};
}

TEST(SharedMemory, TooLargeARequestIsAnErrorThatNamesTheSize) {
  const std::size_t wanted = std::size_t{1} << 50;
  const auto memory = SharedMemory::create(wanted, "atoll-outbox");
  ASSERT_FALSE(memory.ok());
  EXPECT_EQ(memory.error().code, ErrorCode::systemError);
  EXPECT_THAT(memory.error().text, HasSubstr("atoll-outbox"));
  EXPECT_THAT(memory.error().text, HasSubstr("1125899906842624"));
}

TEST(SharedMemory, MapRefusesAnotherSize) {
  auto mine = SharedMemory::create(4096, "test");
  ASSERT_TRUE(mine.ok());
  const auto theirs = SharedMemory::map(copyOf(mine->fd()), 8192, false);
  ASSERT_FALSE(theirs.ok());
  EXPECT_THAT(theirs.error().text, HasSubstr("4096 bytes large, where it announced 8192"));
}

TEST(SharedMemory, MapRefusesWhatThePeerCouldShrink) {
  UniqueFd fd(::memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(fd.get(), 4096), 0);
  const auto theirs = SharedMemory::map(std::move(fd), 4096, false);
  ASSERT_FALSE(theirs.ok());
  EXPECT_THAT(theirs.error().text, HasSubstr("not sealed"));
}

TEST(SharedMemory, MapRefusesWhatIsNotMemory) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  EXPECT_FALSE(SharedMemory::map(std::move(reader), 4096, false).ok());
  EXPECT_FALSE(SharedMemory::map(UniqueFd(), 4096, false).ok());
}

TEST(SharedMemory, NobodyCanShrinkItOnceItIsMade) {
  auto mine = SharedMemory::create(8192, "test");
  ASSERT_TRUE(mine.ok());
  EXPECT_NE(::ftruncate(mine->fd(), 4096), 0);
}

}  // namespace
}  // namespace atl
