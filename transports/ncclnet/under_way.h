// SPDX-License-Identifier: Apache-2.0
// Requests of one connection that the plug-in has not done with, in the order in which it was asked.
#pragma once

#include <array>
#include <cstddef>

#include "transports/ncclnet/abi.h"
#include "transports/ncclnet/comm.h"

namespace atl::ncclnet {

/// Entry has a member `request`. As many as every plug-in bears.
template <class Entry>
class UnderWay {
 public:
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] bool full() const { return count_ == entries_.size(); }
  [[nodiscard]] const Entry& oldest() const { return entries_[first_]; }
  void add(const Entry& entry) { entries_[(first_ + count_++) % entries_.size()] = entry; }
  void removeOldest() {
    first_ = (first_ + 1) % entries_.size();
    --count_;
  }

 private:
  std::array<Entry, kMostRequestsOfOldPlugins> entries_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace atl::ncclnet
