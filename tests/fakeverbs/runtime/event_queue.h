// SPDX-License-Identifier: Apache-2.0
// Events that a program waits for at a file descriptor: readable exactly while there is one.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

namespace fakeverbs {

/// Under the world's lock, but for descriptor().
template <class Event>
class EventQueue {
 public:
  /// Blocking, as libibverbs' are; the program may change that.
  EventQueue() : descriptor_(eventfd(0, EFD_CLOEXEC)) {}
  ~EventQueue() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }

  void push(Event event) {
    events_.push_back(std::move(event));
    if (events_.size() == 1) eventfd_write(descriptor_, 1);
  }

  std::optional<Event> pop() {
    if (events_.empty()) return std::nullopt;
    const std::optional<Event> first = std::move(events_.front());
    events_.pop_front();
    lowerFlag();
    return first;
  }

  /// Events of an object that goes.
  template <class Predicate>
  void removeIf(Predicate&& gone) {
    if (events_.empty()) return;
    std::erase_if(events_, gone);
    lowerFlag();
  }

 private:
  void lowerFlag() {
    eventfd_t count = 0;
    if (events_.empty()) eventfd_read(descriptor_, &count);  // it is not zero: this does not block
  }

  int descriptor_;
  std::deque<Event> events_;
};

/// What read() on such a descriptor would do while there is no event: waits, or fails with EAGAIN or EINTR in errno.
inline bool awaitReadable(int descriptor) {
  if ((fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0) {
    errno = EAGAIN;
    return false;
  }
  pollfd wanted{descriptor, POLLIN, 0};
  return poll(&wanted, 1, -1) >= 0;
}

}  // namespace fakeverbs
