// SPDX-License-Identifier: Apache-2.0
#include "src/topology/clustering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace atl {
namespace {

using testing::ElementsAre;

/// Things on two levels of islands, as far apart as the level that joins them says, with noise.
Distances distancesOf(const std::vector<std::vector<std::uint32_t>>& groupOf, const std::vector<double>& distance,
                      double noise, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> factor(1, 1 + noise);
  const std::size_t n = groupOf.front().size();
  Distances all(n);
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = a + 1; b < n; ++b) {
      std::size_t level = 0;
      while (level < groupOf.size() && groupOf[level][a] != groupOf[level][b]) ++level;
      all.set(a, b, distance[level] * factor(random));
    }
  }
  return all;
}

TEST(Clustering, AllAlike_HasNoIslands) {
  Distances alike(7);
  for (std::size_t a = 0; a < 7; ++a) {
    for (std::size_t b = 0; b < a; ++b) alike.set(a, b, 1e-6 * static_cast<double>(1 + (a + b) % 2));
  }
  EXPECT_TRUE(partitionsOf(alike, 2.5).empty());
  EXPECT_TRUE(partitionsOf(Distances(1), 2).empty());
  EXPECT_TRUE(partitionsOf(Distances(2), 2).empty());
}

TEST(Clustering, UnequalIslandsInAnyOrder_AreFound) {
  const auto found = partitionsOf(distancesOf({{0, 1, 0, 2, 1, 1, 0, 1}}, {1e-6, 3e-5}, 0.5, 2), 2.5);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].groupOf, ElementsAre(0, 1, 0, 2, 1, 1, 0, 1));
  EXPECT_EQ(found[0].groups, 3U);
  EXPECT_GT(found[0].gap, 15);
}

TEST(Clustering, LevelsOfRandomPlacements_AreFoundEveryTime) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::uint32_t> order(16);
    for (std::uint32_t i = 0; i < 16; ++i) order[i] = i;
    std::ranges::shuffle(order, random);
    std::vector<std::vector<std::uint32_t>> groupOf(2);
    for (const std::uint32_t place : order) {
      groupOf[0].push_back(place / 3);
      groupOf[1].push_back(place / 6);
    }
    const auto found = partitionsOf(distancesOf(groupOf, {1, 8, 30}, 0.4, seed), 2);
    ASSERT_EQ(found.size(), 2U) << seed;
    for (std::size_t a = 0; a < 16; ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        EXPECT_EQ(found[0].groupOf[a] == found[0].groupOf[b], groupOf[0][a] == groupOf[0][b]);
        EXPECT_EQ(found[1].groupOf[a] == found[1].groupOf[b], groupOf[1][a] == groupOf[1][b]);
      }
    }
  }
}

}  // namespace
}  // namespace atl
