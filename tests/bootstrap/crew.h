// SPDX-License-Identifier: Apache-2.0
// Ranks as threads of this process.
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "src/base/types.h"

namespace atl::test {

/// Runs `work(rank)` in a thread for each rank, and waits for all.
inline void asThreads(Rank ranks, const std::function<void(Rank)>& work) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(ranks));
  for (Rank rank = 0; rank < ranks; ++rank) threads.emplace_back([&work, rank] { work(rank); });
  for (auto& thread : threads) thread.join();
}

}  // namespace atl::test
