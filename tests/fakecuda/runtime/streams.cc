// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/streams.h"

#include <algorithm>
#include <map>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/capture.h"
#include "tests/fakecuda/runtime/configuration.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/handles.h"
#include "tests/fakecuda/runtime/thread_pool.h"

namespace fakecuda {
namespace {

struct Streams {
  Handles<Stream, cudaStream_t> made;
  std::mutex mutex;
  std::map<int, StreamPtr> legacy;                ///< by device
  std::vector<std::weak_ptr<Stream>> everything;  ///< alive as long as a handle, a thread, or work in it
  unsigned long long lastId = 2;
};

Streams& streams() {
  static auto* const made = new Streams;
  return *made;
}

/// The per-thread default streams of a thread, by device.
struct OwnStreams {
  unsigned long long generation = 0;
  std::map<int, StreamPtr> byDevice;
};

OwnStreams& ownStreams() {
  thread_local OwnStreams own;
  if (own.generation != generation()) own = {generation(), {}};
  return own;
}

StreamPtr makeStream(Stream::Role role, int device, unsigned flags, int priority) {
  auto stream = std::make_shared<Stream>();
  stream->role = role;
  stream->device = device;
  stream->flags = flags;
  stream->priority = std::clamp(priority, kGreatestPriority, kLeastPriority);
  Streams& all = streams();
  const std::lock_guard lock(all.mutex);
  stream->id = role == Stream::Role::legacy ? 1 : ++all.lastId;
  std::erase_if(all.everything, [](const std::weak_ptr<Stream>& old) { return old.expired(); });
  all.everything.push_back(stream);
  return stream;
}

StreamPtr defaultStream(std::map<int, StreamPtr>& byDevice, Stream::Role role) {
  StreamPtr& stream = byDevice[currentDevice()];
  if (stream == nullptr) stream = makeStream(role, currentDevice(), cudaStreamDefault, kLeastPriority);
  return stream;
}

StreamPtr legacyStream() {
  Streams& all = streams();
  {
    const std::lock_guard lock(all.mutex);
    const auto found = all.legacy.find(currentDevice());
    if (found != all.legacy.end()) return found->second;
  }
  StreamPtr made = makeStream(Stream::Role::legacy, currentDevice(), cudaStreamDefault, kLeastPriority);
  const std::lock_guard lock(all.mutex);
  return all.legacy.emplace(currentDevice(), std::move(made)).first->second;
}

/// Works off a stream's queue in the calling thread until it is empty.
void drain(const StreamPtr& stream) {
  std::unique_lock lock(stream->mutex);
  while (!stream->tasks.empty()) {
    {
      Stream::Task task = std::move(stream->tasks.front());
      stream->tasks.pop_front();
      lock.unlock();
      for (const CompletionPtr& earlier : task.after) earlier->wait();
      task.run();
      task.run = nullptr;  // what the work kept alive ends before it counts as done
      task.done->finish();
    }
    lock.lock();
  }
  stream->working = false;
}

/// What the default stream's rules make work wait for: the legacy stream for all blocking streams of its device, they
/// for it.
void addImplicitOrder(const Stream& stream, std::vector<CompletionPtr>& after) {
  if (!stream.blocking() && stream.role != Stream::Role::legacy) return;
  for (const StreamPtr& other : streamsOf(stream.device)) {
    const bool related = stream.role == Stream::Role::legacy ? other->blocking() : other->role == Stream::Role::legacy;
    if (related && other->last != nullptr && !other->last->finished()) after.push_back(other->last);
  }
}

cudaError_t makeNew(cudaStream_t* result, unsigned flags, int priority) {
  if (result == nullptr || (flags & ~static_cast<unsigned>(cudaStreamNonBlocking)) != 0) return cudaErrorInvalidValue;
  *result = streams().made.add(makeStream(Stream::Role::made, currentDevice(), flags, priority));
  return cudaSuccess;
}

/// The stream of a handle for a function that only looks at it.
template <class Look>
cudaError_t lookAt(cudaStream_t handle, const void* result, Look&& look) {
  const StreamPtr stream = streamOf(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (result == nullptr) return cudaErrorInvalidValue;
  look(*stream);
  return cudaSuccess;
}

}  // namespace

std::mutex& submission() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

StreamPtr streamOf(cudaStream_t handle) {
  if (handle == nullptr || handle == cudaStreamLegacy) return legacyStream();
  if (handle == cudaStreamPerThread) return defaultStream(ownStreams().byDevice, Stream::Role::perThread);
  return streams().made.find(handle);
}

std::vector<StreamPtr> streamsOf(int device) {
  Streams& all = streams();
  std::vector<StreamPtr> found;
  const std::lock_guard lock(all.mutex);
  for (const std::weak_ptr<Stream>& known : all.everything) {
    StreamPtr stream = known.lock();
    if (stream != nullptr && (device < 0 || stream->device == device)) found.push_back(std::move(stream));
  }
  return found;
}

CompletionPtr enqueue(const StreamPtr& stream, std::function<void()> run, std::vector<CompletionPtr> after) {
  addImplicitOrder(*stream, after);
  auto done = std::make_shared<Completion>();
  stream->last = done;
  const std::lock_guard lock(stream->mutex);
  stream->tasks.push_back({std::move(run), std::move(after), done});
  if (!stream->working) {
    stream->working = true;
    startJob([stream] { drain(stream); });
  }
  return done;
}

cudaError_t submit(cudaStream_t handle, Work work, CompletionPtr* done) {
  const StreamPtr stream = streamOf(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  const std::lock_guard lock(submission());
  const cudaError_t implicit = forbidImplicitCapture(*stream);
  if (implicit != cudaSuccess) return implicit;
  if (stream->capture != nullptr) return captureWork(*stream, std::move(work));
  const int device = stream->device;
  CompletionPtr end = enqueue(stream, [work = std::move(work), device] { perform(work, device); });
  if (done != nullptr) *done = std::move(end);
  return cudaSuccess;
}

cudaError_t submitAndWait(cudaStream_t handle, Work work) {
  CompletionPtr done;
  const cudaError_t refused = submit(handle, std::move(work), &done);
  if (refused != cudaSuccess) return refused;
  if (done != nullptr) done->wait();
  return cudaSuccess;
}

void waitForDevice(int device) {
  std::vector<CompletionPtr> pending;
  {
    const std::vector<StreamPtr> all = streamsOf(device);
    const std::lock_guard lock(submission());
    for (const StreamPtr& stream : all) {
      if (stream->last != nullptr) pending.push_back(stream->last);
    }
  }
  for (const CompletionPtr& end : pending) end->wait();
}

std::size_t madeStreams() {
  return streams().made.size();
}

void forgetStreams() {
  waitForDevice(-1);
  Streams& all = streams();
  all.made.clear();
  const std::lock_guard lock(all.mutex);
  all.legacy.clear();
  all.everything.clear();
}

}  // namespace fakecuda

using namespace fakecuda;

extern "C" {

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return call(__func__, Needs::device, [&] { return makeNew(stream, cudaStreamDefault, kLeastPriority); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return call(__func__, Needs::device, [&] { return makeNew(stream, flags, kLeastPriority); });
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  return call(__func__, Needs::device, [&] { return makeNew(stream, flags, priority); });
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return call(__func__, Needs::device, [&] {
    const StreamPtr stream = streams().made.remove(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    const std::lock_guard lock(submission());
    if (stream->capture != nullptr) invalidate(*stream->capture);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned* flags) {
  return call(__func__, Needs::device,
              [&] { return lookAt(handle, flags, [&](const Stream& stream) { *flags = stream.flags; }); });
}

cudaError_t cudaStreamGetPriority(cudaStream_t handle, int* priority) {
  return call(__func__, Needs::device,
              [&] { return lookAt(handle, priority, [&](const Stream& stream) { *priority = stream.priority; }); });
}

cudaError_t cudaStreamGetId(cudaStream_t handle, unsigned long long* id) {
  return call(__func__, Needs::device,
              [&] { return lookAt(handle, id, [&](const Stream& stream) { *id = stream.id; }); });
}

cudaError_t cudaStreamGetDevice(cudaStream_t handle, int* device) {
  return call(__func__, Needs::device,
              [&] { return lookAt(handle, device, [&](const Stream& stream) { *device = stream.device; }); });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return call(__func__, Needs::device, [&] {
    const StreamPtr stream = streamOf(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    const cudaError_t captured = forbidQuery(*stream);
    if (captured != cudaSuccess) return captured;
    // Empty work rather than the last: in the legacy stream it comes after the blocking streams' too.
    const cudaError_t refused = submitAndWait(handle, NoWork{});
    return refused != cudaSuccess ? refused : deviceError(stream->device);
  });
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return call(__func__, Needs::device, [&] {
    const StreamPtr stream = streamOf(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    const cudaError_t captured = forbidQuery(*stream);
    if (captured != cudaSuccess) return captured;
    const std::lock_guard lock(submission());
    std::vector<CompletionPtr> pending;
    if (stream->last != nullptr && !stream->last->finished()) pending.push_back(stream->last);
    if (stream->role == Stream::Role::legacy) addImplicitOrder(*stream, pending);
    return pending.empty() ? deviceError(stream->device) : cudaErrorNotReady;
  });
}

}  // extern "C"
