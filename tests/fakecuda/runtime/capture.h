// SPDX-License-Identifier: Apache-2.0
// Capture: streams that collect their work in a graph instead of doing it. Everything is under submission(), which the
// functions that take a reference expect to be held and the others take.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <thread>
#include <vector>

#include "tests/fakecuda/runtime/graphs.h"
#include "tests/fakecuda/runtime/work.h"

namespace fakecuda {

struct Event;
struct Stream;

struct Capture {
  unsigned long long id = 0;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id thread;  ///< that began it
  std::shared_ptr<Graph> graph;
  std::weak_ptr<Stream> origin;
  std::vector<std::weak_ptr<Stream>> members;  ///< the origin, and those that joined by waiting for its events
  bool invalid = false;
  bool over = false;
};

/// Nothing more can come of it: its streams refuse work until the end, which is an error.
void invalidate(Capture& capture);

/// Makes the work a node after what the stream has captured so far.
cudaError_t captureWork(Stream& stream, Work work);

/// Lets an event stand for what the stream has captured so far.
cudaError_t captureRecord(Stream& stream, Event& event);

/// Lets a stream wait for an event where one of them belongs to a capture; a stream that does not joins it.
cudaError_t captureWait(const std::shared_ptr<Stream>& stream, Event& event);

/// Work in the legacy stream would have to wait for streams that are captured: it spoils their captures.
cudaError_t forbidImplicitCapture(const Stream& stream);

/// Whether a stream that is captured has come to its end is a question without an answer; asking spoils the capture.
cudaError_t forbidQuery(Stream& stream);

/// A copy that waits is no part of a capture, and while one goes on it is as unsafe as an allocation. The legacy
/// stream's own rule comes first.
cudaError_t forbidSynchronousCopy(cudaStream_t handle);

/// May the thread allocate and the like, or are there captures that forbid it? They are spoilt by the attempt.
cudaError_t forbidWhileCapturing();

bool isCapturing(cudaStream_t handle);

void forgetCaptures();

}  // namespace fakecuda
