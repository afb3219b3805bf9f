// SPDX-License-Identifier: Apache-2.0
// Events of adapters, ports and queues, and the acknowledging of all events.
#include <chrono>
#include <thread>

#include "tests/fakeverbs/runtime/events.h"

namespace fakeverbs {
namespace {

/// Null for events of an adapter or a port.
Acknowledgements* acknowledgementsFor(const World& all, const ibv_async_event& event) {
  switch (event.event_type) {
    case IBV_EVENT_CQ_ERR: {
      CompletionQueue* const queue = all.completionQueues.find(event.element.cq);
      return queue == nullptr ? nullptr : &queue->asyncEvents;
    }
    case IBV_EVENT_QP_FATAL:
    case IBV_EVENT_QP_REQ_ERR:
    case IBV_EVENT_QP_ACCESS_ERR:
    case IBV_EVENT_QP_LAST_WQE_REACHED: {
      QueuePair* const qp = all.queuePairs.find(event.element.qp);
      return qp == nullptr ? nullptr : &qp->asyncEvents;
    }
    default: return nullptr;
  }
}

}  // namespace

void acknowledge(const char* what, Acknowledgements& events, unsigned count) {
  events.acknowledged += count;
  if (events.acknowledged > events.given) {
    reportFailure(std::string("more events of a ") + what + " were acknowledged than there were");
    events.acknowledged = events.given;
  }
}

void awaitAcknowledgements(const char* what, const Acknowledgements& one, const Acknowledgements& other) {
  const Time patience = Clock::now() + std::chrono::seconds(5);
  for (;;) {
    {
      const Lock lock(world());
      if (one.complete() && other.complete()) return;
    }
    if (Clock::now() > patience) {
      reportFailure(std::string("a ") + what + " was destroyed with events that nobody acknowledged");
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace fakeverbs

using namespace fakeverbs;

extern "C" {

int ibv_get_async_event(ibv_context* handle, ibv_async_event* event) {
  static Verb& verb = verbNamed(__func__);
  return awaitEvent(verb, handle->async_fd, [&](World& all, int& error) {
    Context* const context = all.contexts.find(handle);
    if (context == nullptr) error = EINVAL;
    const std::optional<ibv_async_event> next = context == nullptr ? std::nullopt : context->events.pop();
    if (!next) return false;
    *event = *next;
    Acknowledgements* const object = acknowledgementsFor(all, *next);
    if (object != nullptr) ++object->given;
    return true;
  });
}

void ibv_ack_async_event(ibv_async_event* event) {
  static Verb& verb = verbNamed(__func__);
  call(verb, [&](World& all) {
    Acknowledgements* const object = acknowledgementsFor(all, *event);
    if (object != nullptr) acknowledge("queue", *object, 1);
    return 0;
  });
}

}  // extern "C"
