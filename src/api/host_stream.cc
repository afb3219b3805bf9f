// SPDX-License-Identifier: Apache-2.0
#include "src/api/host_stream.h"

#include <algorithm>
#include <vector>

namespace atl::api {

HostStream::HostStream() : worker_([this] { work(); }) {}

HostStream::~HostStream() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  pushed_.notify_one();
  worker_.join();
}

void HostStream::push(Task task) {
  {
    const std::scoped_lock lock(mutex_);
    tasks_.push_back(std::move(task));
    ++pushedCount_;
  }
  pushed_.notify_one();
}

void HostStream::pushTogether(std::span<const std::shared_ptr<HostStream>> streams, std::span<Task> tasks) {
  std::vector<HostStream*> inOrder;
  for (const auto& stream : streams) inOrder.push_back(stream.get());
  std::ranges::sort(inOrder);  // everybody locks in the order of addresses
  std::vector<std::unique_lock<std::mutex>> locks;
  for (HostStream* stream : inOrder) locks.emplace_back(stream->mutex_);
  for (std::size_t i = 0; i < streams.size(); ++i) {
    streams[i]->tasks_.push_back(std::move(tasks[i]));
    ++streams[i]->pushedCount_;
    streams[i]->pushed_.notify_one();
  }
}

void HostStream::waitIdle() {
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = pushedCount_;
  finished_.wait(lock, [&] { return finishedCount_ >= wanted; });
}

Status HostStream::takeFailure() {
  const std::scoped_lock lock(mutex_);
  if (!failure_) return success();
  Error error = std::move(*failure_);
  failure_.reset();
  return error;
}

std::optional<Status> HostStream::query() const {
  const std::scoped_lock lock(mutex_);
  if (finishedCount_ != pushedCount_) return std::nullopt;
  if (failure_) return Status(*failure_);
  return success();
}

void HostStream::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    pushed_.wait(lock, [&] { return ending_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    Status status = task();
    task = nullptr;  // what it holds goes before anyone is told that it is done
    lock.lock();
    if (!status.ok() && !failure_) failure_ = std::move(status).error();
    ++finishedCount_;
    finished_.notify_all();
  }
}

}  // namespace atl::api
