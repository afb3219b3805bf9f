// SPDX-License-Identifier: Apache-2.0
#include "tests/fakeverbs/runtime/engine.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <csignal>
#include <thread>
#include <utility>

#include "tests/fakeverbs/runtime/completions.h"
#include "tests/fakeverbs/runtime/network.h"
#include "tests/fakeverbs/runtime/requester.h"
#include "tests/fakeverbs/runtime/wire.h"

namespace fakeverbs {
namespace {

/// Packets between two looks at everything else.
constexpr int kBatch = 16;

/// How often the engine lets others pass before it goes on.
constexpr int kPatience = 64;

bool endPauses(World& all) {
  const Time now = Clock::now();
  bool any = false;
  while (!all.pauses.empty() && all.pauses.begin()->first <= now) {
    const std::uint32_t number = all.pauses.begin()->second;
    all.pauses.erase(all.pauses.begin());
    const auto qp = all.byNumber.find(number);
    if (qp == all.byNumber.end()) continue;
    any = true;
    if (qp->second->pause != QueuePair::Pause::no && qp->second->pauseEnds <= now) resume(all, *qp->second);
  }
  return any;
}

bool handleArrivals(World& all) {
  int handled = 0;
  for (; handled < kBatch && !all.inbox.empty(); ++handled) {
    const Packet packet = std::move(all.inbox.front());
    all.inbox.pop_front();
    arrive(all, packet);
  }
  return handled > 0;
}

bool sendSome(World& all) {
  int sent = 0;
  for (; sent < kBatch && !all.ready.empty(); ++sent) {
    const std::uint32_t number = all.ready.front();
    all.ready.pop_front();
    const auto found = all.byNumber.find(number);
    if (found == all.byNumber.end()) continue;
    QueuePair& qp = *found->second;
    qp.queued = false;
    if (sendNext(all, qp)) makeReady(all, qp);
  }
  return sent > 0;
}

/// One round of work. False if there was none. What has arrived comes first: were more sent meanwhile, answers would
/// wait behind it, and tries would be used up before anybody had a chance to answer. Other processes take turns with
/// sending, so that one that sends without end does not keep this one from it.
bool turn(World& all) {
  deliverDelayed(all, Clock::now());
  if (handleArrivals(all)) return true;
  if (!std::exchange(all.hasRead, false) && all.network->progress(all)) {
    all.hasRead = true;
    return true;
  }
  const bool ended = endPauses(all);
  return sendSome(all) || ended;
}

/// Until there is work again, or the next moment at which there will be.
void rest(World& all, std::unique_lock<std::mutex>& lock) {
  std::vector<pollfd> wanted = all.network->wanted();
  wanted.push_back({all.wakeDescriptor, POLLIN, 0});
  Time next = Clock::now() + std::chrono::hours(1);
  if (!all.pauses.empty()) next = std::min(next, all.pauses.begin()->first);
  if (!all.delayed.empty()) next = std::min(next, all.delayed.begin()->first);
  all.engineSleeps = true;
  lock.unlock();
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(next - Clock::now()).count();
  const timespec limit{static_cast<time_t>(std::max<long long>(left, 0) / 1000000000),
                       static_cast<long>(std::max<long long>(left, 0) % 1000000000)};
  ppoll(wanted.data(), wanted.size(), &limit, nullptr);
  lock.lock();
  all.engineSleeps = false;
  eventfd_t ignored = 0;
  eventfd_read(all.wakeDescriptor, &ignored);
}

[[noreturn]] void run() {
  World& all = world();
  std::unique_lock lock(all.mutex);
  for (;;) {
    if (!turn(all)) {
      rest(all, lock);
      continue;
    }
    // The lock is not fair, and this thread would have it again before anybody else could take it. Nor may a program
    // that never stops calling keep it for good.
    lock.unlock();
    for (int i = 0; i < kPatience && all.waiting.load(std::memory_order_relaxed) > 0; ++i) std::this_thread::yield();
    lock.lock();
  }
}

}  // namespace

void startEngine(World& all) {
  if (std::exchange(all.engineRuns, true)) return;
  // Signals are the program's.
  sigset_t everything;
  sigset_t before;
  sigfillset(&everything);
  pthread_sigmask(SIG_SETMASK, &everything, &before);
  std::thread(run).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void wakeEngine(World& all) {
  if (std::exchange(all.engineSleeps, false)) eventfd_write(all.wakeDescriptor, 1);
}

void makeReady(World& all, QueuePair& qp) {
  if (std::exchange(qp.queued, true)) return;
  all.ready.push_back(qp.qp_num);
  wakeEngine(all);
}

void pauseQueuePair(World& all, QueuePair& qp, QueuePair::Pause why) {
  const Configuration& setting = all.configuration;
  qp.pause = why;
  qp.pauseEnds = Clock::now() + (why == QueuePair::Pause::loss ? setting.ackTimeout : setting.rnrTimeout);
  all.pauses.emplace(qp.pauseEnds, qp.qp_num);
}

}  // namespace fakeverbs
