// SPDX-License-Identifier: Apache-2.0
// What ATOLL_PATHS may say.
#include "src/base/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

TEST(PathsParse, Nothing_LeavesEveryPathToItself) {
  for (const char* text : {"", ",", "all=auto"}) {
    const auto paths = Paths::parse(text);
    ASSERT_TRUE(paths.ok());
    for (const Path path : {paths->flat, paths->stream, paths->forward, paths->deliver, paths->eager, paths->sleep}) {
      EXPECT_EQ(path, Path::automatic) << text;
    }
  }
}

TEST(PathsParse, LaterEntries_Override) {
  const auto paths = Paths::parse("flat=on,all=off,stream=on,sleep=auto");
  ASSERT_TRUE(paths.ok());
  EXPECT_EQ(paths->flat, Path::off);
  EXPECT_EQ(paths->stream, Path::on);
  EXPECT_EQ(paths->forward, Path::off);
  EXPECT_EQ(paths->eager, Path::off);
  EXPECT_EQ(paths->sleep, Path::automatic);
}

struct BadText {
  const char* text;
  const char* named;
};
class BadPaths : public testing::TestWithParam<BadText> {};

TEST_P(BadPaths, AreRefusedByName) {
  const auto paths = Paths::parse(GetParam().text);
  ASSERT_FALSE(paths.ok());
  EXPECT_EQ(paths.error().code, ErrorCode::invalidArgument);
  EXPECT_THAT(paths.error().text, testing::HasSubstr(GetParam().named));
}

INSTANTIATE_TEST_SUITE_P(Each, BadPaths,
                         testing::Values(BadText{"flat=on,warp=off", "'warp' is not a path: known are flat, stream"},
                                         BadText{"flat", "'flat' says neither flat=auto"},
                                         BadText{"sleep=often", "sleep: 'often' is not auto, on or off"},
                                         BadText{"=on", "'' is not a path"}));

}  // namespace
}  // namespace atl
