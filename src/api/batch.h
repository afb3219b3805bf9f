// SPDX-License-Identifier: Apache-2.0
// Calls that run as one unit: a group's, or the single call of a stream. Each communicator's calls run in order;
// different communicators run side by side in one thread.
#pragma once

#include <string>
#include <vector>

#include "src/api/entry.h"
#include "src/api/queued_call.h"
#include "src/base/result.h"

namespace atl::api {

/// Runs one communicator's calls in order, in this thread, at once: what a batch does that meets nobody else. Under the
/// communicator's claim, when its turns are idle. Allocates nothing once this thread has run as many calls before.
Status runInOrder(Communicator& communicator, const std::vector<QueuedCall>& calls);

/// How long they will take, one after the other. Runs nothing. Under the communicator's claim, when its turns are idle.
Result<double> predictInOrder(const Communicator& communicator, const std::vector<QueuedCall>& calls);

class Batch {
 public:
  /// `name` is the API function that errors are ascribed to.
  explicit Batch(std::string name) : name_(std::move(name)) {}

  /// Adds a communicator, once, and takes its next turn. Under the communicator's claim.
  void add(Entry& entry, std::vector<QueuedCall> calls);

  /// Waits for the turns, runs the calls to their end and gives the turns back; once. An error is kept at every
  /// communicator of the batch: the others were cancelled for it.
  Status run();

 private:
  struct Part {
    Entry* entry;
    Turn turn;
    std::vector<QueuedCall> calls;
  };
  Status drive();

  std::string name_;
  std::vector<Part> parts_;
};

}  // namespace atl::api
