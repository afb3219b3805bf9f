// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/launch/output.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "src/base/unique_fd.h"

namespace atl::launch {
namespace {

class Output : public testing::Test {
 protected:
  Output() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::pipe(fds.data()), 0);
    read_.reset(fds[0]);
    write_.reset(fds[1]);
  }

  /// Everything that the stream has queued.
  std::string written(OutputStream& stream) {
    std::string text;
    while (stream.queued() > 0 && !stream.broken()) {
      stream.writeSome();
      std::array<char, 8192> buffer{};
      const auto got = ::read(read_.get(), buffer.data(), buffer.size());
      if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

  UniqueFd read_;
  UniqueFd write_;
};

TEST_F(Output, PiecesOfTwoRanks_AreNotTornIntoEachOther) {
  OutputStream stream(write_.get(), true, true);
  stream.add(0, "be");
  stream.add(1, "one\ntw");
  stream.add(0, "gun\n");
  stream.add(1, "o\n");
  EXPECT_EQ(written(stream), "[1] one\n[0] begun\n[1] two\n");
}

TEST_F(Output, LastLineWithoutEnd_ComesWhenTheRankEnds) {
  OutputStream stream(write_.get(), true, true);
  stream.add(2, "last words");
  EXPECT_EQ(written(stream), "");
  stream.end(2);
  EXPECT_EQ(written(stream), "[2] last words\n");
}

TEST_F(Output, WithoutPrefix_LinesAreWholeStill) {
  OutputStream stream(write_.get(), false, true);
  stream.add(0, "a");
  stream.add(1, "b\n");
  stream.add(0, "c\n");
  EXPECT_EQ(written(stream), "b\nac\n");
}

TEST_F(Output, OneRank_PassesEverythingAtOnce) {
  OutputStream stream(write_.get(), false, false);
  stream.add(0, "50%\r");
  EXPECT_EQ(written(stream), "50%\r");
}

TEST_F(Output, EndlessLine_IsCutAndNotKeptInMemory) {
  OutputStream stream(write_.get(), false, true);
  stream.add(0, std::string(std::size_t{1} << 20, 'x'));
  EXPECT_EQ(stream.queued(), (std::size_t{1} << 20) + 1);
}

TEST_F(Output, NobodyReads_DropsInsteadOfGrowing) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  OutputStream stream(write_.get(), true, true);
  read_.reset();
  stream.add(0, "a\n");
  stream.writeSome();
  EXPECT_TRUE(stream.broken());
  stream.add(0, "b\n");
  EXPECT_EQ(stream.queued(), 0U);
  std::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace atl::launch
