// SPDX-License-Identifier: Apache-2.0
// A host stream: a queue of tasks and the thread that runs them in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

#include "atoll/atoll.h"
#include "src/base/result.h"

namespace atl::api {

class HostStream {
 public:
  using Task = std::function<Status()>;

  HostStream();
  /// Runs what is queued, then ends the thread.
  ~HostStream();
  HostStream(const HostStream&) = delete;
  HostStream& operator=(const HostStream&) = delete;

  void push(Task task);

  /// Queues one task on each stream at a single moment, so that two such groups stand in the same order on all their
  /// streams and cannot wait for each other. The streams differ.
  static void pushTogether(std::span<const std::shared_ptr<HostStream>> streams, std::span<Task> tasks);

  /// Waits until every task queued before this call is done.
  void waitIdle();

  /// The first failure since the last call of this; reported once.
  Status takeFailure();

  /// Success, or the failure that takeFailure() would give; nothing while tasks are queued or running.
  [[nodiscard]] std::optional<Status> query() const;

  /// True in the stream's own thread.
  [[nodiscard]] bool isSelf() const { return worker_.get_id() == std::this_thread::get_id(); }

 private:
  void work();

  mutable std::mutex mutex_;
  std::condition_variable pushed_;
  std::condition_variable finished_;
  std::deque<Task> tasks_;
  std::uint64_t pushedCount_ = 0;
  std::uint64_t finishedCount_ = 0;
  std::optional<Error> failure_;
  bool ending_ = false;
  std::thread worker_;
};

/// The live stream of a handle. Errors name the handle.
Result<std::shared_ptr<HostStream>> hostStream(atollStream_t handle);

}  // namespace atl::api
