// SPDX-License-Identifier: Apache-2.0
// The service thread: one a process, started at first use, on which every socket of the bootstrap is served. Objects
// that live on it need no locks of their own; other threads hand it work with post().
//
// It does not survive fork(): a child that was forked after the start gets an error, because the sockets and the state
// that it inherited are its parent's. Fork before the first use of Atoll, or exec.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/base/unique_fd.h"

namespace atl {

class Service {
 public:
  using Task = std::function<void()>;
  using EventHandler = std::function<void(std::uint32_t events)>;  ///< EPOLLIN, EPOLLOUT, …
  using WatchId = std::uint64_t;
  using TimerId = std::uint64_t;

  /// The process's service, running. Errors: it could not be started, or this is a forked child.
  static Result<Service*> instance();
  /// The same, for code that runs on the service thread or after instance() succeeded.
  static Service& running();

  /// Runs `task` on the service thread, in the order of the calls. False, and the task is dropped, once the process
  /// began to exit.
  bool post(Task task);
  [[nodiscard]] bool onThread() const { return std::this_thread::get_id() == thread_.get_id(); }

  // All below: on the service thread only.

  /// Calls `handler` whenever `fd` is ready for `events`, until forget(). The fd stays the caller's and must outlive
  /// the watch.
  WatchId watch(int fd, std::uint32_t events, EventHandler handler);
  void change(WatchId id, std::uint32_t events);
  void forget(WatchId id);

  TimerId at(Clock::time_point when, Task task);
  void cancel(TimerId id);

  /// Counts output that is still in this process, for which its exit waits a moment.
  void addUnsent() { ++unsent_; }
  void removeUnsent() { --unsent_; }

  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

 private:
  struct Watch {
    int fd;
    EventHandler handler;
  };

  Service() = default;
  ~Service() = default;
  Status start();
  void run();
  void runPosted();
  void runTimers();
  [[nodiscard]] int waitMilliseconds(Clock::time_point lastMoment) const;
  void stopAtExit();

  UniqueFd epoll_;
  UniqueFd wake_;
  int process_ = 0;
  std::thread thread_;

  std::mutex postedMutex_;
  std::vector<Task> posted_;
  bool stopping_ = false;

  WatchId nextWatch_ = 1;
  std::unordered_map<WatchId, std::shared_ptr<Watch>> watches_;
  TimerId nextTimer_ = 1;
  std::map<std::pair<Clock::time_point, TimerId>, Task> timers_;
  std::unordered_map<TimerId, Clock::time_point> timerTimes_;
  int unsent_ = 0;
};

}  // namespace atl
