// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/confidence.h"

#include <algorithm>

namespace atl::rdma {
namespace {

/// So many pauses are soon.
constexpr int kSoon = 16;
/// With the usual pause, some five minutes.
constexpr int kMostDoublings = 6;

}  // namespace

void Confidence::onFailure(Clock::time_point now) {
  if (!given_) return;
  const bool soon = givenAt_ != Clock::time_point() && seconds(now - givenAt_) < kSoon * pause();
  doublings_ = soon ? std::min(doublings_ + 1, kMostDoublings) : 0;
  given_ = false;
}

void Confidence::onWorking(Clock::time_point since, Clock::time_point now, bool alone) {
  if (given_ || (!alone && seconds(now - since) < pause())) return;
  given_ = true;
  givenAt_ = now;
}

}  // namespace atl::rdma
