// SPDX-License-Identifier: Apache-2.0
// The program's objects that live as long as graphs need them.
#include <cuda_runtime_api.h>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/graphs.h"
#include "tests/fakecuda/runtime/handles.h"
#include "tests/fakecuda/runtime/streams.h"
#include "tests/fakecuda/runtime/thread_pool.h"

namespace fakecuda {

struct UserObject {
  cudaUserObject_t handle = nullptr;
  void* pointer = nullptr;
  cudaHostFn_t destroy = nullptr;
  std::mutex mutex;
  unsigned count = 0;
};

namespace {

Handles<UserObject, cudaUserObject_t>& objects() {
  static auto* const made = new Handles<UserObject, cudaUserObject_t>;
  return *made;
}

void retain(UserObject& object, unsigned count) {
  const std::lock_guard lock(object.mutex);
  object.count += count;
}

/// False if there are not as many references.
bool releaseSome(UserObject& object, unsigned count) {
  {
    const std::lock_guard lock(object.mutex);
    if (count > object.count) return false;
    object.count -= count;
    if (object.count > 0) return true;
  }
  objects().remove(object.handle);
  startJob([destroy = object.destroy, pointer = object.pointer] {
    const InsideCallback inside;
    destroy(pointer);
  });
  return true;
}

/// Finds the object of a handle for a call with a count.
template <class Use>
cudaError_t withObject(cudaUserObject_t handle, unsigned count, Use&& use) {
  const std::shared_ptr<UserObject> object = objects().find(handle);
  return object == nullptr || count == 0 ? cudaErrorInvalidValue : use(object);
}

}  // namespace

References::References(const References& other) : held_(other.held_) {
  for (const auto& [object, count] : held_) retain(*object, count);
}

References::~References() {
  for (const auto& [object, count] : held_) releaseSome(*object, count);
}

void References::adopt(const std::shared_ptr<UserObject>& object, unsigned count) {
  held_[object] += count;
}

bool References::drop(const std::shared_ptr<UserObject>& object, unsigned count) {
  const auto found = held_.find(object);
  if (found == held_.end() || found->second < count) return false;
  found->second -= count;
  if (found->second == 0) held_.erase(found);
  return releaseSome(*object, count);
}

std::size_t liveUserObjects() {
  return objects().size();
}

}  // namespace fakecuda

using namespace fakecuda;

extern "C" {

cudaError_t cudaUserObjectCreate(cudaUserObject_t* result, void* pointer, cudaHostFn_t destroy, unsigned count,
                                 unsigned flags) {
  return call(__func__, Needs::driver, [&] {
    const bool wrong = result == nullptr || destroy == nullptr || count == 0 || flags != cudaUserObjectNoDestructorSync;
    if (wrong) return cudaErrorInvalidValue;
    auto object = std::make_shared<UserObject>();
    object->pointer = pointer;
    object->destroy = destroy;
    object->count = count;
    object->handle = *result = objects().add(object);
    return cudaSuccess;
  });
}

cudaError_t cudaUserObjectRetain(cudaUserObject_t handle, unsigned count) {
  return call(__func__, Needs::driver, [&] {
    return withObject(handle, count, [&](const std::shared_ptr<UserObject>& object) {
      retain(*object, count);
      return cudaSuccess;
    });
  });
}

cudaError_t cudaUserObjectRelease(cudaUserObject_t handle, unsigned count) {
  return call(__func__, Needs::driver, [&] {
    return withObject(handle, count, [&](const std::shared_ptr<UserObject>& object) {
      return releaseSome(*object, count) ? cudaSuccess : cudaErrorInvalidValue;
    });
  });
}

cudaError_t cudaGraphRetainUserObject(cudaGraph_t handle, cudaUserObject_t objectHandle, unsigned count,
                                      unsigned flags) {
  return call(__func__, Needs::driver, [&] {
    if ((flags & ~static_cast<unsigned>(cudaGraphUserObjectMove)) != 0) return cudaErrorInvalidValue;
    return withObject(objectHandle, count, [&](const std::shared_ptr<UserObject>& object) {
      const std::lock_guard lock(submission());
      const std::shared_ptr<Graph> graph = graphOf(handle);
      if (graph == nullptr) return cudaErrorInvalidValue;
      if ((flags & cudaGraphUserObjectMove) == 0) retain(*object, count);
      graph->references.adopt(object, count);
      return cudaSuccess;
    });
  });
}

cudaError_t cudaGraphReleaseUserObject(cudaGraph_t handle, cudaUserObject_t objectHandle, unsigned count) {
  return call(__func__, Needs::driver, [&] {
    return withObject(objectHandle, count, [&](const std::shared_ptr<UserObject>& object) {
      const std::lock_guard lock(submission());
      const std::shared_ptr<Graph> graph = graphOf(handle);
      return graph != nullptr && graph->references.drop(object, count) ? cudaSuccess : cudaErrorInvalidValue;
    });
  });
}

}  // extern "C"
