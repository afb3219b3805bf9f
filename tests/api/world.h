// SPDX-License-Identifier: Apache-2.0
// A communicator of several ranks in this process, each of which runs in a thread of its own.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "atoll/atoll.h"

namespace atl::api {

/// Destroys the communicators that are left at its end.
class World {
 public:
  explicit World(int ranks) : comms_(static_cast<std::size_t>(ranks)) {
    EXPECT_EQ(atollCommInitAll(comms_.data(), ranks), atollSuccess) << atollGetLastError(nullptr);
  }
  explicit World(std::vector<atollComm_t> comms) : comms_(std::move(comms)) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() {
    for (atollComm_t comm : comms_) EXPECT_EQ(atollCommDestroy(comm), atollSuccess) << atollGetLastError(nullptr);
  }

  [[nodiscard]] int ranks() const { return static_cast<int>(comms_.size()); }
  atollComm_t& operator[](int rank) { return comms_[static_cast<std::size_t>(rank)]; }

  /// body(rank, comm) in every rank's thread; returns when all are done.
  template <class Body>
  void run(Body body) {
    std::vector<std::thread> threads;
    for (int rank = 0; rank < ranks(); ++rank) threads.emplace_back([&, rank] { body(rank, (*this)[rank]); });
    for (std::thread& thread : threads) thread.join();
  }

 private:
  std::vector<atollComm_t> comms_;
};

/// The last error of a communicator, or of this thread.
inline std::string lastError(atollComm_t comm = nullptr) {
  return atollGetLastError(comm);
}

/// A value that no handle has.
template <class Handle>
Handle forged(std::uintptr_t value) {
  return reinterpret_cast<Handle>(value);
}

}  // namespace atl::api
