// SPDX-License-Identifier: Apache-2.0
#include "src/api/dispatch.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace atl::api {
namespace {

/// A batch at which several streams meet.
class Meeting {
 public:
  Meeting(std::shared_ptr<Batch> batch, std::size_t followers) : batch_(std::move(batch)), awaited_(followers) {}

  /// The first stream's part: waits for the others, then runs the batch.
  Status lead() {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return awaited_ == 0; });
    }
    Status status = batch_->run();
    {
      const std::scoped_lock lock(mutex_);
      outcome_ = status;
    }
    changed_.notify_all();
    return status;
  }

  /// The others' part.
  Status follow() {
    std::unique_lock lock(mutex_);
    --awaited_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return outcome_.has_value(); });
    return *outcome_;
  }

 private:
  std::shared_ptr<Batch> batch_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t awaited_;
  std::optional<Status> outcome_;
};

}  // namespace

void StreamSet::add(std::shared_ptr<HostStream> stream) {
  if (stream == nullptr) {
    null = true;
  } else if (std::ranges::find(host, stream) == host.end()) {
    host.push_back(std::move(stream));
  }
}

Status dispatch(std::shared_ptr<Batch> batch, const StreamSet& streams) {
  if (streams.null) {
    for (const auto& stream : streams.host) stream->waitIdle();
    return batch->run();
  }
  if (streams.host.size() == 1) {
    streams.host.front()->push([batch = std::move(batch)] { return batch->run(); });
    return success();
  }
  const auto meeting = std::make_shared<Meeting>(std::move(batch), streams.host.size() - 1);
  std::vector<HostStream::Task> tasks;
  tasks.emplace_back([meeting] { return meeting->lead(); });
  while (tasks.size() < streams.host.size()) tasks.emplace_back([meeting] { return meeting->follow(); });
  HostStream::pushTogether(streams.host, tasks);
  return success();
}

}  // namespace atl::api
