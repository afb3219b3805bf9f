// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/launch/launcher.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <sstream>
#include <thread>

#include "src/base/clock.h"
#include "tools/atoll/launch/agent_handle.h"
#include "tools/atoll/launch/job.h"
#include "tools/atoll/launch/output.h"

extern char** environ;  // NOLINT: POSIX names it so

namespace atl::launch {
namespace {

constexpr std::size_t kQueueLimit = std::size_t{1}
                                    << 20;  ///< agents are not listened to while our own output is this far behind
constexpr std::size_t kInputBytes = std::size_t{32} << 10;
constexpr int kPollMilliseconds = 1000;
constexpr double kAgentExitSeconds = 2;
constexpr int kSignalBase = 128;
constexpr std::array kForwarded = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

/// A host, its agent, and how many of its ranks still run.
struct HostState {
  HostShare share;
  AgentHandle agent;
  std::vector<bool> running;  ///< by local rank
  bool open = true;           ///< the conversation goes on
};

/// What became of a rank, from its wait status.
struct End {
  int code;  ///< as a shell reports it
  std::string text;
};

End describeEnd(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return {kSignalBase + number, fmt::format("was killed by signal {} ({})", number, ::strsignal(number))};
  }
  return {WEXITSTATUS(status), fmt::format("exited with code {}", WEXITSTATUS(status))};
}

std::vector<std::string> wordsOf(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// What remote ranks need of our environment: Atoll's settings and what the user names.
std::vector<std::string> exportedEnvironment(const std::vector<std::string>& exports) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, "ATOLL_", 6) == 0) entries.emplace_back(*entry);
  }
  for (const std::string& wanted : exports) {
    if (wanted.find('=') != std::string::npos) {
      entries.push_back(wanted);
    } else if (const char* value = std::getenv(wanted.c_str()); value != nullptr) {
      entries.push_back(fmt::format("{}={}", wanted, value));
    }
  }
  return entries;
}

class Launcher {
 public:
  explicit Launcher(const LaunchOptions& options)
      : options_(options),
        out_(STDOUT_FILENO, options.prefix,
             options.prefix || options.hosts.back().first + options.hosts.back().count > 1),
        errors_(STDERR_FILENO, options.prefix,
                options.prefix || options.hosts.back().first + options.hosts.back().count > 1) {}

  Result<int> run();

 private:
  Status watchSignals();
  Status startAgents();
  void pollOnce();
  void readSignals();
  void readInput();
  void listen(HostState& host);
  void handle(HostState& host, const Frame& frame);
  void rankEnded(HostState& host, Rank rank, int code, const std::string& text);
  void agentLost(HostState& host, const std::string& why);
  void fail(int code, const std::string& text);
  void recordCode(int code);
  void endAll(int signal);
  void checkDeadlines();
  int dismiss(HostState& host);
  void drainOutput();
  void toAll(FrameType type, std::string_view payload);
  [[nodiscard]] Rank running() const;
  [[nodiscard]] bool wantsInput() const;

  const LaunchOptions& options_;
  OutputStream out_;
  OutputStream errors_;
  UniqueFd signals_;
  sigset_t maskBefore_{};
  std::vector<HostState> hosts_;
  Deadline timeoutAt_ = Deadline::never();
  Deadline killAt_ = Deadline::never();
  int code_ = 0;                             ///< of the first failure
  Deadline causeUntil_ = Deadline::never();  ///< until when a death by signal counts as that failure's cause
  bool ending_ = false;                      ///< the remaining ranks have been told to end
  bool killed_ = false;                      ///< even with SIGKILL
  bool inputOnWay_ = false;                  ///< rank 0 has not taken the last piece
  bool inputEnded_ = false;
};

Status Launcher::watchSignals() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int number : kForwarded) {
    struct sigaction action {};
    // What we were started to ignore (nohup, a shell's background job), the ranks ignore too.
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) continue;
    sigaddset(&watched, number);
  }
  if (::sigprocmask(SIG_BLOCK, &watched, &maskBefore_) != 0) return systemError(errno, "cannot block signals");
  signals_.reset(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return systemError(errno, "cannot watch signals");
  ::signal(SIGPIPE, SIG_IGN);
  return success();
}

Status Launcher::startAgents() {
  HostJob job;
  job.command = options_.command;
  std::error_code failed;
  job.directory = std::filesystem::current_path(failed).string();
  if (failed) return systemError(failed.value(), "cannot name the current directory");
  const std::string self = std::filesystem::read_symlink("/proc/self/exe", failed).string();
  job.environment = exportedEnvironment(options_.exports);
  job.ranks = options_.hosts.back().first + options_.hosts.back().count;
  job.graceSeconds = options_.graceSeconds;
  for (const HostShare& share : options_.hosts) {
    HostState host;
    host.share = share;
    host.running.assign(static_cast<std::size_t>(share.count), true);
    if (isThisHost(share.host)) {
      ATOLL_ASSIGN(host.agent, forkAgent(maskBefore_));
    } else {
      const std::string& program = options_.remoteProgram.empty() ? self : options_.remoteProgram;
      ATOLL_ASSIGN(host.agent, remoteAgent(wordsOf(options_.remoteShell), share.host, program, maskBefore_));
    }
    job.first = share.first;
    job.count = share.count;
    host.agent.pipe.send(FrameType::start, kNoRank, encode(job));
    hosts_.push_back(std::move(host));
  }
  return success();
}

