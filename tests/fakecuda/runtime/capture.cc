// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/capture.h"

#include <algorithm>
#include <set>
#include <utility>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/configuration.h"
#include "tests/fakecuda/runtime/events.h"
#include "tests/fakecuda/runtime/streams.h"

namespace fakecuda {
namespace {

struct Captures {
  std::vector<std::shared_ptr<Capture>> active;
  unsigned long long lastId = 0;
};

Captures& captures() {
  static auto* const made = new Captures;
  return *made;
}

struct ThreadMode {
  unsigned long long generation = 0;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
};

cudaStreamCaptureMode& threadMode() {
  thread_local ThreadMode of;
  if (of.generation != generation()) of = {generation(), cudaStreamCaptureModeGlobal};
  return of.mode;
}

bool isMode(cudaStreamCaptureMode mode) {
  return mode == cudaStreamCaptureModeGlobal || mode == cudaStreamCaptureModeThreadLocal ||
         mode == cudaStreamCaptureModeRelaxed;
}

/// Does a capture forbid unsafe calls to the calling thread?
bool forbids(const Capture& capture) {
  const cudaStreamCaptureMode mode = threadMode();
  if (mode == cudaStreamCaptureModeRelaxed) return false;
  if (capture.thread == std::this_thread::get_id()) return capture.mode != cudaStreamCaptureModeRelaxed;
  return mode == cudaStreamCaptureModeGlobal && capture.mode == cudaStreamCaptureModeGlobal;
}

std::vector<StreamPtr> capturedBlockingStreams(const Stream& legacy) {
  std::vector<StreamPtr> found = streamsOf(legacy.device);
  std::erase_if(found, [](const StreamPtr& stream) { return !stream->blocking() || stream->capture == nullptr; });
  return found;
}

void join(const StreamPtr& stream, const std::shared_ptr<Capture>& capture, std::vector<Node*> captured) {
  stream->capture = capture;
  stream->captured = std::move(captured);
  capture->members.push_back(stream);
}

/// Everything that the nodes depend on, themselves included.
std::set<const Node*> behind(const std::vector<Node*>& nodes) {
  std::set<const Node*> seen(nodes.begin(), nodes.end());
  std::vector<const Node*> open(nodes.begin(), nodes.end());
  while (!open.empty()) {
    const Node* const node = open.back();
    open.pop_back();
    for (const Node* earlier : node->after) {
      if (seen.insert(earlier).second) open.push_back(earlier);
    }
  }
  return seen;
}

/// Has everything that other streams captured been waited for by the origin?
bool isJoined(const Capture& capture, const Stream& origin) {
  const std::set<const Node*> reached = behind(origin.captured);
  for (const std::weak_ptr<Stream>& member : capture.members) {
    const StreamPtr stream = member.lock();
    if (stream == nullptr || stream.get() == &origin) continue;
    for (const Node* node : stream->captured) {
      if (!reached.contains(node)) return false;
    }
  }
  return true;
}

void end(const std::shared_ptr<Capture>& capture) {
  capture->over = true;
  for (const std::weak_ptr<Stream>& member : capture->members) {
    const StreamPtr stream = member.lock();
    if (stream == nullptr) continue;
    stream->capture = nullptr;
    stream->captured.clear();
  }
  std::erase(captures().active, capture);
}

cudaError_t beginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  const StreamPtr stream = streamOf(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (!isMode(mode)) return cudaErrorInvalidValue;
  if (stream->role == Stream::Role::legacy) return cudaErrorStreamCaptureUnsupported;
  const std::lock_guard lock(submission());
  if (stream->capture != nullptr) return cudaErrorIllegalState;
  auto capture = std::make_shared<Capture>();
  capture->id = ++captures().lastId;
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->graph = makeGraph();
  capture->origin = stream;
  captures().active.push_back(capture);
  join(stream, capture, {});
  return cudaSuccess;
}

cudaError_t endCapture(cudaStream_t handle, cudaGraph_t* graph) {
  const StreamPtr stream = streamOf(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (graph == nullptr) return cudaErrorInvalidValue;
  const std::lock_guard lock(submission());
  const std::shared_ptr<Capture> capture = stream->capture;
  if (capture == nullptr) return cudaErrorIllegalState;
  if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id()) {
    return cudaErrorStreamCaptureWrongThread;
  }
  if (capture->origin.lock() != stream) return cudaErrorStreamCaptureUnmatched;
  const cudaError_t wrong = capture->invalid               ? cudaErrorStreamCaptureInvalidated
                            : !isJoined(*capture, *stream) ? cudaErrorStreamCaptureUnjoined
                                                           : cudaSuccess;
  end(capture);
  *graph = wrong == cudaSuccess ? capture->graph->handle : nullptr;
  if (wrong != cudaSuccess) forgetGraph(capture->graph->handle);
  return wrong;
}

cudaStreamCaptureStatus statusOf(const Stream& stream) {
  if (stream.capture == nullptr) return cudaStreamCaptureStatusNone;
  return stream.capture->invalid ? cudaStreamCaptureStatusInvalidated : cudaStreamCaptureStatusActive;
}

/// Looks at a stream's capture for a function that only asks.
template <class Look>
cudaError_t lookAt(cudaStream_t handle, cudaStreamCaptureStatus* status, Look&& look) {
  const StreamPtr stream = streamOf(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (status == nullptr) return cudaErrorInvalidValue;
  const std::lock_guard lock(submission());
  if (stream->role == Stream::Role::legacy && !capturedBlockingStreams(*stream).empty())
    return cudaErrorStreamCaptureImplicit;
  *status = statusOf(*stream);
  if (*status == cudaStreamCaptureStatusActive) look(*stream);
  return cudaSuccess;
}

void addNodes(std::vector<Node*>& to, const std::vector<Node*>& nodes) {
  for (Node* node : nodes) {
    if (std::find(to.begin(), to.end(), node) == to.end()) to.push_back(node);
  }
}

}  // namespace

void invalidate(Capture& capture) {
  capture.invalid = true;
}

cudaError_t captureWork(Stream& stream, Work work) {
  Capture& capture = *stream.capture;
  if (capture.invalid) return cudaErrorStreamCaptureInvalidated;
  stream.captured = {addNode(*capture.graph, std::move(work), stream.device, stream.captured)};
  return cudaSuccess;
}

cudaError_t captureRecord(Stream& stream, Event& event) {
  if (stream.capture->invalid) return cudaErrorStreamCaptureInvalidated;
  event.capture = stream.capture;
  event.captured = stream.captured;
  return cudaSuccess;
}

cudaError_t captureWait(const std::shared_ptr<Stream>& stream, Event& event) {
  if (event.capture == nullptr && event.recorded == nullptr) return cudaSuccess;
  if (event.capture == nullptr || event.capture->over) {
    if (stream->capture != nullptr) invalidate(*stream->capture);
    return cudaErrorStreamCaptureIsolation;
  }
  if (event.capture->invalid) return cudaErrorStreamCaptureInvalidated;
  if (stream->role == Stream::Role::legacy) {
    invalidate(*event.capture);
    return cudaErrorStreamCaptureImplicit;
  }
  if (stream->capture == nullptr) {
    join(stream, event.capture, event.captured);
    return cudaSuccess;
  }
  if (stream->capture->invalid) return cudaErrorStreamCaptureInvalidated;
  if (stream->capture != event.capture) {
    invalidate(*stream->capture);
    invalidate(*event.capture);
    return cudaErrorStreamCaptureMerge;
  }
  addNodes(stream->captured, event.captured);
  return cudaSuccess;
}

cudaError_t forbidImplicitCapture(const Stream& stream) {
  if (stream.role != Stream::Role::legacy) return cudaSuccess;
  const std::vector<StreamPtr> captured = capturedBlockingStreams(stream);
  for (const StreamPtr& other : captured) invalidate(*other->capture);
  return captured.empty() ? cudaSuccess : cudaErrorStreamCaptureImplicit;
}

cudaError_t forbidQuery(Stream& stream) {
  const std::lock_guard lock(submission());
  const cudaError_t implicit = forbidImplicitCapture(stream);
  if (implicit != cudaSuccess) return implicit;
  if (stream.capture == nullptr) return cudaSuccess;
  invalidate(*stream.capture);
  return cudaErrorStreamCaptureUnsupported;
}

cudaError_t forbidSynchronousCopy(cudaStream_t handle) {
  const StreamPtr stream = streamOf(handle);
  {
    const std::lock_guard lock(submission());
    const cudaError_t implicit = forbidImplicitCapture(*stream);
    if (implicit != cudaSuccess) return implicit;
  }
  return forbidWhileCapturing();
}

cudaError_t forbidWhileCapturing() {
  const std::lock_guard lock(submission());
  bool forbidden = false;
  for (const std::shared_ptr<Capture>& capture : captures().active) {
    if (!forbids(*capture)) continue;
    invalidate(*capture);
    forbidden = true;
  }
  return forbidden ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}

bool isCapturing(cudaStream_t handle) {
  const StreamPtr stream = streamOf(handle);
  const std::lock_guard lock(submission());
  return stream != nullptr && stream->capture != nullptr;
}

void forgetCaptures() {
  const std::lock_guard lock(submission());
  captures().active.clear();
}

}  // namespace fakecuda

using namespace fakecuda;

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return call(__func__, Needs::device, [&] { return beginCapture(stream, mode); });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return call(__func__, Needs::device, [&] { return endCapture(stream, graph); });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return call(__func__, Needs::device, [&] { return lookAt(stream, status, [](const Stream&) {}); });
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t handle, cudaStreamCaptureStatus* status, unsigned long long* id,
                                     cudaGraph_t* graph, const cudaGraphNode_t** dependencies,
                                     const cudaGraphEdgeData** data, std::size_t* count) {
  return call(__func__, Needs::device, [&] {
    return lookAt(handle, status, [&](Stream& stream) {
      stream.capturedHandles.clear();
      for (const Node* node : stream.captured) stream.capturedHandles.push_back(node->handle);
      stream.capturedEdges.assign(stream.captured.size(), cudaGraphEdgeData{});
      if (id != nullptr) *id = stream.capture->id;
      if (graph != nullptr) *graph = stream.capture->graph->handle;
      if (dependencies != nullptr) *dependencies = stream.capturedHandles.data();
      if (data != nullptr) *data = stream.capturedEdges.data();
      if (count != nullptr) *count = stream.captured.size();
    });
  });
}

cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t handle, cudaGraphNode_t* dependencies,
                                                const cudaGraphEdgeData* /*data*/, std::size_t count, unsigned flags) {
  return call(__func__, Needs::device, [&] {
    const StreamPtr stream = streamOf(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    const bool known = flags == cudaStreamAddCaptureDependencies || flags == cudaStreamSetCaptureDependencies;
    if (!known || (count > 0 && dependencies == nullptr)) return cudaErrorInvalidValue;
    const std::lock_guard lock(submission());
    if (stream->capture == nullptr) return cudaErrorIllegalState;
    if (stream->capture->invalid) return cudaErrorStreamCaptureInvalidated;
    std::vector<Node*> nodes;
    for (std::size_t i = 0; i < count; ++i) {
      Node* const node = nodeOf(dependencies[i]);
      if (node == nullptr || node->graph != stream->capture->graph.get()) return cudaErrorInvalidValue;
      nodes.push_back(node);
    }
    if (flags == cudaStreamSetCaptureDependencies) stream->captured.clear();
    addNodes(stream->captured, nodes);
    return cudaSuccess;
  });
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return call(__func__, Needs::driver, [&] {
    if (mode == nullptr || !isMode(*mode)) return cudaErrorInvalidValue;
    std::swap(threadMode(), *mode);
    return cudaSuccess;
  });
}

}  // extern "C"
