// SPDX-License-Identifier: Apache-2.0
// The configuration: versions of other sizes, defaults, and wrong values.
#include "src/api/config.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstring>

namespace atl::api {
namespace {

Settings environment() {
  Settings settings;
  settings.timeoutSeconds = 11;
  settings.bootstrapTimeoutSeconds = 22;
  settings.algorithms = "ring";
  settings.checkCalls = true;
  return settings;
}

TEST(Configure, Nothing_LeavesTheEnvironmentsSettings) {
  for (const bool given : {false, true}) {
    const atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
    const auto result = configure(given ? &config : nullptr, environment());
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->settings.timeoutSeconds, 11);
    EXPECT_EQ(result->settings.bootstrapTimeoutSeconds, 22);
    EXPECT_EQ(result->settings.algorithms, "ring");
    EXPECT_TRUE(result->settings.checkCalls);
    EXPECT_TRUE(result->blocking);
    EXPECT_EQ(result->name, "");
  }
}

TEST(Configure, EveryField_ReachesItsSetting) {
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.blocking = 0;
  config.timeout = 0;
  config.bootstrapTimeout = 5.5;
  config.checkCalls = 0;
  config.algorithms = "tree";
  config.transports = "tcp";
  config.interfaces = "eth0";
  config.name = "tp";
  const auto result = configure(&config, environment());
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->blocking);
  EXPECT_EQ(result->settings.timeoutSeconds, 0);
  EXPECT_EQ(result->settings.bootstrapTimeoutSeconds, 5.5);
  EXPECT_FALSE(result->settings.checkCalls);
  EXPECT_EQ(result->settings.algorithms, "tree");
  EXPECT_EQ(result->settings.transports, "tcp");
  EXPECT_EQ(result->settings.interfaces, "eth0");
  EXPECT_EQ(result->name, "tp");
}

TEST(Configure, AnOlderProgramsSmallerStructure_IsReadNoFurther) {
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.size = offsetof(atollConfig_t, checkCalls);
  config.timeout = 3;
  config.checkCalls = 77;  // beyond what the program knows: not the library's to read
  config.name = reinterpret_cast<const char*>(8);
  const auto result = configure(&config, environment());
  ASSERT_TRUE(result.ok()) << result.error().text;
  EXPECT_EQ(result->settings.timeoutSeconds, 3);
  EXPECT_TRUE(result->settings.checkCalls);
  EXPECT_EQ(result->name, "");
}

TEST(Configure, ANewerProgramsLargerStructure_IsReadAsFarAsItIsKnown) {
  struct {
    atollConfig_t known = ATOLL_CONFIG_INITIALIZER;
    double unknown[4] = {1, 2, 3, 4};
  } newer;
  newer.known.size = sizeof newer;
  newer.known.version = ATOLL_VERSION_CODE + 100;
  newer.known.name = "newer";
  const auto result = configure(&newer.known, environment());
  ASSERT_TRUE(result.ok()) << result.error().text;
  EXPECT_EQ(result->name, "newer");
}

void expectRefused(const atollConfig_t& config, const char* text) {
  const auto result = configure(&config, environment());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::invalidArgument);
  EXPECT_EQ(result.error().text, text);
}

TEST(Configure, UninitialisedStructures_AreRefused) {
  atollConfig_t config;
  std::memset(&config, 0, sizeof config);
  expectRefused(config, "argument config has size 0; it must be set by ATOLL_CONFIG_INITIALIZER");
  std::memset(&config, 0xff, sizeof config);
  expectRefused(config, "argument config has size 18446744073709551615; it must be set by ATOLL_CONFIG_INITIALIZER");
  config = ATOLL_CONFIG_INITIALIZER;
  config.version = 0;
  expectRefused(config, "argument config has version 0; it must be set by ATOLL_CONFIG_INITIALIZER");
}

TEST(Configure, ValuesThatMeanNothing_AreRefused) {
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.blocking = 2;
  expectRefused(config, "argument config has blocking 2; it must be 0, 1 or ATOLL_CONFIG_UNDEF_INT");
  config = ATOLL_CONFIG_INITIALIZER;
  config.checkCalls = -1;
  expectRefused(config, "argument config has checkCalls -1; it must be 0, 1 or ATOLL_CONFIG_UNDEF_INT");
  config = ATOLL_CONFIG_INITIALIZER;
  config.timeout = std::nan("");
  expectRefused(config, "argument config has timeout nan; it must be a number of seconds, 0 or negative");
  config = ATOLL_CONFIG_INITIALIZER;
  config.bootstrapTimeout = HUGE_VAL;
  expectRefused(config, "argument config has bootstrapTimeout inf; it must be a number of seconds, 0 or negative");
}

}  // namespace
}  // namespace atl::api