Rank Launcher::running() const {
  std::ptrdiff_t sum = 0;
  for (const HostState& host : hosts_) sum += std::ranges::count(host.running, true);
  return static_cast<Rank>(sum);
}

void Launcher::toAll(FrameType type, std::string_view payload) {
  for (HostState& host : hosts_) {
    if (host.open) host.agent.pipe.send(type, kNoRank, payload);
  }
}

void Launcher::endAll(int signal) {
  ending_ = true;
  killed_ = killed_ || signal == SIGKILL;
  toAll(FrameType::signal, std::to_string(signal));
  killAt_ = Deadline::inSeconds(options_.graceSeconds);
}

// A killed rank's connections close before the kernel reports its death, so the ranks that notice and give up can be
// reported ahead of it. A death by signal that follows the first failure at once, and is not of our own sending, was
// the cause.
void Launcher::recordCode(int code) {
  constexpr double kAtOnce = 1;
  const bool first = code_ == 0;
  if (first) causeUntil_ = Deadline::inSeconds(kAtOnce);
  const bool killed = code > kSignalBase && code != kSignalBase + SIGTERM && !killed_;
  if (first || (killed && code_ < kSignalBase && !causeUntil_.passed())) code_ = code;
}

void Launcher::fail(int code, const std::string& text) {
  recordCode(code);
  if (ending_) return;  // what follows from that is no news
  const Rank others = running();
  const bool end = !options_.keepGoing && others > 0;
  errors_.note(fmt::format("atoll run: {}{}", text, end ? fmt::format("; ending the other {}", others) : ""));
  if (end) endAll(SIGTERM);
}

void Launcher::rankEnded(HostState& host, Rank rank, int code, const std::string& text) {
  const auto local = static_cast<std::size_t>(rank - host.share.first);
  if (rank < host.share.first || local >= host.running.size() || !host.running[local]) return;
  host.running[local] = false;
  out_.end(rank);
  errors_.end(rank);
  if (rank == 0) inputEnded_ = true;
  if (code != 0) fail(code, fmt::format("rank {} on {} {}", rank, host.share.host, text));
}

void Launcher::agentLost(HostState& host, const std::string& why) {
  if (!host.open) return;
  const bool hadRanks = std::ranges::count(host.running, true) > 0;
  host.running.assign(host.running.size(), false);
  const End end = describeEnd(dismiss(host));
  if (hadRanks) fail(EXIT_FAILURE, fmt::format("lost the agent on {}: {} (it {})", host.share.host, why, end.text));
}

