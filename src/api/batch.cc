// SPDX-License-Identifier: Apache-2.0
#include "src/api/batch.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "src/comm/launches.h"
#include "src/exec/execution.h"

namespace atl::api {
namespace {

/// Neighbouring sends and receives are one exchange: takes those from `next` on into `exchange`, and passes them.
void takeExchange(const std::vector<QueuedCall>& calls, std::size_t& next, std::vector<PointToPoint>& exchange) {
  exchange.clear();
  while (next < calls.size() && calls[next].pointToPoint() != nullptr) {
    exchange.push_back(*calls[next++].pointToPoint());
  }
}

/// One communicator's calls, one after the other, as a single execution: a communicator never waits for another one
/// between two of its calls.
class InOrder final : public Execution {
 public:
  InOrder(Communicator& communicator, const std::vector<QueuedCall>& calls)
      : communicator_(communicator), calls_(calls) {}

  Result<bool> progress() override {
    moved_ = false;
    if (current_ == nullptr) {
      if (next_ == calls_.size()) return true;
      ATOLL_ASSIGN(current_, startNext());
      moved_ = true;
    }
    const auto done = current_->progress();
    if (!done.ok() || *done) {
      moved_ = true;
      current_ = nullptr;
      if (!done.ok()) return done.error();
      return next_ == calls_.size();
    }
    moved_ = moved_ || current_->moved();
    return false;
  }

  [[nodiscard]] bool moved() const override { return moved_; }
  [[nodiscard]] Patience patience() const override { return current_ == nullptr ? Patience{} : current_->patience(); }
  CoreUse coreUse() override { return current_ == nullptr ? CoreUse::own : current_->coreUse(); }
  void wanted(WakeSources& sources) const override {
    if (current_ != nullptr) current_->wanted(sources);
  }

  /// Between two calls the next one is begun only to be cancelled, so that peers who wait for it hear why.
  void cancel(const Error& reason) override {
    if (current_ == nullptr && next_ < calls_.size()) {
      const auto started = startNext();
      if (started.ok()) current_ = started.value();
    }
    if (current_ != nullptr) current_->cancel(reason);
    current_ = nullptr;
    next_ = calls_.size();
  }

 private:
  Result<Execution*> startNext() {
    if (const Call* call = calls_[next_].collective()) {
      ++next_;
      return communicator_.start(*call);
    }
    takeExchange(calls_, next_, exchange_);
    return communicator_.start(exchange_);
  }

  Communicator& communicator_;
  const std::vector<QueuedCall>& calls_;
  std::size_t next_ = 0;
  std::vector<PointToPoint> exchange_;  ///< the one under way
  Execution* current_ = nullptr;
  bool moved_ = false;
};

/// While it is there, calls on devices are made ready and not launched.
class Together {
 public:
  Together() = default;
  Together(const Together&) = delete;
  Together& operator=(const Together&) = delete;
  ~Together() { static_cast<void>(launch()); }

  void add(Communicator& communicator) {
    Launches* const its = communicator.launches();
    if (its == nullptr) return;
    held_.push_back(its);
    its->hold();
  }

  /// Launches what is ready, on communicators that have not failed; the first error.
  Status launch() {
    std::ranges::sort(held_, {}, &Launches::place);
    Status first = success();
    for (Launches* const launches : std::exchange(held_, {})) {
      if (Status status = launches->launch(); first.ok()) first = std::move(status);
    }
    return first;
  }

 private:
  std::vector<Launches*> held_;
};

Status runOneByOne(Communicator& communicator, const std::vector<QueuedCall>& calls) {
  thread_local std::vector<PointToPoint> exchange;
  for (std::size_t next = 0; next < calls.size();) {
    if (const Call* const call = calls[next].collective()) {
      ++next;
      ATOLL_TRY(communicator.run(*call));
    } else {
      takeExchange(calls, next, exchange);
      ATOLL_TRY(communicator.run(exchange));
    }
  }
  return success();
}

/// An error in making calls ready is why they cannot be launched, or comes before it.
Status firstOf(Status ready, Status launched) {
  return ready.ok() ? std::move(launched) : std::move(ready);
}

}  // namespace

Status runInOrder(Communicator& communicator, const std::vector<QueuedCall>& calls) {
  Together together;
  together.add(communicator);
  Status ready = runOneByOne(communicator, calls);
  return firstOf(std::move(ready), together.launch());
}

Result<double> predictInOrder(const Communicator& communicator, const std::vector<QueuedCall>& calls) {
  std::vector<PointToPoint> exchange;
  double seconds = 0;
  for (std::size_t next = 0; next < calls.size();) {
    if (const Call* const call = calls[next].collective()) {
      ++next;
      ATOLL_ASSIGN(const double its, communicator.predict(*call));
      seconds += its;
    } else {
      takeExchange(calls, next, exchange);
      seconds += communicator.predict(exchange);
    }
  }
  return seconds;
}

void Batch::add(Entry& entry, std::vector<QueuedCall> calls) {
  parts_.push_back(Part{&entry, Turn(entry.turns), std::move(calls)});
}

Status Batch::run() {
  for (Part& part : parts_) part.turn.await();
  Status status = drive();
  if (!status.ok()) {
    for (const Part& part : parts_) part.entry->fail(name_, status.error());
  }
  parts_.clear();
  return status;
}

Status Batch::drive() {
  std::deque<InOrder> queues;
  std::vector<Execution*> executions;
  Together together;
  for (const Part& part : parts_) {
    together.add(*part.entry->communicator);
    executions.push_back(&queues.emplace_back(*part.entry->communicator, part.calls));
  }
  Status ready = atl::drive(executions);
  return firstOf(std::move(ready), together.launch());
}

}  // namespace atl::api
