// SPDX-License-Identifier: Apache-2.0
// What the ranks of one communicator that live in one process share.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "src/base/result.h"

namespace atl {

/// Values in use, by the session's number of the communicator: made by the first rank that asks, kept by those who have
/// them. From any thread.
template <class Value>
class PerCommunicator {
 public:
  /// `make()` gives a Result<Value>.
  template <class Make>
  Result<std::shared_ptr<const Value>> get(std::uint64_t communicator, Make make) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    if (auto value = known_[communicator].lock()) return value;
    ATOLL_ASSIGN(Value made, make());
    auto value = std::make_shared<const Value>(std::move(made));
    known_[communicator] = value;
    return value;
  }

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, std::weak_ptr<const Value>> known_;
};

}  // namespace atl
