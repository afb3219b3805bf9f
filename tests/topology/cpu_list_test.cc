// SPDX-License-Identifier: Apache-2.0
#include "src/topology/cpu_list.h"

#include <gtest/gtest.h>

#include "src/topology/usable_cores.h"

namespace atl {
namespace {

TEST(CpuList, Union_JoinsWhatMeetsOrOverlaps) {
  EXPECT_EQ(unionOf({}, {}), CpuList{});
  EXPECT_EQ(unionOf({{4, 4}}, {{0, 4}}), (CpuList{{0, 8}}));
  EXPECT_EQ(unionOf({{0, 6}}, {{2, 2}}), (CpuList{{0, 6}}));
  EXPECT_EQ(unionOf({{0, 2}, {8, 2}}, {{4, 2}, {9, 3}}), (CpuList{{0, 2}, {4, 2}, {8, 4}}));
}

TEST(CpuList, Includes_EveryCpuOfThePart) {
  EXPECT_TRUE(includes({{0, 4}, {8, 4}}, {{1, 2}, {11, 1}}));
  EXPECT_FALSE(includes({{0, 4}, {8, 4}}, {{3, 2}}));
  EXPECT_TRUE(includes({{0, 1}}, {}));
}

TEST(CpuList, CountOf_IsTheSum) {
  EXPECT_EQ(countOf({{0, 4}, {8, 3}}), 7);
}

TEST(AllowedCpus, AreAtLeastAsManyAsTheUsableCores) {
  EXPECT_GE(countOf(allowedCpus()), usableCores());
}

}  // namespace
}  // namespace atl
