// SPDX-License-Identifier: Apache-2.0
// Ranks as threads of the test's process.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "src/base/settings.h"
#include "src/bootstrap/session.h"
#include "src/comm/communicator.h"

namespace atl::test {

/// Runs `body(rank)` on `ranks` threads and waits for all.
inline void onThreads(Rank ranks, const std::function<void(Rank)>& body) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(ranks));
  for (Rank r = 0; r < ranks; ++r) threads.emplace_back([&body, r] { body(r); });
  for (auto& thread : threads) thread.join();
}

/// Settings for tests: a wait that hangs fails in seconds. Fast paths are as the environment forces them.
inline Settings testSettings() {
  Settings settings;
  settings.paths = Settings::fromEnvironment().value().paths;
  settings.timeoutSeconds = 30;
  settings.bootstrapTimeoutSeconds = 30;
  return settings;
}

/// The communicators of `ranks` ranks that are threads of this process.
inline std::vector<std::unique_ptr<Communicator>> communicators(Rank ranks, const Settings& settings) {
  auto session = Session::local(ranks, settings);
  std::vector<std::unique_ptr<Communicator>> result;
  for (Rank r = 0; r < ranks; ++r) {
    auto made = Communicator::create(session, r, settings);
    if (!made.ok()) throw std::runtime_error(made.error().text);
    result.push_back(std::move(made).value());
  }
  return result;
}

}  // namespace atl::test
