// SPDX-License-Identifier: Apache-2.0
#include "src/plan/tuning_table.h"

#include <algorithm>
#include <cmath>

namespace atl::plan {
namespace {

/// Distance of two sizes as a ratio, at least 1. A payload of nothing is as far as one byte.
double ratio(std::uint64_t a, std::uint64_t b) {
  const double x = std::max<double>(1, static_cast<double>(a));
  const double y = std::max<double>(1, static_cast<double>(b));
  return x > y ? x / y : y / x;
}

}  // namespace

std::string describe(const TuningSite& site) {
  return fmt::format("{} rank{} on {} host{} over {}", site.ranks, site.ranks == 1 ? "" : "s", site.hosts,
                     site.hosts == 1 ? "" : "s", site.links);
}

const TuningRow* TunedSite::rowFor(Collective collective, std::uint64_t bytes) const {
  const auto& sizes = of(collective);
  const auto nearest = std::min_element(sizes.begin(), sizes.end(), [bytes](const TuningRow& a, const TuningRow& b) {
    return ratio(a.bytes, bytes) < ratio(b.bytes, bytes);
  });
  if (nearest == sizes.end()) return nullptr;
  const bool between = bytes >= sizes.front().bytes && bytes <= sizes.back().bytes;
  return between || ratio(nearest->bytes, bytes) <= kReach ? &*nearest : nullptr;
}

const TunedSite* TuningTable::at(const TuningSite& site) const {
  const auto found = std::find_if(sites_.begin(), sites_.end(), [&](const TunedSite& s) { return s.site == site; });
  return found == sites_.end() ? nullptr : &*found;
}

void TuningTable::put(TunedSite site) {
  const auto found =
      std::find_if(sites_.begin(), sites_.end(), [&](const TunedSite& known) { return known.site == site.site; });
  if (found == sites_.end()) {
    sites_.push_back(std::move(site));
  } else {
    *found = std::move(site);
  }
}

}  // namespace atl::plan
