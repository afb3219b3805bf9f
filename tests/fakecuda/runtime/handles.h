// SPDX-License-Identifier: Apache-2.0
// What a program holds instead of an object: a number in the shape of a pointer. No number is given twice, so one that
// is kept too long is an error and not another object.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace fakecuda {

/// Thread-safe. `Handle` is CUDA's type, a pointer or an integer, hence the casts of C.
template <class Object, class Handle>
class Handles {
 public:
  Handle add(std::shared_ptr<Object> object) {
    const std::lock_guard lock(mutex_);
    // Far from the small numbers that stand for the default streams.
    const std::uintptr_t number = 0x10000 + 16 * ++count_;
    objects_[number] = std::move(object);
    return (Handle)number;
  }

  /// Null when there is none.
  std::shared_ptr<Object> find(Handle handle) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find((std::uintptr_t)handle);
    return found == objects_.end() ? nullptr : found->second;
  }

  std::shared_ptr<Object> remove(Handle handle) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find((std::uintptr_t)handle);
    if (found == objects_.end()) return nullptr;
    std::shared_ptr<Object> object = std::move(found->second);
    objects_.erase(found);
    return object;
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return objects_.size();
  }

  void clear() {
    std::map<std::uintptr_t, std::shared_ptr<Object>> gone;  // declared before the lock: destroyed without it
    const std::lock_guard lock(mutex_);
    gone.swap(objects_);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uintptr_t, std::shared_ptr<Object>> objects_;
  std::uintptr_t count_ = 0;
};

}  // namespace fakecuda
