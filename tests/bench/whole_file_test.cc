// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/whole_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace atl::perf {
namespace {

class WholeFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("atoll-whole-file-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return folder_ / "file"; }
  [[nodiscard]] std::string content() const {
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  [[nodiscard]] std::ptrdiff_t filesThere() const {
    return std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator());
  }

  std::filesystem::path folder_;
};

TEST_F(WholeFile, Write_ReplacesWhatWasThereAndLeavesNothingElse) {
  ASSERT_TRUE(writeWhole(path(), "old").ok());
  ASSERT_TRUE(writeWhole(path(), "new").ok());
  EXPECT_EQ(content(), "new");
  EXPECT_EQ(filesThere(), 1);
}

TEST_F(WholeFile, FailedWrite_LeavesNothingBesideAndNamesThePath) {
  std::filesystem::create_directories(folder_ / "file" / "in-the-way");  // a folder cannot be replaced by a file
  const Status status = writeWhole(path(), "new");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().text, testing::HasSubstr(path()));
  EXPECT_EQ(filesThere(), 1);
}

TEST_F(WholeFile, Write_LeavesSignalsAsTheyWere) {
  ASSERT_TRUE(writeWhole(path(), "text").ok());
  struct sigaction now {};
  ASSERT_EQ(::sigaction(SIGINT, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

TEST_F(WholeFile, Probe_TellsBeforehandAndLeavesNothing) {
  EXPECT_TRUE(probeWhole(path()).ok());
  EXPECT_EQ(filesThere(), 0);
  EXPECT_FALSE(probeWhole("/nonexistent-folder/out.json").ok());
}

}  // namespace
}  // namespace atl::perf