/// Ends the conversation and collects the process behind it: its wait status.
int Launcher::dismiss(HostState& host) {
  int status = 0;
  if (!host.open) return status;
  host.open = false;
  host.agent.pipe = FramePipe();
  const Deadline patience = Deadline::inSeconds(kAgentExitSeconds);
  while (::waitpid(host.agent.pid, &status, WNOHANG) == 0) {
    if (patience.passed()) {
      ::kill(host.agent.pid, SIGKILL);
      ::waitpid(host.agent.pid, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return status;
}

void Launcher::handle(HostState& host, const Frame& frame) {
  switch (frame.type) {
    case FrameType::output: out_.add(frame.rank, frame.payload); break;
    case FrameType::errors: errors_.add(frame.rank, frame.payload); break;
    case FrameType::line: toAll(FrameType::tell, frame.payload); break;
    case FrameType::inputTaken: inputOnWay_ = false; break;
    case FrameType::exited: {
      const End end = describeEnd(std::atoi(frame.payload.c_str()));
      rankEnded(host, frame.rank, end.code, end.text);
      break;
    }
    case FrameType::notStarted: {
      // The agent starts its ranks in order and stops at the first that cannot be: none after it runs.
      const Rank from = frame.rank == kNoRank ? host.share.first : frame.rank;
      for (Rank rank = from; rank < host.share.first + host.share.count; ++rank) {
        host.running[static_cast<std::size_t>(rank - host.share.first)] = false;
      }
      fail(127, fmt::format("rank {} on {} did not start: {}", from, host.share.host, frame.payload));
      break;
    }
    default: break;  // what only the launcher sends
  }
}

void Launcher::listen(HostState& host) {
  const auto open = host.agent.pipe.fill();
  for (;;) {
    auto frame = host.agent.pipe.next();
    if (!frame.ok()) return agentLost(host, frame.error().text);
    if (!*frame) break;
    handle(host, **frame);
  }
  if (!open.ok()) return agentLost(host, open.error().text);
  if (!*open) return agentLost(host, "it ended before its ranks did");
  if (std::ranges::count(host.running, true) == 0) dismiss(host);
}

void Launcher::readSignals() {
  std::array<signalfd_siginfo, 16> caught{};
  const auto bytes = ::read(signals_.get(), caught.data(), sizeof caught);
  for (std::size_t i = 0; bytes > 0 && i < static_cast<std::size_t>(bytes) / sizeof caught[0]; ++i) {
    const int number = static_cast<int>(caught[i].ssi_signo);
    if (number == SIGUSR1 || number == SIGUSR2) {
      toAll(FrameType::signal, std::to_string(number));
    } else {
      endAll(ending_ ? SIGKILL : number);  // whoever asks twice is in a hurry
    }
  }
}

bool Launcher::wantsInput() const {
  if (inputEnded_ || inputOnWay_ || !hosts_.front().open) return false;
  // Reading the terminal from the background would stop us.
  return ::isatty(STDIN_FILENO) == 0 || ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

void Launcher::readInput() {
  std::array<char, kInputBytes> buffer;
  const auto got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) inputEnded_ = true;
  inputOnWay_ = true;
  hosts_.front().agent.pipe.send(FrameType::input, 0,
                                 std::string_view(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))));
}

void Launcher::checkDeadlines() {
  if (timeoutAt_.passed()) {
    timeoutAt_ = Deadline::never();
    fail(kTimedOut, fmt::format("the job did not end within {} s", options_.timeoutSeconds));
    code_ = kTimedOut;
    if (!ending_) endAll(SIGTERM);
  }
  if (killAt_.passed()) {
    if (killed_) {
      for (HostState& host : hosts_) agentLost(host, "it does not answer");
    } else {
      endAll(SIGKILL);
    }
  }
  if (out_.broken() && !ending_) {
    fail(kSignalBase + SIGPIPE, "nobody reads the output any more");
    endAll(SIGTERM);
  }
}

void Launcher::pollOnce() {
  const bool room = out_.queued() < kQueueLimit && errors_.queued() < kQueueLimit;
  const bool input = wantsInput();
  std::vector<pollfd> fds;
  const auto add = [&](int fd, int events) { fds.push_back({fd, static_cast<short>(events), 0}); };
  // A negative descriptor keeps its place and is passed over.
  add(signals_.get(), POLLIN);
  add(input ? STDIN_FILENO : -1, POLLIN);
  add(out_.queued() > 0 ? out_.fd() : -1, POLLOUT);
  add(errors_.queued() > 0 ? errors_.fd() : -1, POLLOUT);
  const std::size_t firstHost = fds.size();
  for (const HostState& host : hosts_) {
    add(host.open && room ? host.agent.pipe.inFd() : -1, POLLIN);
    add(host.open && host.agent.pipe.queued() > 0 ? host.agent.pipe.outFd() : -1, POLLOUT);
  }
  const int wait =
      std::min(timeoutAt_.pollMilliseconds(kPollMilliseconds), killAt_.pollMilliseconds(kPollMilliseconds));
  if (::poll(fds.data(), fds.size(), wait) < 0) return;
  readSignals();
  if (input && fds[1].revents != 0) readInput();
  if (fds[2].revents != 0) out_.writeSome();
  if (fds[3].revents != 0) errors_.writeSome();
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (hosts_[i].open && fds[firstHost + 2 * i].revents != 0) listen(hosts_[i]);
    // An agent whose ranks have ended goes away, whether or not it has taken all input; what it said last is still to
    // be read. If it was lost, reading finds out.
    if (hosts_[i].open && !hosts_[i].agent.pipe.flush().ok()) hosts_[i].agent.pipe.dropQueued();
  }
}

void Launcher::drainOutput() {
  for (OutputStream* stream : {&out_, &errors_}) {
    while (stream->queued() > 0 && !stream->broken()) {
      pollfd entry{stream->fd(), POLLOUT, 0};
      if (::poll(&entry, 1, -1) > 0) stream->writeSome();
    }
  }
}

Result<int> Launcher::run() {
  ATOLL_TRY(watchSignals());
  timeoutAt_ = Deadline::inSeconds(options_.timeoutSeconds);
  const auto started = startAgents();
  if (!started.ok()) {
    for (HostState& host : hosts_) dismiss(host);
    return started.error();
  }
  while (std::ranges::any_of(hosts_, &HostState::open)) {
    pollOnce();
    checkDeadlines();
  }
  drainOutput();
  return code_;
}

}  // namespace

Result<int> launch(const LaunchOptions& options) {
  return Launcher(options).run();
}

}  // namespace atl::launch
