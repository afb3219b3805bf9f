// SPDX-License-Identifier: Apache-2.0
// The sizes that a program measures.
#pragma once

#include <cstdint>
#include <vector>

#include "src/base/result.h"

namespace atl::perf {

/// From `minBytes` to at most `maxBytes`, by adding `stepBytes` or, if `factor` is not 0, by multiplying with it.
struct Sweep {
  std::uint64_t minBytes = 32u << 20;
  std::uint64_t maxBytes = 32u << 20;
  std::uint64_t stepBytes = 1u << 20;
  std::uint64_t factor = 0;

  friend bool operator==(const Sweep&, const Sweep&) = default;
};

/// The sizes in order. Errors: a minimum above the maximum, a step that leads nowhere, more than kMaxSizes sizes.
Result<std::vector<std::uint64_t>> sizesOf(const Sweep& sweep);

inline constexpr std::size_t kMaxSizes = 100000;

}  // namespace atl::perf
