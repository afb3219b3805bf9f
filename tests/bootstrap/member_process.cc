// SPDX-License-Identifier: Apache-2.0
#include "tests/bootstrap/member_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "src/base/clock.h"

extern char** environ;  // NOLINT: POSIX names it so

namespace atl::test {

MemberProcess::MemberProcess() {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  EXPECT_EQ(::pipe2(in.data(), O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::string program = ATOLL_TEST_MEMBER;
  std::array<char*, 2> arguments = {program.data(), nullptr};
  EXPECT_EQ(::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  input_.reset(in[1]);
  output_.reset(out[0]);
}

MemberProcess::~MemberProcess() {
  if (!input_) return;  // moved from, or finished
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void MemberProcess::tell(const std::string& command) {
  const std::string line = command + "\n";
  EXPECT_EQ(::write(input_.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
}

bool MemberProcess::readMore(int milliseconds) {
  pollfd readable{output_.get(), POLLIN, 0};
  if (::poll(&readable, 1, milliseconds) <= 0) return false;
  std::array<char, 4096> buffer{};
  const auto got = ::read(output_.get(), buffer.data(), buffer.size());
  if (got <= 0) return false;
  partial_.append(buffer.data(), static_cast<std::size_t>(got));
  for (auto end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n')) {
    lines_.push_back(partial_.substr(0, end));
    partial_.erase(0, end + 1);
  }
  return true;
}

std::string MemberProcess::await(const std::string& prefix) {
  const auto limit = Deadline::inSeconds(30);
  for (;;) {
    while (!lines_.empty()) {
      std::string line = lines_.front();
      lines_.erase(lines_.begin());
      if (line.starts_with(prefix)) return line;
      heard_.push_back(std::move(line));
    }
    if (!readMore(limit.pollMilliseconds(30000))) break;
  }
  ADD_FAILURE() << "pid " << pid_ << " did not say '" << prefix << "'; it said " << ::testing::PrintToString(heard_);
  return "";
}

std::string MemberProcess::askId(const std::string& command) {
  tell(command);
  const std::string line = await("id ");
  return line.empty() ? "" : line.substr(3);
}

void MemberProcess::kill(int signal) {
  ::kill(pid_, signal);
}

int MemberProcess::finish() {
  input_.reset();
  while (readMore(30000)) continue;
  heard_.insert(heard_.end(), lines_.begin(), lines_.end());
  lines_.clear();
  int status = -1;
  EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
  return status;
}

bool contains(const std::vector<std::string>& lines, const std::string& text) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const auto& line) { return line.find(text) != std::string::npos; });
}

}  // namespace atl::test
