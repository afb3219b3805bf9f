// SPDX-License-Identifier: Apache-2.0
#include "src/exec/cuda/proxy.h"

#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/quiet_thread.h"
#include "transports/names.h"

namespace atl::device {
namespace {

/// Without a rest while nothing moves: longer than most peers are late, and than any message takes.
constexpr Duration kAwake = std::chrono::milliseconds(2);
constexpr Duration kShortestNap = std::chrono::microseconds(50);
constexpr Duration kLongestNap = std::chrono::microseconds(200);
/// Where the network has nothing to poll(2) for.
constexpr Duration kLongestSleep = std::chrono::milliseconds(50);
/// For the news of why a peer's connection has ended: it is what the user needs.
constexpr Duration kPatience = std::chrono::milliseconds(300);

/// Its links are others than the communicator's own, although they join the same ranks on the same lanes.
TransportContext withLinksOfItsOwn(TransportContext context) {
  context.communicator = hashCombine(context.communicator, std::uint64_t{1});
  context.outbox = nullptr;
  return context;
}

}  // namespace

Proxy::Proxy(const TransportContext& context, std::function<void(const Error&)> fail)
    : context_(withLinksOfItsOwn(context)), fail_(std::move(fail)) {}

Proxy::~Proxy() {
  cancel();
  if (thread_.joinable()) thread_.join();
}

Status Proxy::join(Rank peer, std::int32_t lane, const Staging& staging) {
  if (!thread_.joinable()) ATOLL_TRY(start());
  const Directory& directory = *context_.directory;
  ATOLL_ASSIGN(Transport* const transport,
               agree(transports_, directory.process(context_.rank), directory.process(peer), kMessageTransports));
  log::line(log::Subject::link, context_.rank, "lane {} of the device to {} by {}", lane, directory.name(peer),
            transport->name());
  ++joined_;
  {
    const std::scoped_lock lock(mutex_);
    wanted_.push_back({peer, lane, staging, transport});
  }
  wake();
  return success();
}

Status Proxy::start() {
  if (!bell_) {
    bell_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!bell_) return systemError(errno, "cannot create an eventfd");
  }
  if (transports_.empty()) transports_ = makeTransports(context_, kMessageTransports);
  started_.store(true);
  ATOLL_ASSIGN(thread_, startQuietThread("atoll-proxy", [this] { run(); }));
  return success();
}

void Proxy::begin() {
  begun_.fetch_add(1);
  if (asleep_.load()) wake();
}

void Proxy::ended(std::uint64_t calls) {
  ended_.store(calls);
}

void Proxy::cancel() {
  cancelled_.store(true);
  if (started_.load()) wake();
}

void Proxy::finish() {
  leaving_.store(true);
  if (!thread_.joinable()) return;
  wake();
  thread_.join();
  links_.clear();
}

void Proxy::wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(::write(bell_.get(), &one, sizeof one));  // full: it is awake, or about to be
}

// ---- on the thread

void Proxy::run() {
  std::optional<Deadline> deadline;
  while (!cancelled_.load()) {
    // Of calls that are over by now, this turn sees all that they have posted.
    const std::uint64_t begun = begun_.load();
    const bool quiet = ended_.load() == begun;
    const bool leaving = leaving_.load();
    beginWanted();
    if (leaving && !deadline) {
      deadline = Deadline::inSeconds(context_.settings->timeoutSeconds);
      for (const auto& link : links_) link->relay.leave();
    }
    const auto moved = turn();
    if (!moved.ok()) {
      failWith(moved.error());
      break;
    }
    if (leaving && allOver()) break;
    if (leaving && deadline->passed()) {
      log::warn("{} leaves without knowing that its peers have what its device sent them",
                context_.directory->name(context_.rank));
      break;
    }
    if (*moved) {
      since_.reset();
    } else {
      rest(begun, quiet);
    }
  }
}

void Proxy::beginWanted() {
  std::vector<Wanted> wanted;
  {
    const std::scoped_lock lock(mutex_);
    wanted.swap(wanted_);
  }
  for (const Wanted& link : wanted) {
    links_.push_back(std::make_unique<Joined>(
        link, fmt::format("relaying lane {} of the device to {}", link.lane, context_.directory->name(link.peer))));
  }
}

Result<bool> Proxy::turn() {
  bool moved = false;
  for (const auto& link : links_) {
    auto progressed = link->relay.progress();
    if (!progressed.ok()) return std::move(progressed).error().within(link->name);
    moved |= *progressed;
  }
  return moved;
}

/// When a peer dies or gives up, its connections go as well, mostly before the news of it.
void Proxy::failWith(const Error& error) {
  const Deadline deadline = Deadline::in(error.code == ErrorCode::remoteError ? kPatience : Duration::zero());
  while (!cancelled_.load() && !deadline.passed()) ::poll(nullptr, 0, 1);
  if (!cancelled_.load()) fail_(error);
}

bool Proxy::allOver() const {
  return std::ranges::all_of(links_, [](const auto& link) { return link->relay.over(); });
}

void Proxy::rest(std::uint64_t begun, bool quiet) {
  const auto now = Clock::now();
  if (!since_) since_ = now;
  const auto waited = now - *since_;
  const bool busy = std::ranges::any_of(links_, [](const auto& link) { return link->relay.busy(); });
  if (!busy && quiet) {
    sleep(std::nullopt, begun);
  } else if (waited < kAwake) {
    sched_yield();
  } else {
    sleep(std::clamp(waited / 16, kShortestNap, kLongestNap), begun);
  }
}

// Who rings looks at asleep_ after he has said what for, and this one looks at that after it has set asleep_.
void Proxy::sleep(std::optional<Duration> longest, std::uint64_t begun) {
  descriptors_.assign(1, {bell_.get(), POLLIN, 0});
  for (const auto& link : links_) {
    const std::size_t before = descriptors_.size();
    link->relay.wanted(descriptors_);
    if (!longest && descriptors_.size() == before && !link->relay.over()) longest = kLongestSleep;
  }
  asleep_.store(true);
  if (begun_.load() == begun) {
    timespec duration{};
    if (longest) duration.tv_nsec = static_cast<long>(std::chrono::nanoseconds(*longest).count());
    ::ppoll(descriptors_.data(), descriptors_.size(), longest ? &duration : nullptr, nullptr);
  }
  asleep_.store(false);
  std::uint64_t rings = 0;
  static_cast<void>(::read(bell_.get(), &rings, sizeof rings));
}

}  // namespace atl::device
