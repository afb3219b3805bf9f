// SPDX-License-Identifier: Apache-2.0
#include "src/topology/cpu_list.h"

#include <algorithm>

namespace atl {

int countOf(const CpuList& cpus) {
  int count = 0;
  for (const CpuRange& range : cpus) count += range.count;
  return count;
}

bool includes(const CpuList& whole, const CpuList& part) {
  return std::ranges::all_of(part, [&](const CpuRange& wanted) {
    return std::ranges::any_of(whole, [&](const CpuRange& range) {
      return range.first <= wanted.first && wanted.first + wanted.count <= range.first + range.count;
    });
  });
}

CpuList unionOf(const CpuList& a, const CpuList& b) {
  CpuList all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::ranges::sort(all, {}, &CpuRange::first);
  CpuList result;
  for (const CpuRange& range : all) {
    if (result.empty() || range.first > result.back().first + result.back().count) {
      result.push_back(range);
      continue;
    }
    CpuRange& last = result.back();
    last.count = static_cast<std::uint16_t>(std::max(last.first + last.count, range.first + range.count) - last.first);
  }
  return result;
}

}  // namespace atl
