// SPDX-License-Identifier: Apache-2.0
// Islands found in measurements: things that are near each other, by gaps between what is near and what is far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace atl {

/// One way of dividing things into groups.
struct Partition {
  std::vector<std::uint32_t> groupOf;  ///< by thing; groups are numbered in the order of their first things
  std::uint32_t groups = 1;
  double gap = 1;  ///< how many times as far the nearest two groups are from each other as things are inside one
};

/// A square matrix of distances, all positive and symmetric; the diagonal does not count.
class Distances {
 public:
  explicit Distances(std::size_t things) : things_(things), values_(things * things, 1.0) {}
  [[nodiscard]] std::size_t things() const { return things_; }
  [[nodiscard]] double at(std::size_t a, std::size_t b) const { return values_[a * things_ + b]; }
  void set(std::size_t a, std::size_t b, double distance) {
    values_[a * things_ + b] = values_[b * things_ + a] = distance;
  }

 private:
  std::size_t things_;
  std::vector<double> values_;
};

/// The partitions that stand out, from the finest: where groups that merge next, by the geometric mean of the distances
/// between them, are at least `leastGap` times as far apart as those that merged before. None where all are alike.
/// Time grows with the cube of the number of things.
std::vector<Partition> partitionsOf(const Distances& distances, double leastGap);

}  // namespace atl
