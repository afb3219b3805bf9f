// SPDX-License-Identifier: Apache-2.0
// What a rank's plan reads of its own output: the rest need not be kept in the cache once it is written.
#pragma once

#include <cstdint>
#include <vector>

#include "src/plan/plan.h"

namespace atl::exec {

class OutputReads {
 public:
  explicit OutputReads(const Plan& plan);

  /// Whether some repetition of a step writes to `destination` what the plan reads at any time. Says yes when it cannot
  /// tell.
  [[nodiscard]] bool includes(const Chunk& destination, std::int32_t repeat) const;

 private:
  void add(const Chunk& chunk, std::int32_t repeat);

  std::int32_t parts_ = 0;  ///< in which the reads divide the output; 0: nothing is read
  bool mixed_ = false;      ///< they do not agree on it
  std::vector<bool> read_;  ///< by part
};

}  // namespace atl::exec
