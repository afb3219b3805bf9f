// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/launch/agent.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "tools/atoll/launch/child.h"
#include "tools/atoll/launch/job.h"

namespace atl::launch {
namespace {

constexpr std::size_t kQueueLimit = std::size_t{1} << 20;  ///< output is left in the ranks' pipes above this
constexpr std::size_t kDrainLimit = std::size_t{4} << 20;  ///< of a rank that has ended, if its children go on writing
constexpr std::size_t kReadBytes = std::size_t{64} << 10;
constexpr std::size_t kMaxLineBytes = 4096;
constexpr int kPollMilliseconds = 1000;

/// A rank's process and what is on its way to and from it.
struct RankProcess {
  Rank rank = 0;
  Child child;
  bool alive = false;
  std::string input;       ///< not yet taken by its standard input
  bool inputEnds = false;  ///< close standard input after that
  std::string told;        ///< lines of rank 0 that it has not taken
  std::string line;        ///< begun by it on the channel
};

/// Writes what a non-blocking descriptor takes and drops it from `text`. False when nobody reads any more.
bool writeSome(int fd, std::string& text) {
  while (!text.empty()) {
    const auto sent = ::write(fd, text.data(), text.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    text.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

class Agent {
 public:
  explicit Agent(FramePipe pipe) : pipe_(std::move(pipe)) {}

  int serve();

 private:
  Status watchSignals();
  void start(const std::string& description);
  void handle(const Frame& frame);
  void signalAll(int number);
  void launcherLeft();
  void pollOnce();
  void serveRank(RankProcess& rank, std::span<const pollfd> ready);
  bool forward(UniqueFd& fd, RankProcess& rank, FrameType type);
  void readChannel(RankProcess& rank);
  void feedInput(RankProcess& rank);
  void readSignals();
  void reap(RankProcess& rank);
  void finish(RankProcess& rank, int status);
  [[nodiscard]] bool done() const;

  FramePipe pipe_;
  UniqueFd signals_;
  sigset_t maskBefore_{};
  rlimit filesBefore_{};
  std::vector<RankProcess> ranks_;
  bool started_ = false;
  bool launcherGone_ = false;
  double graceSeconds_ = 5;
  Deadline killAt_ = Deadline::never();
};

Status Agent::watchSignals() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&watched, number);
  if (::sigprocmask(SIG_BLOCK, &watched, &maskBefore_) != 0) return systemError(errno, "cannot block signals");
  signals_.reset(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return systemError(errno, "cannot watch signals");
  ::signal(SIGPIPE, SIG_IGN);
  // Every rank costs us four descriptors.
  if (::getrlimit(RLIMIT_NOFILE, &filesBefore_) == 0) {
    rlimit files = filesBefore_;
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  return success();
}

void Agent::start(const std::string& description) {
  started_ = true;
  auto job = decodeHostJob(description);
  if (!job.ok()) {
    pipe_.send(FrameType::notStarted, kNoRank, job.error().text);
    return;
  }
  graceSeconds_ = job->graceSeconds;
  ranks_.reserve(static_cast<std::size_t>(job->count));
  for (Rank local = 0; local < job->count; ++local) {
    const Rank rank = job->first + local;
    ChildSpec spec;
    spec.command = job->command;
    spec.directory = job->directory;
    spec.environment = job->environment;
    spec.environment.push_back("ATOLL_ID");  // of a job around this one
    spec.environment.push_back(fmt::format("ATOLL_RANK={}", rank));
    spec.environment.push_back(fmt::format("ATOLL_RANKS={}", job->ranks));
    spec.environment.push_back(fmt::format("ATOLL_LOCAL_RANK={}", local));
    spec.channelVariable = "ATOLL_LAUNCHER_FD";
    spec.wantsInput = rank == 0;
    spec.signalMask = maskBefore_;
    spec.openFiles = filesBefore_.rlim_cur;
    auto child = startChild(spec);
    if (!child.ok()) {
      pipe_.send(FrameType::notStarted, rank, child.error().text);
      return;
    }
    RankProcess process;
    process.rank = rank;
    process.child = std::move(*child);
    process.alive = true;
    ranks_.push_back(std::move(process));
  }
}

void Agent::handle(const Frame& frame) {
  switch (frame.type) {
    case FrameType::start:
      if (!started_) start(frame.payload);
      break;
    case FrameType::input:
      for (RankProcess& rank : ranks_) {
        if (rank.rank != 0) continue;
        rank.input += frame.payload;
        rank.inputEnds = frame.payload.empty();
        feedInput(rank);
      }
      break;
    case FrameType::tell:
      for (RankProcess& rank : ranks_) {
        if (rank.rank == 0 || !rank.alive) continue;
        rank.told += frame.payload;
        rank.told += '\n';
        writeSome(rank.child.channel.get(), rank.told);
      }
      break;
    case FrameType::signal: signalAll(std::atoi(frame.payload.c_str())); break;
    default: break;  // what only agents send
  }
}

void Agent::signalAll(int number) {
  for (const RankProcess& rank : ranks_) {
    if (rank.alive) ::kill(-rank.child.pid, number);
  }
}

void Agent::launcherLeft() {
  if (launcherGone_) return;
  launcherGone_ = true;
  signalAll(SIGTERM);
  killAt_ = Deadline::inSeconds(graceSeconds_);
}

bool Agent::done() const {
  if (!launcherGone_ && (!started_ || pipe_.queued() > 0)) return false;
  return std::ranges::none_of(ranks_, &RankProcess::alive);
}

/// Passes on what the rank has written. True when there may be more.
bool Agent::forward(UniqueFd& fd, RankProcess& rank, FrameType type) {
  std::array<char, kReadBytes> buffer;
  const auto got = ::read(fd.get(), buffer.data(), buffer.size());
  if (got > 0) {
    if (!launcherGone_) pipe_.send(type, rank.rank, std::string_view(buffer.data(), static_cast<std::size_t>(got)));
    return true;
  }
  if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) fd.reset();
  return false;
}

void Agent::readChannel(RankProcess& rank) {
  std::array<char, kMaxLineBytes> buffer;
  const auto got = ::read(rank.child.channel.get(), buffer.data(), buffer.size());
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) rank.child.channel.reset();
  if (got <= 0) return;
  rank.line.append(buffer.data(), static_cast<std::size_t>(got));
  for (auto end = rank.line.find('\n'); end != std::string::npos; end = rank.line.find('\n')) {
    if (rank.rank == 0) pipe_.send(FrameType::line, 0, std::string_view(rank.line).substr(0, end));
    rank.line.erase(0, end + 1);
  }
  if (rank.line.size() > kMaxLineBytes) rank.child.channel.reset();  // no rendezvous is that long: not ours to carry
}

void Agent::feedInput(RankProcess& rank) {
  if (!rank.child.input.valid()) {
    rank.input.clear();
    pipe_.send(FrameType::inputTaken, 0, "");
    return;
  }
  if (!writeSome(rank.child.input.get(), rank.input)) {
    rank.input.clear();
    rank.child.input.reset();
  }
  if (!rank.input.empty()) return;
  if (rank.inputEnds) rank.child.input.reset();
  pipe_.send(FrameType::inputTaken, 0, "");
}

void Agent::finish(RankProcess& rank, int status) {
  // What it wrote before its end lies in the pipes. Children that it left behind may hold them open for ever.
  for (std::size_t limit = kDrainLimit / kReadBytes; limit > 0 && rank.child.output.valid(); --limit) {
    if (!forward(rank.child.output, rank, FrameType::output)) break;
  }
  for (std::size_t limit = kDrainLimit / kReadBytes; limit > 0 && rank.child.errors.valid(); --limit) {
    if (!forward(rank.child.errors, rank, FrameType::errors)) break;
  }
  rank.alive = false;
  rank.child = Child{};
  pipe_.send(FrameType::exited, rank.rank, std::to_string(status));
}

/// Collects the rank's process if it has ended.
void Agent::reap(RankProcess& rank) {
  siginfo_t info{};
  if (!rank.alive || ::waitid(P_PID, static_cast<id_t>(rank.child.pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0) {
    return;
  }
  // While the dead process is not yet waited for, its number cannot be another's: end what it left in its group.
  ::kill(-rank.child.pid, SIGKILL);
  int status = 0;
  ::waitpid(rank.child.pid, &status, 0);
  finish(rank, status);
}

void Agent::readSignals() {
  std::array<signalfd_siginfo, 16> caught{};
  const auto bytes = ::read(signals_.get(), caught.data(), sizeof caught);
  for (std::size_t i = 0; bytes > 0 && i < static_cast<std::size_t>(bytes) / sizeof caught[0]; ++i) {
    if (caught[i].ssi_signo != SIGCHLD) {
      launcherLeft();
      continue;
    }
    // Of several children that end before we look, the signal names the first: it has to be the first to be told of,
    // because the others often end in consequence.
    for (RankProcess& rank : ranks_) {
      if (rank.child.pid == static_cast<pid_t>(caught[i].ssi_pid)) reap(rank);
    }
  }
  for (RankProcess& rank : ranks_) reap(rank);
}

void Agent::serveRank(RankProcess& rank, std::span<const pollfd> ready) {
  for (const pollfd& entry : ready) {
    if (entry.revents == 0) continue;
    if (entry.fd == rank.child.output.get()) forward(rank.child.output, rank, FrameType::output);
    if (entry.fd == rank.child.errors.get()) forward(rank.child.errors, rank, FrameType::errors);
    if (entry.fd == rank.child.input.get()) feedInput(rank);
    if (entry.fd == rank.child.channel.get()) {
      if ((entry.revents & POLLOUT) != 0) writeSome(entry.fd, rank.told);
      if ((entry.revents & ~POLLOUT) != 0) readChannel(rank);
    }
  }
}

void Agent::pollOnce() {
  std::vector<pollfd> fds;
  fds.push_back({signals_.get(), POLLIN, 0});
  if (!launcherGone_) {
    fds.push_back({pipe_.inFd(), POLLIN, 0});
    if (pipe_.queued() > 0) fds.push_back({pipe_.outFd(), POLLOUT, 0});
  }
  std::vector<std::size_t> begins;
  for (const RankProcess& rank : ranks_) {
    begins.push_back(fds.size());
    const auto add = [&](const UniqueFd& fd, int events) {
      if (fd.valid() && events != 0) fds.push_back({fd.get(), static_cast<short>(events), 0});
    };
    const bool room = pipe_.queued() < kQueueLimit || launcherGone_;
    add(rank.child.output, room ? POLLIN : 0);
    add(rank.child.errors, room ? POLLIN : 0);
    add(rank.child.input, rank.input.empty() ? 0 : POLLOUT);
    add(rank.child.channel, POLLIN | (rank.told.empty() ? 0 : POLLOUT));
  }
  begins.push_back(fds.size());
  if (::poll(fds.data(), fds.size(), killAt_.pollMilliseconds(kPollMilliseconds)) < 0) return;

  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    serveRank(ranks_[i], std::span(fds).subspan(begins[i], begins[i + 1] - begins[i]));
  }
  readSignals();
  if (killAt_.passed()) {
    signalAll(SIGKILL);
    killAt_ = Deadline::never();
  }
}

int Agent::serve() {
  if (auto watching = watchSignals(); !watching.ok()) {
    pipe_.send(FrameType::notStarted, kNoRank, watching.error().text);
    [[maybe_unused]] const auto told = pipe_.flush();
    return EXIT_FAILURE;
  }
  while (!done()) {
    pollOnce();
    if (launcherGone_) continue;
    const auto open = pipe_.fill();
    for (;;) {
      auto frame = pipe_.next();
      if (!frame.ok() || !*frame) {
        if (!frame.ok()) launcherLeft();
        break;
      }
      handle(**frame);
    }
    if (!open.ok() || !*open || !pipe_.flush().ok()) launcherLeft();
  }
  return EXIT_SUCCESS;
}

}  // namespace

int serveAgent(FramePipe pipe) {
  return Agent(std::move(pipe)).serve();
}

}  // namespace atl::launch
