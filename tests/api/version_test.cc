// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "src/api/report.h"

namespace atl::api {
namespace {

TEST(Version, OfTheLibrary_IsTheHeaders) {
  int version = 0;
  ASSERT_EQ(atollGetVersion(&version), atollSuccess);
  EXPECT_EQ(version, ATOLL_VERSION_CODE);
}

TEST(ErrorStrings, AreDifferentForEveryResult) {
  std::set<std::string> texts;
  for (int result = atollSuccess; result <= atollUnsupported; ++result) {
    texts.insert(atollGetErrorString(static_cast<atollResult_t>(result)));
  }
  EXPECT_EQ(texts.size(), static_cast<std::size_t>(atollUnsupported) + 1);
}

TEST(ErrorStrings, OfWhatIsNoResult_SaysSo) {
  EXPECT_STREQ(atollGetErrorString(static_cast<atollResult_t>(999)), "unknown result");
}

TEST(Results, OfEveryErrorCode_AreDifferent) {
  std::set<atollResult_t> results;
  for (int code = 0; code <= static_cast<int>(ErrorCode::mismatch); ++code)
    results.insert(resultOf(static_cast<ErrorCode>(code)));
  EXPECT_EQ(results.size(), static_cast<std::size_t>(ErrorCode::mismatch) + 1);
  EXPECT_FALSE(results.contains(atollSuccess));
  EXPECT_FALSE(results.contains(atollInProgress));
}

TEST(Guard, TurnsExceptionsIntoResults) {
  EXPECT_EQ(guarded("call", []() -> atollResult_t { throw std::bad_alloc(); }), atollSystemError);
  EXPECT_EQ(lastErrorOfThread(), "call: out of memory");
  EXPECT_EQ(guarded("call",
                    []() -> atollResult_t {
                      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
                    }),
            atollSystemError);
  EXPECT_EQ(guarded("call", []() -> atollResult_t { throw std::logic_error("odd"); }), atollInternalError);
  EXPECT_EQ(lastErrorOfThread(), "call: unexpected exception: odd");
}

}  // namespace
}  // namespace atl::api
