// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/thread_pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace fakecuda {
namespace {

/// Never destroyed: its threads live until the process ends.
struct Pool {
  std::mutex mutex;
  std::condition_variable more;
  std::deque<std::function<void()>> jobs;
  std::size_t idle = 0;
};

Pool& pool() {
  static auto* const made = new Pool;
  return *made;
}

void work() {
  Pool& all = pool();
  std::unique_lock lock(all.mutex);
  for (;;) {
    ++all.idle;
    all.more.wait(lock, [&] { return !all.jobs.empty(); });
    --all.idle;
    {
      const std::function<void()> job = std::move(all.jobs.front());
      all.jobs.pop_front();
      lock.unlock();
      job();
    }
    lock.lock();
  }
}

}  // namespace

void startJob(std::function<void()> job) {
  Pool& all = pool();
  const std::lock_guard lock(all.mutex);
  all.jobs.push_back(std::move(job));
  // An idle thread that has been woken but does not run yet still counts as idle, and its job as queued.
  if (all.jobs.size() > all.idle) std::thread(work).detach();
  all.more.notify_one();
}

}  // namespace fakecuda
