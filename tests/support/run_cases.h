// SPDX-License-Identifier: Apache-2.0
// Cases run on communicators whose ranks are threads of the test.
#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "tests/support/case_matrix.h"
#include "tests/support/rank_threads.h"

namespace atl::test {

/// Runs the cases on every rank, in order, and reports the first failure of each rank.
inline void runAll(Rank ranks, const Settings& settings, const std::vector<CollectiveCase>& cases) {
  auto all = communicators(ranks, settings);
  std::mutex mutex;
  std::vector<std::string> failures;
  onThreads(ranks, [&](Rank rank) {
    for (const CollectiveCase& c : cases) {
      const auto wrong = runCase(*all[static_cast<std::size_t>(rank)], c);
      if (!wrong) continue;
      const std::scoped_lock lock(mutex);
      failures.push_back(fmt::format("{}: {}", describe(c), *wrong));
      return;
    }
  });
  for (const auto& failure : failures) ADD_FAILURE() << failure;
}

}  // namespace atl::test
