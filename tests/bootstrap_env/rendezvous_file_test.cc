// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/rendezvous_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "src/bootstrap/rendezvous_offer.h"
#include "tests/bootstrap_env/fake_rendezvous.h"

namespace atl {
namespace {

class RendezvousFile : public testing::Test {
 protected:
  RendezvousFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "atoll-rendezvous-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ + "/id";
  }
  ~RendezvousFile() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] Result<UniqueId> take(Deadline deadline) const {
    return rendezvousByFile(path_, false, Settings{}, deadline);
  }

  std::string folder_;
  std::string path_;
};

TEST_F(RendezvousFile, TheOthersTakeWhatProcess0Wrote) {
  Result<UniqueId> taken = test::idNumber(0);
  std::thread other([&] { taken = take(Deadline::inSeconds(20)); });
  const auto opened = rendezvousByFile(path_, true, Settings{}, Deadline::inSeconds(20));
  other.join();
  ASSERT_TRUE(opened.ok() && taken.ok());
  EXPECT_EQ(*opened, *taken);
}

TEST_F(RendezvousFile, HoldsASecret_OnlyTheOwnerReadsIt) {
  ASSERT_TRUE(rendezvousByFile(path_, true, Settings{}, Deadline::inSeconds(20)).ok());
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(RendezvousFile, FileOfAnEarlierJob_IsNotBelieved) {
  std::ofstream(path_) << encodeOffer(test::idNumber(1)) << '\n';
  const std::time_t longAgo = std::time(nullptr) - 24 * 3600;
  const utimbuf times{longAgo, longAgo};
  ASSERT_EQ(::utime(path_.c_str(), &times), 0);
  const auto taken = take(Deadline::in(std::chrono::milliseconds(20)));
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::timeout);
  EXPECT_THAT(taken.error().text, testing::HasSubstr(path_));
}

TEST_F(RendezvousFile, Process0ReplacesAnOldFile) {
  std::ofstream(path_) << "old";
  const auto opened = rendezvousByFile(path_, true, Settings{}, Deadline::inSeconds(20));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(*take(Deadline::inSeconds(20)), *opened);
}

TEST_F(RendezvousFile, Garbage_IsAnErrorThatNamesTheFile) {
  std::ofstream(path_) << "something else";
  const auto taken = take(Deadline::inSeconds(20));
  ASSERT_FALSE(taken.ok());
  EXPECT_THAT(taken.error().text, testing::HasSubstr(path_));
}

TEST_F(RendezvousFile, FolderThatIsNotThere_IsNamed) {
  const auto opened = rendezvousByFile(folder_ + "/none/id", true, Settings{}, Deadline::inSeconds(20));
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().text, testing::HasSubstr("none/id"));
}

TEST_F(RendezvousFile, RemovedTwice_IsNoError) {
  ASSERT_TRUE(rendezvousByFile(path_, true, Settings{}, Deadline::inSeconds(20)).ok());
  EXPECT_TRUE(removeRendezvousFile(path_).ok());
  EXPECT_TRUE(removeRendezvousFile(path_).ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder_)) << "no draft is left either";
}

}  // namespace
}  // namespace atl
