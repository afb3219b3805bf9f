// SPDX-License-Identifier: Apache-2.0
// Streams: queues in order, each worked off by a thread while there is something in it.
//
// One lock, submission(), is held whenever something is put into a stream or a capture, so that there is one order of
// all of this; it is never held while work is done.
#pragma once

#include <cuda_runtime_api.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "tests/fakecuda/fakecuda.h"
#include "tests/fakecuda/runtime/completion.h"
#include "tests/fakecuda/runtime/work.h"

namespace fakecuda {

struct Capture;
struct Node;

struct Stream {
  enum class Role : unsigned char { legacy, perThread, made };

  int device = 0;
  Role role = Role::made;
  unsigned flags = cudaStreamDefault;
  int priority = 0;
  unsigned long long id = 0;

  // Under submission():
  CompletionPtr last;  ///< of what was put in last; null at first
  std::shared_ptr<Capture> capture;
  std::vector<Node*> captured;                   ///< what the next captured node depends on
  std::vector<cudaGraphNode_t> capturedHandles;  ///< as cudaStreamGetCaptureInfo last gave them out
  std::vector<cudaGraphEdgeData> capturedEdges;

  // Under its own lock:
  struct Task {
    std::function<void()> run;
    std::vector<CompletionPtr> after;
    CompletionPtr done;
  };
  std::mutex mutex;
  std::deque<Task> tasks;
  bool working = false;

  /// Does it wait for the legacy default stream, and that for it?
  [[nodiscard]] bool blocking() const { return role != Role::legacy && (flags & cudaStreamNonBlocking) == 0; }
};

using StreamPtr = std::shared_ptr<Stream>;

std::mutex& submission();

/// The stream of a handle, default streams included, for the calling thread and its device; null when there is none.
StreamPtr streamOf(cudaStream_t handle);

/// The streams of a device; of all devices when it is negative.
std::vector<StreamPtr> streamsOf(int device);

/// Puts work at a stream's end, after its own, after what the legacy stream's rules demand, and after what is told.
/// submission() is held.
CompletionPtr enqueue(const StreamPtr& stream, std::function<void()> run, std::vector<CompletionPtr> after = {});

/// Queues work in a stream, or captures it.
cudaError_t submit(cudaStream_t handle, Work work, CompletionPtr* done = nullptr);

/// submit(), and waits. What is captured is not waited for.
cudaError_t submitAndWait(cudaStream_t handle, Work work);

/// Waits for all that the streams of a device hold now.
void waitForDevice(int device);

std::size_t madeStreams();

/// Waits for all streams of all devices and forgets them.
void forgetStreams();

}  // namespace fakecuda
