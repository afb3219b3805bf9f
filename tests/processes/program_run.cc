// SPDX-License-Identifier: Apache-2.0
#include "tests/processes/program_run.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "src/base/clock.h"
#include "src/base/unique_fd.h"

namespace atl::test {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(2);

std::string contents(int fd) {
  std::string text;
  std::array<char, 65536> buffer{};
  off_t offset = 0;
  for (;;) {
    const auto got = ::pread(fd, buffer.data(), buffer.size(), offset);
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    offset += got;
  }
}

/// Appended to: processes that share a memfd do not take turns at its position, and would write over each other.
UniqueFd unnamedFile(const char* name) {
  UniqueFd file(::memfd_create(name, MFD_CLOEXEC));
  EXPECT_EQ(::fcntl(file.get(), F_SETFL, O_APPEND), 0);
  return file;
}

[[noreturn]] void become(const std::vector<std::string>& command, const Environment& environment, int in, int out,
                         int err) {
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  // A test runner may have been started in the background, where shells make these ignored.
  for (const int number : {SIGINT, SIGQUIT, SIGPIPE}) ::signal(number, SIG_DFL);
  for (const std::string& entry : environment) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) {
      ::unsetenv(entry.c_str());
    } else {
      ::setenv(entry.substr(0, equals).c_str(), entry.c_str() + equals + 1, 1);
    }
  }
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

/// The state letter of /proc/PID/stat; 0 when there is no such process.
char stateOf(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto name = text.rfind(") ");
  return name == std::string::npos ? '\0' : text.at(name + 2);
}

}  // namespace

struct ProgramRun::Files {
  UniqueFd input = unnamedFile("input");
  UniqueFd output = unnamedFile("output");
  UniqueFd errors = unnamedFile("errors");
};

ProgramRun::ProgramRun(const std::vector<std::string>& command, const Environment& environment,
                       const std::string& input)
    : files_(std::make_unique<Files>()) {
  EXPECT_EQ(::pwrite(files_->input.get(), input.data(), input.size(), 0), static_cast<ssize_t>(input.size()));
  pid_ = ::fork();
  if (pid_ == 0) become(command, environment, files_->input.get(), files_->output.get(), files_->errors.get());
}

ProgramRun::~ProgramRun() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void ProgramRun::signal(int number) const {
  ::kill(pid_, number);
}

ProgramResult ProgramRun::wait(double limitSeconds) {
  const Deadline limit = Deadline::inSeconds(limitSeconds);
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (limit.passed()) {
      ADD_FAILURE() << "still running after " << limitSeconds << " s\n" << output() << errors();
      return {-1, output(), errors()};
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  pid_ = -1;
  return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), output(), errors()};
}

std::string ProgramRun::output() const {
  return contents(files_->output.get());
}
std::string ProgramRun::errors() const {
  return contents(files_->errors.get());
}

std::vector<std::string> ProgramRun::awaitLines(const std::string& text, std::size_t count, double limitSeconds) const {
  const Deadline limit = Deadline::inSeconds(limitSeconds);
  for (;;) {
    std::string sofar = output();
    sofar.erase(sofar.rfind('\n') + 1);  // without a line that is still being written
    std::vector<std::string> found;
    for (const std::string& line : linesOf(sofar)) {
      if (line.find(text) != std::string::npos) found.push_back(line);
    }
    if (found.size() >= count) return found;
    if (limit.passed()) {
      ADD_FAILURE() << "no " << count << " lines with '" << text << "' in:\n" << output() << errors();
      return found;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

ProgramResult runProgram(const std::vector<std::string>& command, const Environment& environment,
                         const std::string& input) {
  return ProgramRun(command, environment, input).wait();
}

bool endsWithin(pid_t pid, double limitSeconds) {
  const Deadline limit = Deadline::inSeconds(limitSeconds);
  for (;;) {
    const char state = stateOf(pid);
    if (state == '\0' || state == 'Z' || state == 'X') return true;
    if (limit.passed()) return false;
    std::this_thread::sleep_for(kPollInterval);
  }
}

std::vector<std::string> linesOf(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace atl::test
