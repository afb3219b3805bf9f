// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/service.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "src/base/quiet_thread.h"

namespace atl {
namespace {

/// How long the exit of the process waits for the last farewells to reach the kernel.
constexpr auto kExitPatience = std::chrono::seconds(1);

/// Never destroyed: the service thread and the destructors of other statics may still refer to it.
Service* theService = nullptr;
std::mutex theServiceMutex;

}  // namespace

Result<Service*> Service::instance() {
  const std::lock_guard lock(theServiceMutex);
  if (theService == nullptr) {
    auto* const service = new Service();
    if (auto started = service->start(); !started.ok()) {
      delete service;
      return std::move(started).error();
    }
    theService = service;
    std::atexit([] { theService->stopAtExit(); });
  }
  if (theService->process_ != ::getpid()) {
    return makeError(ErrorCode::invalidUsage,
                     "this process (pid {}) was forked from pid {} after Atoll had started there: fork before the "
                     "first call, or exec",
                     ::getpid(), theService->process_);
  }
  return theService;
}

Service& Service::running() {
  return *theService;
}

Status Service::start() {
  process_ = ::getpid();
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return systemError(errno, "cannot create the service thread's epoll instance");
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return systemError(errno, "cannot create the service thread's eventfd");
  watch(wake_.get(), EPOLLIN, [this](std::uint32_t) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
  });
  auto started = startQuietThread("atoll-service", [this] { run(); });
  if (!started.ok()) return std::move(started).error().within("the service thread of the bootstrap");
  thread_ = std::move(*started);
  return success();
}

bool Service::post(Task task) {
  bool first = false;
  {
    const std::lock_guard lock(postedMutex_);
    if (stopping_) return false;
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first && !onThread()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
  }
  return true;
}

Service::WatchId Service::watch(int fd, std::uint32_t events, EventHandler handler) {
  const WatchId id = nextWatch_++;
  watches_.emplace(id, std::make_shared<Watch>(Watch{fd, std::move(handler)}));
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  return id;
}

void Service::change(WatchId id, std::uint32_t events) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, found->second->fd, &event);
}

void Service::forget(WatchId id) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second->fd, nullptr);
  watches_.erase(found);
}

Service::TimerId Service::at(Clock::time_point when, Task task) {
  const TimerId id = nextTimer_++;
  timers_.emplace(std::pair(when, id), std::move(task));
  timerTimes_.emplace(id, when);
  return id;
}

void Service::cancel(TimerId id) {
  const auto found = timerTimes_.find(id);
  if (found == timerTimes_.end()) return;
  timers_.erase({found->second, id});
  timerTimes_.erase(found);
}

void Service::runPosted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(postedMutex_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks) task();
}

void Service::runTimers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    const auto first = timers_.begin();
    const Task task = std::move(first->second);
    timerTimes_.erase(first->first.second);
    timers_.erase(first);
    task();
  }
}

int Service::waitMilliseconds(Clock::time_point lastMoment) const {
  constexpr int kCap = 60'000;
  const auto next = timers_.empty() ? lastMoment : std::min(lastMoment, timers_.begin()->first.first);
  if (next == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, kCap));
}

void Service::run() {
  std::array<epoll_event, 64> events{};
  auto lastMoment = Clock::time_point::max();
  for (;;) {
    runPosted();
    runTimers();
    bool idle = false;
    {
      const std::lock_guard lock(postedMutex_);
      idle = posted_.empty();
      if (stopping_ && lastMoment == Clock::time_point::max()) lastMoment = Clock::now() + kExitPatience;
    }
    if (lastMoment != Clock::time_point::max() && idle && (unsent_ == 0 || Clock::now() >= lastMoment)) return;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   idle ? waitMilliseconds(lastMoment) : 0);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      const std::uint64_t key =
          event.data.u64;  // a copy: the kernel's structure is packed, and the key misaligned in it
      const auto found = watches_.find(key);
      if (found == watches_.end()) continue;  // forgotten by a handler earlier in this batch
      const auto watch = found->second;
      watch->handler(event.events);
    }
  }
}

void Service::stopAtExit() {
  if (process_ != ::getpid()) return;  // a forked child has no such thread
  {
    const std::lock_guard lock(postedMutex_);
    stopping_ = true;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
  if (thread_.joinable() && !onThread()) thread_.join();
}

}  // namespace atl
