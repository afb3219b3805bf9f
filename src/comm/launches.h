// SPDX-License-Identifier: Apache-2.0
// How a communicator's calls reach its device when several belong together: they are made ready one by one, for which
// ranks may have to wait for each other, and launched when all are.
#pragma once

#include <cstdint>
#include <utility>

#include "src/base/result.h"
#include "src/base/types.h"

namespace atl {

class Launches {
 public:
  virtual ~Launches() = default;

  /// A place among the communicators of the job, and among their ranks here. Launches of several communicators go in
  /// this order on every rank, or two ranks might wait for each other in the streams.
  [[nodiscard]] virtual std::pair<std::uint64_t, Rank> place() const = 0;

  /// From now on calls are complete when they are ready.
  virtual void hold() = 0;

  /// Ends hold(): what is ready is launched, in the order in which it was called and in as few launches as can be. On a
  /// communicator that has failed nothing is; the error is its own.
  virtual Status launch() = 0;
};

}  // namespace atl
