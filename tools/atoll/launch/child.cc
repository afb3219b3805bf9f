// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/launch/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace atl::launch {
namespace {

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

/// A pipe whose end on our side does not block.
Result<Pipe> makePipe(bool weRead) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return systemError(errno, "cannot make a pipe");
  Pipe pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
  const int ours = weRead ? pipe.read.get() : pipe.write.get();
  if (::fcntl(ours, F_SETFL, O_NONBLOCK) != 0) return systemError(errno, "cannot make a pipe non-blocking");
  return pipe;
}

/// What the child was doing when it failed, and errno: sent through a pipe that a successful exec closes.
struct Failure {
  enum class Step : int { directory, descriptors, program } step;
  int cause;
};

struct ChildEnds {
  int input;
  int output;
  int errors;
  int channel;
  int report;
};

[[noreturn]] void fail(const ChildEnds& ends, Failure::Step step) {
  const Failure failure{step, errno};
  [[maybe_unused]] const auto written = ::write(ends.report, &failure, sizeof failure);
  ::_exit(127);
}

/// Runs in the child, between fork and exec. The parent has one thread, so that everything may be called here.
[[noreturn]] void becomeProgram(const ChildSpec& spec, const ChildEnds& ends, pid_t parent) {
  ::setpgid(0, 0);
  // If the parent died before this took effect, nobody would send the signal any more.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  if (::dup2(ends.input, STDIN_FILENO) < 0 || ::dup2(ends.output, STDOUT_FILENO) < 0 ||
      ::dup2(ends.errors, STDERR_FILENO) < 0 || ::fcntl(ends.channel, F_SETFD, 0) != 0) {
    fail(ends, Failure::Step::descriptors);
  }
  for (const std::string& entry : spec.environment) {
    const auto equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    if (equals == std::string::npos) {
      ::unsetenv(name.c_str());
    } else {
      ::setenv(name.c_str(), entry.c_str() + equals + 1, 1);
    }
  }
  ::setenv(spec.channelVariable.c_str(), std::to_string(ends.channel).c_str(), 1);
  if (!spec.directory.empty() && ::chdir(spec.directory.c_str()) != 0) fail(ends, Failure::Step::directory);
  std::vector<char*> arguments;
  for (const std::string& argument : spec.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  rlimit files{};
  if (spec.openFiles != 0 && ::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = spec.openFiles;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  ::signal(SIGPIPE, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &spec.signalMask, nullptr);
  ::execvp(arguments[0], arguments.data());
  fail(ends, Failure::Step::program);
}

/// Waits for the exec. Success when the report pipe closes without a report.
Status awaitExec(const UniqueFd& report, const ChildSpec& spec) {
  Failure failure{};
  ssize_t got = 0;
  do {
    got = ::read(report.get(), &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof failure) return success();
  const auto meaning = std::strerror(failure.cause);  // one thread: the static text is safe
  switch (failure.step) {
    case Failure::Step::directory:
      return makeError(ErrorCode::unsupported, "cannot enter directory {}: {}", spec.directory, meaning);
    case Failure::Step::descriptors: return systemError(failure.cause, "cannot set up the rank's descriptors");
    case Failure::Step::program: break;
  }
  return makeError(ErrorCode::unsupported, "cannot run {}: {}", spec.command.front(), meaning);
}

}  // namespace

Result<Child> startChild(const ChildSpec& spec) {
  Pipe input;
  if (spec.wantsInput) {
    ATOLL_ASSIGN(input, makePipe(false));
  } else {
    input.read.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!input.read) return systemError(errno, "cannot open /dev/null");
  }
  ATOLL_ASSIGN(Pipe output, makePipe(true));
  ATOLL_ASSIGN(Pipe errors, makePipe(true));
  ATOLL_ASSIGN(Pipe report, makePipe(true));
  ::fcntl(report.read.get(), F_SETFL, 0);  // this one is waited for
  std::array<int, 2> channel{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel.data()) != 0) {
    return systemError(errno, "cannot make the launcher channel");
  }
  UniqueFd ours(channel[0]);
  const UniqueFd theirs(channel[1]);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return systemError(errno, "cannot fork");
  if (pid == 0) {
    becomeProgram(spec, {input.read.get(), output.write.get(), errors.write.get(), theirs.get(), report.write.get()},
                  parent);
  }
  ::setpgid(pid, pid);  // also here, so that the group exists before either side goes on
  report.write.reset();
  if (auto started = awaitExec(report.read, spec); !started.ok()) {
    ::waitpid(pid, nullptr, 0);
    return std::move(started).error();
  }
  return Child{pid, std::move(input.write), std::move(output.read), std::move(errors.read), std::move(ours)};
}

}  // namespace atl::launch
