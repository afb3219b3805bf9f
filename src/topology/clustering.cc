// SPDX-License-Identifier: Apache-2.0
#include "src/topology/clustering.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace atl {
namespace {

struct Merge {
  std::size_t into = 0;
  std::size_t from = 0;
  double height = 0;  ///< logarithm of the mean distance
};

/// Which groups merge, nearest first; heights never fall (average linkage).
std::vector<Merge> mergesOf(const Distances& distances) {
  const std::size_t n = distances.things();
  std::vector<std::vector<double>> mean(n, std::vector<double>(n));
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < n; ++b) mean[a][b] = std::log(distances.at(a, b));
  }
  std::vector<double> size(n, 1);
  std::vector<std::size_t> alive(n);
  std::iota(alive.begin(), alive.end(), 0U);
  std::vector<Merge> merges;
  while (alive.size() > 1) {
    Merge best{0, 0, std::numeric_limits<double>::infinity()};
    for (std::size_t i = 0; i < alive.size(); ++i) {
      for (std::size_t j = i + 1; j < alive.size(); ++j) {
        const double height = mean[alive[i]][alive[j]];
        if (height < best.height) best = {alive[i], alive[j], height};
      }
    }
    for (const std::size_t other : alive) {
      const double joined = (size[best.into] * mean[best.into][other] + size[best.from] * mean[best.from][other]) /
                            (size[best.into] + size[best.from]);
      mean[best.into][other] = mean[other][best.into] = joined;
    }
    size[best.into] += size[best.from];
    std::erase(alive, best.from);
    merges.push_back(best);
  }
  return merges;
}

/// The groups after some merges.
Partition partitionAfter(std::span<const Merge> merges, std::size_t things, double gap) {
  std::vector<std::size_t> root(things);
  std::iota(root.begin(), root.end(), 0U);
  for (const Merge& merge : merges) std::ranges::replace(root, merge.from, merge.into);
  Partition partition;
  partition.gap = gap;
  std::map<std::size_t, std::uint32_t> numbers;
  for (const std::size_t r : root) {
    const auto next = static_cast<std::uint32_t>(numbers.size());
    partition.groupOf.push_back(numbers.try_emplace(r, next).first->second);
  }
  partition.groups = static_cast<std::uint32_t>(numbers.size());
  return partition;
}

}  // namespace

std::vector<Partition> partitionsOf(const Distances& distances, double leastGap) {
  const auto merges = mergesOf(distances);
  std::vector<Partition> partitions;
  for (std::size_t i = 1; i < merges.size(); ++i) {
    const double gap = std::exp(merges[i].height - merges[i - 1].height);
    if (gap < leastGap) continue;
    partitions.push_back(partitionAfter(std::span(merges).first(i), distances.things(), gap));
  }
  return partitions;
}

}  // namespace atl
