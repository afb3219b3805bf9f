// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/launch/agent_handle.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "tools/atoll/launch/agent.h"

namespace atl::launch {
namespace {

/// The two ends of a conversation.
Result<std::pair<UniqueFd, UniqueFd>> socketPair() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return systemError(errno, "cannot make a socket for an agent");
  }
  return std::pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

Result<FramePipe> bothWays(UniqueFd socket) {
  UniqueFd duplicate(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
  if (!duplicate) return systemError(errno, "cannot duplicate an agent's socket");
  return FramePipe::over(std::move(socket), std::move(duplicate));
}

/// One word of a POSIX shell's command line.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) {
    if (c == '\'') {
      text += "'\\''";
    } else {
      text += c;
    }
  }
  return text + "'";
}

}  // namespace

Result<AgentHandle> forkAgent(const sigset_t& signalMask) {
  ATOLL_ASSIGN(auto ends, socketPair());
  const pid_t pid = ::fork();
  if (pid < 0) return systemError(errno, "cannot fork an agent");
  if (pid == 0) {
    // A group of its own keeps the terminal's signals away: the launcher passes them on.
    ::setpgid(0, 0);
    ::sigprocmask(SIG_SETMASK, &signalMask, nullptr);
    // The launcher's other descriptors must not live on here: an agent takes the end of its conversation for the end of
    // the launcher.
    constexpr int kSocket = STDERR_FILENO + 1;
    if (::dup2(ends.second.get(), kSocket) != kSocket) ::_exit(1);
    ::close_range(kSocket + 1, ~0U, 0);
    ::fcntl(kSocket, F_SETFD, FD_CLOEXEC);
    auto pipe = bothWays(UniqueFd(kSocket));
    ::_exit(pipe.ok() ? serveAgent(std::move(*pipe)) : 1);
  }
  ends.second.reset();
  ATOLL_ASSIGN(auto pipe, bothWays(std::move(ends.first)));
  return AgentHandle{pid, std::move(pipe)};
}

Result<AgentHandle> remoteAgent(const std::vector<std::string>& remoteShell, const std::string& host,
                                const std::string& program, const sigset_t& signalMask) {
  ATOLL_ASSIGN(auto ends, socketPair());
  std::vector<std::string> words = remoteShell;
  words.push_back(host);
  words.push_back(quoted(program) + " run --agent");
  const pid_t pid = ::fork();
  if (pid < 0) return systemError(errno, "cannot fork the remote shell");
  if (pid == 0) {
    ::setsid();  // no terminal: neither its signals nor questions for passwords
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::sigprocmask(SIG_SETMASK, &signalMask, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(ends.second.get(), STDIN_FILENO);
    ::dup2(ends.second.get(), STDOUT_FILENO);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    const std::string text =
        fmt::format("atoll run: {}\n", systemError(errno, fmt::format("cannot run {}", words[0])).text);
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    ::_exit(127);
  }
  ends.second.reset();
  ATOLL_ASSIGN(auto pipe, bothWays(std::move(ends.first)));
  return AgentHandle{pid, std::move(pipe)};
}

}  // namespace atl::launch
