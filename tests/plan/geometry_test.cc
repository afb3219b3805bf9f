// SPDX-License-Identifier: Apache-2.0
#include "src/plan/geometry.h"

#include <gtest/gtest.h>

#include <vector>

namespace atl::plan {
namespace {

const std::vector<std::int64_t> kCounts{0, 1, 2, 7, 15, 16, 17, 63, 64, 65, 127, 129, 1000, 4096, 4097, 100003};
const std::vector<std::int64_t> kShares{1, 2, 3, 4, 7, 16, 64, 1000};
const std::vector<std::int64_t> kElementBytes{1, 2, 4, 8};

template <class F>
void forEachCut(F&& f) {
  for (const auto bytes : kElementBytes) {
    for (const auto count : kCounts) {
      for (const auto shares : kShares) f(count, bytes, shares);
    }
  }
}

TEST(ShareOf, AnyCount_SharesFollowEachOtherAndTileTheRun) {
  forEachCut([](std::int64_t count, std::int64_t bytes, std::int64_t shares) {
    std::int64_t next = 0;
    for (std::int64_t i = 0; i < shares; ++i) {
      const Extent share = shareOf(count, bytes, shares, i);
      ASSERT_EQ(share.begin, next) << count << " elements of " << bytes << " bytes, share " << i << " of " << shares;
      ASSERT_GE(share.count, 0);
      next = share.begin + share.count;
    }
    ASSERT_EQ(next, count);
  });
}

TEST(ShareOf, AnyCount_SharesBeginAtWholeGranulesAndOnlyTheLastIsRagged) {
  forEachCut([](std::int64_t count, std::int64_t bytes, std::int64_t shares) {
    for (std::int64_t i = 0; i < shares; ++i) {
      const Extent share = shareOf(count, bytes, shares, i);
      if (share.count == 0) continue;
      ASSERT_EQ(share.begin * bytes % kGranuleBytes, 0);
      if (share.begin + share.count < count) {
        ASSERT_EQ(share.count * bytes % kGranuleBytes, 0);
      }
    }
  });
}

TEST(ShareOf, ManyElements_SharesDifferByAtMostAGranule) {
  const std::int64_t count = 100003;
  for (const auto shares : kShares) {
    std::int64_t least = count;
    std::int64_t most = 0;
    for (std::int64_t i = 0; i < shares; ++i) {
      const std::int64_t granules = (shareOf(count, 4, shares, i).count * 4 + kGranuleBytes - 1) / kGranuleBytes;
      least = std::min(least, granules);
      most = std::max(most, granules);
    }
    EXPECT_LE(most - least, 1) << shares << " shares";
  }
}

TEST(LargestShare, AnyCount_HoldsEveryShareAndWastesLessThanAGranule) {
  forEachCut([](std::int64_t count, std::int64_t bytes, std::int64_t shares) {
    std::int64_t largest = 0;
    for (std::int64_t i = 0; i < shares; ++i) largest = std::max(largest, shareOf(count, bytes, shares, i).count);
    const std::int64_t reserved = largestShare(count, bytes, shares);
    ASSERT_GE(reserved, largest);
    ASSERT_LT((reserved - largest) * bytes, kGranuleBytes);
  });
}

}  // namespace
}  // namespace atl::plan
