// SPDX-License-Identifier: Apache-2.0
// Sets of ranks, for following millions of partial sums: a run of neighbouring ranks (around the end, too) takes no
// memory; any other set is kept once, however many sums have it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/base/types.h"

namespace atl::plan {

/// A handle to a set of the ranks 0 … n−1 in a RankSets. Equal sets of one RankSets have equal handles.
class RankSet {
 public:
  RankSet() = default;
  friend bool operator==(const RankSet&, const RankSet&) = default;

 private:
  friend class RankSets;
  constexpr RankSet(std::uint32_t first, std::uint32_t length) : first_(first), length_(length) {}

  std::uint32_t first_ = 0;   ///< first rank of the run, or the index of a kept set
  std::uint32_t length_ = 0;  ///< length of the run, or 0 for a kept set
};

class RankSets {
 public:
  /// Sets of ranks of a group of that many. Keeps at most about maxBytes of sets.
  RankSets(Rank ranks, std::int64_t maxBytes);

  [[nodiscard]] static RankSet single(Rank rank) { return {static_cast<std::uint32_t>(rank), 1}; }
  [[nodiscard]] bool isAll(RankSet set) const { return set.length_ == ranks_; }

  struct Union {
    RankSet set;
    std::optional<Rank> common;  ///< a rank that was in both
  };
  Union unite(RankSet a, RankSet b);

  /// Whether `a` before `b` is rank order without a gap: a's ranks run up to just below b's, and neither wraps.
  [[nodiscard]] bool follows(RankSet a, RankSet b) const;

  [[nodiscard]] bool contains(RankSet set, Rank rank) const;
  /// The first rank that is not in the set, which is not all.
  [[nodiscard]] Rank firstMissing(RankSet set) const;
  [[nodiscard]] std::int64_t size(RankSet set) const;

  /// "rank 3", "ranks 0 to 3 and 6"; long lists are cut.
  [[nodiscard]] std::string describe(RankSet set) const;

  /// True once maxBytes was not enough; unions are wrong from then on.
  [[nodiscard]] bool exhausted() const { return exhausted_; }

 private:
  using Word = std::uint64_t;

  [[nodiscard]] const Word* kept(RankSet set) const { return &words_[std::size_t{set.first_} * stride_]; }
  void expand(RankSet set, Word* words) const;
  RankSet keep(const std::vector<Word>& words);

  std::uint32_t ranks_;
  std::size_t stride_;  ///< words of a kept set
  std::size_t maxKept_;
  bool exhausted_ = false;
  std::vector<Word> words_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> byHash_;
  std::vector<Word> left_, right_;  ///< unite's working space
};

}  // namespace atl::plan
