// SPDX-License-Identifier: Apache-2.0
#include "src/plan/rank_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "src/base/hash.h"

namespace atl::plan {
namespace {

constexpr std::uint32_t kWordBits = 64;

bool testBit(const std::uint64_t* words, std::uint32_t bit) {
  return (words[bit / kWordBits] >> (bit % kWordBits)) & 1U;
}

}  // namespace

RankSets::RankSets(Rank ranks, std::int64_t maxBytes)
    : ranks_(static_cast<std::uint32_t>(ranks)), stride_((ranks_ + kWordBits - 1) / kWordBits) {
  constexpr std::int64_t kBookkeepingBytes = 48;  // a node of the hash table
  const auto each = static_cast<std::int64_t>(stride_ * sizeof(Word)) + kBookkeepingBytes;
  maxKept_ =
      static_cast<std::size_t>(std::min<std::int64_t>(maxBytes / each, std::numeric_limits<std::int32_t>::max()));
}

RankSets::Union RankSets::unite(RankSet a, RankSet b) {
  if (a.length_ != 0 && b.length_ != 0) {
    const std::uint32_t n = ranks_;
    // How far b begins after a, and a after b, going up around the end.
    const std::uint32_t bAfter = b.first_ >= a.first_ ? b.first_ - a.first_ : b.first_ + n - a.first_;
    const std::uint32_t aAfter = bAfter == 0 ? 0 : n - bAfter;
    std::optional<Rank> common;
    if (bAfter < a.length_) {
      common = static_cast<Rank>(b.first_);
    } else if (aAfter < b.length_) {
      common = static_cast<Rank>(a.first_);
    }
    const auto joined = [n](std::uint32_t first, std::uint32_t length) {
      return length >= n ? RankSet(0, n) : RankSet(first, length);
    };
    if (bAfter <= a.length_) return {joined(a.first_, std::max(a.length_, bAfter + b.length_)), common};
    if (aAfter <= b.length_) return {joined(b.first_, std::max(b.length_, aAfter + a.length_)), common};
  }
  left_.assign(stride_, 0);
  right_.assign(stride_, 0);
  expand(a, left_.data());
  expand(b, right_.data());
  std::optional<Rank> common;
  for (std::size_t i = 0; i < stride_; ++i) {
    if (const Word both = left_[i] & right_[i]; both != 0 && !common) {
      common = static_cast<Rank>(i * kWordBits) + std::countr_zero(both);
    }
    left_[i] |= right_[i];
  }
  return {keep(left_), common};
}

bool RankSets::follows(RankSet a, RankSet b) const {
  return a.length_ != 0 && b.length_ != 0 && a.first_ + a.length_ == b.first_ && b.first_ + b.length_ <= ranks_;
}

bool RankSets::contains(RankSet set, Rank rank) const {
  const auto r = static_cast<std::uint32_t>(rank);
  if (set.length_ == 0) return testBit(kept(set), r);
  return (r >= set.first_ ? r - set.first_ : r + ranks_ - set.first_) < set.length_;
}

Rank RankSets::firstMissing(RankSet set) const {
  Rank rank = 0;
  while (contains(set, rank)) ++rank;
  return rank;
}

std::int64_t RankSets::size(RankSet set) const {
  if (set.length_ != 0) return set.length_;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < stride_; ++i) count += std::popcount(kept(set)[i]);
  return count;
}

std::string RankSets::describe(RankSet set) const {
  constexpr int kRunsShown = 6;
  std::string text;
  int runs = 0;
  const auto n = static_cast<Rank>(ranks_);
  for (Rank first = 0; first < n; ++first) {
    if (!contains(set, first)) continue;
    Rank last = first;
    while (last + 1 < n && contains(set, last + 1)) ++last;
    if (++runs > kRunsShown) return fmt::format("ranks {}, … ({} in all)", text, size(set));
    if (!text.empty()) text += ", ";
    text += first == last ? fmt::format("{}", first) : fmt::format("{} to {}", first, last);
    first = last;
  }
  return fmt::format("{} {}", size(set) == 1 ? "rank" : "ranks", text);
}

void RankSets::expand(RankSet set, Word* words) const {
  if (set.length_ == 0) {
    std::copy_n(kept(set), stride_, words);
    return;
  }
  for (std::uint32_t left = set.length_, bit = set.first_; left > 0;) {
    const std::uint32_t offset = bit % kWordBits;
    const std::uint32_t take = std::min({left, kWordBits - offset, ranks_ - bit});
    words[bit / kWordBits] |= (take == kWordBits ? ~Word{0} : (Word{1} << take) - 1) << offset;
    left -= take;
    bit = bit + take == ranks_ ? 0 : bit + take;
  }
}

RankSet RankSets::keep(const std::vector<Word>& words) {
  // A run of neighbours has one rank whose predecessor, around the end, is not in the set.
  std::uint32_t begins = 0;
  std::uint32_t begin = 0;
  std::uint32_t count = 0;
  bool before = testBit(words.data(), ranks_ - 1);
  for (std::size_t i = 0; i < stride_; ++i) {
    const Word firsts = words[i] & ~((words[i] << 1) | (before ? 1U : 0U));
    if (firsts != 0)
      begin = static_cast<std::uint32_t>(i) * kWordBits + static_cast<std::uint32_t>(std::countr_zero(firsts));
    begins += static_cast<std::uint32_t>(std::popcount(firsts));
    count += static_cast<std::uint32_t>(std::popcount(words[i]));
    before = (words[i] >> (kWordBits - 1)) != 0;
  }
  if (begins == 0) return {0, ranks_};  // the empty set does not occur: unions are of non-empty sets
  if (begins == 1) return {begin, count};

  const std::uint64_t hash = hashBytes(words.data(), stride_ * sizeof(Word));
  const auto [from, to] = byHash_.equal_range(hash);
  for (auto it = from; it != to; ++it) {
    const RankSet known{it->second, 0};
    if (std::equal(words.begin(), words.end(), kept(known))) return known;
  }
  const std::size_t index = words_.size() / stride_;
  if (index >= maxKept_) {
    exhausted_ = true;
    return {0, 1};
  }
  words_.insert(words_.end(), words.begin(), words.end());
  byHash_.emplace(hash, static_cast<std::uint32_t>(index));
  return {static_cast<std::uint32_t>(index), 0};
}

}  // namespace atl::plan
