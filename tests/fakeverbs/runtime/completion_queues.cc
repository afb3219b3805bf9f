// SPDX-License-Identifier: Apache-2.0
// Completion queues and channels: their verbs. What arrives in them is in completions.cc.
#include "tests/fakeverbs/runtime/events.h"

using namespace fakeverbs;

extern "C" {

ibv_comp_channel* ibv_create_comp_channel(ibv_context* handle) {
  static Verb& verb = verbNamed(__func__);
  return create(verb, [&](World& all, int& error) -> ibv_comp_channel* {
    Context* const context = all.contexts.find(handle);
    if (context == nullptr) return nullptr;
    error = EIO;
    if (context->home->lost) return nullptr;
    auto channel = std::make_unique<Channel>();
    channel->context = context;
    channel->fd = channel->events.descriptor();
    ++context->users;
    return all.channels.add(std::move(channel));
  });
}

int ibv_destroy_comp_channel(ibv_comp_channel* handle) {
  static Verb& verb = verbNamed(__func__);
  return call(verb, [&](World& all) {
    Channel* const channel = all.channels.find(handle);
    if (channel == nullptr) return EINVAL;
    if (channel->users > 0) return EBUSY;
    --static_cast<Context*>(channel->context)->users;
    all.channels.remove(channel);
    return 0;
  });
}

ibv_cq* ibv_create_cq(ibv_context* handle, int entries, void* argument, ibv_comp_channel* channelHandle, int vector) {
  static Verb& verb = verbNamed(__func__);
  return create(verb, [&](World& all, int& error) -> ibv_cq* {
    Context* const context = all.contexts.find(handle);
    Channel* const channel = all.channels.find(channelHandle);
    if (context == nullptr || (channelHandle != nullptr && channel == nullptr)) return nullptr;
    if (channel != nullptr && channel->context != context) return nullptr;
    const Limits& limits = context->home->setting.limits;
    if (entries < 1 || entries > limits.entries || vector < 0 || vector >= limits.completionVectors) return nullptr;
    error = EIO;
    if (context->home->lost) return nullptr;
    auto queue = std::make_unique<CompletionQueue>();
    queue->context = context;
    queue->channel = channel;
    queue->cq_context = argument;
    queue->cqe = entries;
    ++context->users;
    if (channel != nullptr) ++channel->users;
    return all.completionQueues.add(std::move(queue));
  });
}

int ibv_destroy_cq(ibv_cq* handle) {
  static Verb& verb = verbNamed(__func__);
  const int error = call(verb, [&](World& all) {
    CompletionQueue* const queue = all.completionQueues.find(handle);
    if (queue == nullptr) return EINVAL;
    if (queue->users > 0) return EBUSY;
    if (queue->channel != nullptr) {
      static_cast<Channel*>(queue->channel)->events.removeIf([&](CompletionQueue* one) { return one == queue; });
    }
    static_cast<Context*>(queue->context)->events.removeIf([&](const ibv_async_event& event) {
      return event.event_type == IBV_EVENT_CQ_ERR && event.element.cq == queue;
    });
    return 0;
  });
  if (error != 0) return error;
  auto* const queue = static_cast<CompletionQueue*>(handle);
  awaitAcknowledgements("completion queue", queue->completionEvents, queue->asyncEvents);
  World& all = world();
  const Lock lock(all);
  --static_cast<Context*>(queue->context)->users;
  if (queue->channel != nullptr) --static_cast<Channel*>(queue->channel)->users;
  all.completionQueues.remove(queue);
  return 0;
}

int ibv_get_cq_event(ibv_comp_channel* handle, ibv_cq** queue, void** argument) {
  static Verb& verb = verbNamed(__func__);
  return awaitEvent(verb, handle->fd, [&](World& all, int& error) {
    Channel* const channel = all.channels.find(handle);
    if (channel == nullptr) error = EINVAL;
    const std::optional<CompletionQueue*> event = channel == nullptr ? std::nullopt : channel->events.pop();
    if (!event) return false;
    *queue = *event;
    *argument = (*event)->cq_context;
    ++(*event)->completionEvents.given;
    return true;
  });
}

void ibv_ack_cq_events(ibv_cq* handle, unsigned count) {
  static Verb& verb = verbNamed(__func__);
  call(verb, [&](World& all) {
    CompletionQueue* const queue = all.completionQueues.find(handle);
    if (queue == nullptr) {
      reportFailure("events of a completion queue that is none were acknowledged");
      return EINVAL;
    }
    acknowledge("completion queue", queue->completionEvents, count);
    return 0;
  });
}

}  // extern "C"
