// SPDX-License-Identifier: Apache-2.0
#include "src/plan/composition/region.h"

#include <algorithm>

namespace atl::plan {

Region Region::of(std::int64_t first, std::int64_t count) {
  Region region;
  region.append({first, count});
  return region;
}

void Region::append(const PartRun& run) {
  if (run.count == 0) return;
  if (!runs_.empty() && runs_.back().first + runs_.back().count == run.first) {
    runs_.back().count += run.count;
  } else {
    runs_.push_back(run);
    before_.push_back(total_);
  }
  total_ += run.count;
}

std::vector<PartRun> Region::cut(std::int64_t begin, std::int64_t count) const {
  std::vector<PartRun> pieces;
  auto at = static_cast<std::size_t>(std::ranges::upper_bound(before_, begin) - before_.begin());
  const std::int64_t end = begin + count;
  for (at = at == 0 ? 0 : at - 1; at < runs_.size() && before_[at] < end; ++at) {
    const std::int64_t skipped = std::max<std::int64_t>(0, begin - before_[at]);
    const std::int64_t taken = std::min(runs_[at].count, end - before_[at]) - skipped;
    if (taken > 0) pieces.push_back({runs_[at].first + skipped, taken});
  }
  return pieces;
}

std::int64_t Region::offsetOf(std::int64_t part) const {
  const auto after = std::ranges::upper_bound(runs_, part, {}, &PartRun::first);
  const auto at = static_cast<std::size_t>(after - runs_.begin()) - 1;
  return before_[at] + part - runs_[at].first;
}

Region Region::unite(const std::vector<Region>& regions) {
  std::vector<PartRun> all;
  for (const Region& region : regions) all.insert(all.end(), region.runs_.begin(), region.runs_.end());
  std::ranges::sort(all, {}, &PartRun::first);
  Region united;
  for (const PartRun& run : all) united.append(run);
  return united;
}

}  // namespace atl::plan
