// SPDX-License-Identifier: Apache-2.0
#include "tests/fakeverbs/runtime/completions.h"

#include <algorithm>
#include <utility>

#include "tests/fakeverbs/runtime/calls.h"
#include "tests/fakeverbs/runtime/engine.h"
#include "tests/fakeverbs/runtime/posting.h"
#include "tests/fakeverbs/runtime/queue_pairs.h"

namespace fakeverbs {
namespace {

/// More completions than the queue has room for: the adapter gives it up, and what belongs to it.
void overflow(World& all, CompletionQueue& queue) {
  if (queue.overflowed) return;
  queue.overflowed = true;
  reportFailure("a completion queue of " + std::to_string(queue.cqe) + " entries overflowed");
  ibv_async_event event{};
  event.element.cq = &queue;
  event.event_type = IBV_EVENT_CQ_ERR;
  static_cast<Context*>(queue.context)->events.push(event);
  all.queuePairs.forEach([&](QueuePair& qp) {
    if (qp.send_cq != &queue && qp.recv_cq != &queue) return;
    enterError(all, qp);
    raiseEvent(qp, IBV_EVENT_QP_FATAL);
  });
}

void push(World& all, QueuePair& qp, Completion completion) {
  CompletionQueue& queue = qp.completionQueue(completion.ofSend);
  if (queue.overflowed || queue.ready.size() >= static_cast<std::size_t>(queue.cqe)) {
    overflow(all, queue);
    return;
  }
  const bool notable = completion.solicited || completion.wc.status != IBV_WC_SUCCESS;
  queue.ready.push_back(completion);
  queue.readyCount.store(queue.ready.size(), std::memory_order_release);
  const bool wakes =
      queue.armed == CompletionQueue::Armed::any || (queue.armed == CompletionQueue::Armed::solicited && notable);
  if (!wakes || queue.channel == nullptr) return;
  queue.armed = CompletionQueue::Armed::no;
  static_cast<Channel*>(queue.channel)->events.push(&queue);
}

/// The program has seen the completion: the slots up to it are free again.
void release(const World& all, const Completion& completion) {
  const auto found = all.byNumber.find(completion.wc.qp_num);
  if (found == all.byNumber.end()) return;
  QueuePair& qp = *found->second;
  if (completion.ofSend) {
    qp.sendsReleased = std::max(qp.sendsReleased, completion.releases);
  } else if (qp.shared() != nullptr) {
    --qp.shared()->taken;
  } else {
    qp.receivesReleased = std::max(qp.receivesReleased, completion.releases);
  }
}

/// Of completions that are thrown away, only those of a shared queue have slots that anybody still wants.
void releaseShared(const QueuePair& qp, const Completion& completion) {
  if (!completion.ofSend && qp.shared() != nullptr) --qp.shared()->taken;
}

void deliver(World& all, QueuePair& qp, Completion completion) {
  if (qp.held || !qp.heldBack.empty()) {
    qp.heldBack.push_back(completion);
  } else {
    push(all, qp, completion);
  }
}

void forgetIn(QueuePair& qp, std::deque<Completion>& completions) {
  std::erase_if(completions, [&](const Completion& one) {
    if (one.wc.qp_num != qp.qp_num) return false;
    releaseShared(qp, one);
    return true;
  });
}

}  // namespace

void complete(World& all, QueuePair& qp, Completion completion) {
  const Configuration& setting = all.configuration;
  const std::size_t side = completion.ofSend ? 1 : 0;
  const bool inTime = setting.completionDelay.count() == 0 && setting.completionJitter.count() == 0;
  if (inTime && qp.delayed[side] == 0) {
    deliver(all, qp, completion);
    return;
  }
  std::uniform_int_distribution<long long> jitter(0, setting.completionJitter.count());
  Time due = Clock::now() + setting.completionDelay + std::chrono::microseconds(jitter(all.random));
  if (qp.delayed[side] > 0) due = std::max(due, qp.lastDue[side]);  // never before an earlier one of its queue
  qp.lastDue[side] = due;
  ++qp.delayed[side];
  all.delayed.emplace(due, DelayedCompletion{qp.qp_num, completion});
  wakeEngine(all);
}

void deliverDelayed(World& all, Time now) {
  while (!all.delayed.empty() && all.delayed.begin()->first <= now) {
    const DelayedCompletion next = all.delayed.begin()->second;
    all.delayed.erase(all.delayed.begin());
    QueuePair& qp = *all.byNumber.at(next.qpNumber);
    --qp.delayed[next.completion.ofSend ? 1 : 0];
    deliver(all, qp, next.completion);
  }
}

void releaseHeld(World& all, QueuePair& qp) {
  qp.held = false;
  const std::deque<Completion> kept = std::exchange(qp.heldBack, {});
  for (const Completion& completion : kept) push(all, qp, completion);
}

void forgetCompletions(World& all, QueuePair& qp) {
  for (const bool ofSend : {false, true}) {
    CompletionQueue& queue = qp.completionQueue(ofSend);
    forgetIn(qp, queue.ready);
    queue.readyCount.store(queue.ready.size(), std::memory_order_release);
    qp.delayed[ofSend ? 1 : 0] = 0;
  }
  forgetIn(qp, qp.heldBack);
  std::erase_if(all.delayed, [&](const auto& entry) {
    if (entry.second.qpNumber != qp.qp_num) return false;
    releaseShared(qp, entry.second.completion);
    return true;
  });
}

void raiseEvent(QueuePair& qp, ibv_event_type type) {
  ibv_async_event event{};
  event.element.qp = &qp;
  event.event_type = type;
  static_cast<Context*>(qp.context)->events.push(event);
}

ibv_wc failed(const QueuePair& qp, std::uint64_t id, ibv_wc_status status, bool ofSend) {
  ibv_wc wc{};
  wc.wr_id = id;
  wc.status = status;
  wc.opcode = static_cast<ibv_wc_opcode>(ofSend ? 0xff : 0x7f);  // a receive to a send, and the other way round
  wc.byte_len = 0xdeadbeef;
  wc.wc_flags = IBV_WC_WITH_IMM;
  wc.qp_num = qp.qp_num;
  return wc;
}

int pollCompletionQueue(ibv_cq* handle, int count, ibv_wc* completions) {
  static Verb& verb = verbNamed("ibv_poll_cq");
  World& all = world();
  if (enter(verb) != 0) return -1;
  auto* const queue = static_cast<CompletionQueue*>(handle);
  if (count < 0) return -1;
  if (queue->readyCount.load(std::memory_order_acquire) == 0) return 0;
  const Lock lock(all);
  int polled = 0;
  for (; polled < count && !queue->ready.empty(); ++polled) {
    const Completion next = queue->ready.front();
    queue->ready.pop_front();
    release(all, next);
    completions[polled] = next.wc;
  }
  queue->readyCount.store(queue->ready.size(), std::memory_order_release);
  return polled;
}

int requestNotification(ibv_cq* handle, int solicitedOnly) {
  static Verb& verb = verbNamed("ibv_req_notify_cq");
  return call(verb, [&](World& all) {
    CompletionQueue* const queue = all.completionQueues.find(handle);
    if (queue == nullptr) return EINVAL;
    // The wider request of two holds.
    if (solicitedOnly == 0) {
      queue->armed = CompletionQueue::Armed::any;
    } else if (queue->armed == CompletionQueue::Armed::no) {
      queue->armed = CompletionQueue::Armed::solicited;
    }
    return 0;
  });
}

}  // namespace fakeverbs
