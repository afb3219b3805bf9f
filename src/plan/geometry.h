// SPDX-License-Identifier: Apache-2.0
// From parts to elements: the one place that decides where a chunk begins and ends, odd counts and tails included.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "src/plan/plan.h"

namespace atl::plan {

/// A half-open run of elements.
struct Extent {
  std::int64_t begin = 0;
  std::int64_t count = 0;
};

/// Shares are cut at multiples of this many bytes (from the start of what is cut), so that no cache line is written by
/// two ranks or lanes and SIMD loops start aligned.
inline constexpr std::int64_t kGranuleBytes = 64;

/// Share `index` of `shares` of a run of `count` elements. Granules go to shares as evenly as whole granules can; only
/// the last non-empty share has a ragged tail; a share may be empty. Shares are in order and tile the run exactly.
constexpr Extent shareOf(std::int64_t count, std::int64_t elementBytes, std::int64_t shares, std::int64_t index) {
  if (shares == 1) return {0, count};
  const std::int64_t granule = kGranuleBytes / elementBytes;
  const std::int64_t granules = (count + granule - 1) / granule;
  const std::int64_t begin = std::min(count, granule * (granules * index / shares));
  const std::int64_t end = std::min(count, granule * (granules * (index + 1) / shares));
  return {begin, end - begin};
}

/// What to reserve so that any share fits: at least the count of the largest share, and less than a granule more.
constexpr std::int64_t largestShare(std::int64_t count, std::int64_t elementBytes, std::int64_t shares) {
  if (shares == 1) return count;
  const std::int64_t granule = kGranuleBytes / elementBytes;
  const std::int64_t granules = (count + granule - 1) / granule;
  return std::min(count, granule * ((granules + shares - 1) / shares));
}

}  // namespace atl::plan
