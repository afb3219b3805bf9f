// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/events.h"

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/capture.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/handles.h"
#include "tests/fakecuda/runtime/streams.h"

namespace fakecuda {
namespace {

Handles<Event, cudaEvent_t>& events() {
  static auto* const made = new Handles<Event, cudaEvent_t>;
  return *made;
}

cudaError_t makeEvent(cudaEvent_t* result, unsigned flags) {
  constexpr unsigned known = cudaEventBlockingSync | cudaEventDisableTiming | cudaEventInterprocess;
  const bool shared = (flags & cudaEventInterprocess) != 0;
  if (result == nullptr || (flags & ~known) != 0) return cudaErrorInvalidValue;
  if (shared && (flags & cudaEventDisableTiming) == 0) return cudaErrorInvalidValue;
  auto event = std::make_shared<Event>();
  event->device = currentDevice();
  event->flags = flags;
  *result = events().add(std::move(event));
  return cudaSuccess;
}

cudaError_t record(cudaEvent_t handle, cudaStream_t streamHandle, unsigned flags) {
  const std::shared_ptr<Event> event = eventOf(handle);
  const StreamPtr stream = streamOf(streamHandle);
  if (event == nullptr || stream == nullptr || event->device != stream->device) return cudaErrorInvalidResourceHandle;
  if (flags != cudaEventRecordDefault && flags != cudaEventRecordExternal) return cudaErrorInvalidValue;
  const std::lock_guard lock(submission());
  const cudaError_t implicit = forbidImplicitCapture(*stream);
  if (implicit != cudaSuccess) return implicit;
  if (stream->capture != nullptr) {
    if (flags == cudaEventRecordExternal) return captureWork(*stream, RecordWork{event, handle});
    return captureRecord(*stream, *event);
  }
  if (flags == cudaEventRecordExternal) return cudaErrorIllegalState;
  event->recorded = enqueue(stream, [] {});
  event->capture = nullptr;
  event->captured.clear();
  return cudaSuccess;
}

cudaError_t wait(cudaStream_t streamHandle, cudaEvent_t handle, unsigned flags) {
  const std::shared_ptr<Event> event = eventOf(handle);
  const StreamPtr stream = streamOf(streamHandle);
  if (event == nullptr || stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (flags != cudaEventWaitDefault && flags != cudaEventWaitExternal) return cudaErrorInvalidValue;
  const std::lock_guard lock(submission());
  const cudaError_t implicit = forbidImplicitCapture(*stream);
  if (implicit != cudaSuccess) return implicit;
  if (flags == cudaEventWaitExternal) {
    return stream->capture == nullptr ? cudaErrorIllegalState : captureWork(*stream, WaitWork{event, handle});
  }
  if (stream->capture != nullptr || event->capture != nullptr) return captureWait(stream, *event);
  if (event->recorded != nullptr) enqueue(stream, [] {}, {event->recorded});
  return cudaSuccess;
}

/// The completion that an event stands for now, null when it was never recorded.
cudaError_t pointOf(const std::shared_ptr<Event>& event, CompletionPtr& point) {
  if (event == nullptr) return cudaErrorInvalidResourceHandle;
  const std::lock_guard lock(submission());
  if (event->capture != nullptr) {
    invalidate(*event->capture);
    return cudaErrorCapturedEvent;
  }
  point = event->recorded;
  return cudaSuccess;
}

}  // namespace

std::shared_ptr<Event> eventOf(cudaEvent_t handle) {
  return events().find(handle);
}
std::size_t liveEvents() {
  return events().size();
}
void forgetEvents() {
  events().clear();
}

}  // namespace fakecuda

using namespace fakecuda;

extern "C" {

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return call(__func__, Needs::device, [&] { return makeEvent(event, cudaEventDefault); });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return call(__func__, Needs::device, [&] { return makeEvent(event, flags); });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return call(__func__, Needs::device,
              [&] { return events().remove(event) == nullptr ? cudaErrorInvalidResourceHandle : cudaSuccess; });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return call(__func__, Needs::device, [&] { return record(event, stream, cudaEventRecordDefault); });
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  return call(__func__, Needs::device, [&] { return record(event, stream, flags); });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  return call(__func__, Needs::device, [&] { return wait(stream, event, flags); });
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return call(__func__, Needs::device, [&] {
    CompletionPtr point;
    const cudaError_t refused = pointOf(eventOf(handle), point);
    if (refused != cudaSuccess) return refused;
    return point == nullptr || point->finished() ? cudaSuccess : cudaErrorNotReady;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return call(__func__, Needs::device, [&] {
    const std::shared_ptr<Event> event = eventOf(handle);
    CompletionPtr point;
    const cudaError_t refused = pointOf(event, point);
    if (refused != cudaSuccess) return refused;
    if (point != nullptr) point->wait();
    return deviceError(event->device);
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return call(__func__, Needs::device, [&] {
    const std::shared_ptr<Event> first = eventOf(start);
    const std::shared_ptr<Event> second = eventOf(end);
    if (milliseconds == nullptr) return cudaErrorInvalidValue;
    if (first == nullptr || second == nullptr || first->device != second->device) return cudaErrorInvalidResourceHandle;
    if (((first->flags | second->flags) & cudaEventDisableTiming) != 0) return cudaErrorInvalidResourceHandle;
    const std::lock_guard lock(submission());
    if (first->recorded == nullptr || second->recorded == nullptr) return cudaErrorInvalidResourceHandle;
    if (!first->recorded->finished() || !second->recorded->finished()) return cudaErrorNotReady;
    *milliseconds =
        std::chrono::duration<float, std::milli>(second->recorded->when() - first->recorded->when()).count();
    return cudaSuccess;
  });
}

// Events between processes are not modelled; a program has to have another way.
cudaError_t cudaIpcGetEventHandle(cudaIpcEventHandle_t* /*handle*/, cudaEvent_t /*event*/) {
  return call(__func__, Needs::device, [] { return cudaErrorNotSupported; });
}

cudaError_t cudaIpcOpenEventHandle(cudaEvent_t* /*event*/, cudaIpcEventHandle_t /*handle*/) {
  return call(__func__, Needs::device, [] { return cudaErrorNotSupported; });
}

}  // extern "C"
