// SPDX-License-Identifier: Apache-2.0
// Whether the port where a queue pair of a link belongs is relied on. It is at the start, and not after it has failed;
// and again when it has worked for a while, so that a port that comes and goes does not make the link swing. The while
// doubles each time it fails soon after.
#pragma once

#include "src/base/clock.h"

namespace atl::rdma {

class Confidence {
 public:
  /// `pause`: for how long it has to work before it is relied on again, in seconds.
  explicit Confidence(double pause) : pause_(pause) {}

  [[nodiscard]] bool given() const { return given_; }
  /// What it was given for at the start is not there.
  void withdraw() { given_ = false; }
  void onFailure(Clock::time_point now);
  /// It works, and has since then. `alone`: nothing else does, so that there is no reason to wait.
  void onWorking(Clock::time_point since, Clock::time_point now, bool alone);

  /// That has to pass, at present.
  [[nodiscard]] double pause() const { return pause_ * (1 << doublings_); }

 private:
  double pause_;
  Clock::time_point givenAt_;
  int doublings_ = 0;
  bool given_ = true;
};

}  // namespace atl::rdma
