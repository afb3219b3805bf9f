// SPDX-License-Identifier: Apache-2.0
#include "src/topology/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Units, RatesInBytesAndBits) {
  EXPECT_DOUBLE_EQ(parseRate("450 GB/s").value(), 450e9);
  EXPECT_DOUBLE_EQ(parseRate("400Gbit/s").value(), 50e9);
  EXPECT_DOUBLE_EQ(parseRate("12.5  MB/s").value(), 12.5e6);
  EXPECT_DOUBLE_EQ(parseRate("34 PB/s").value(), 34e15);
}

TEST(Units, Times) {
  EXPECT_DOUBLE_EQ(parseDuration("930 ns").value(), 930e-9);
  EXPECT_DOUBLE_EQ(parseDuration("2.5us").value(), 2.5e-6);
  EXPECT_DOUBLE_EQ(parseDuration("2.5 µs").value(), 2.5e-6);
  EXPECT_DOUBLE_EQ(parseDuration("0 s").value(), 0);
}

TEST(Units, WrongTexts_AreNamedWithWhatIsAllowed) {
  for (const char* text : {"450", "450 GBs", "450 Gb/s", "GB/s", "0 GB/s", "-1 GB/s", "nan GB/s", "1e308 TB/s", ""}) {
    const auto rate = parseRate(text);
    ASSERT_FALSE(rate.ok()) << text;
    EXPECT_THAT(rate.error().text, AllOf(HasSubstr("'" + std::string(text) + "'"), HasSubstr("450 GB/s")));
  }
  for (const char* text : {"3", "3 m", "-3 us", "inf s", "3us later"}) EXPECT_FALSE(parseDuration(text).ok()) << text;
}

TEST(Units, ShownInTheUnitThatSuits) {
  EXPECT_EQ(rateText(450e9), "450 GB/s");
  EXPECT_EQ(rateText(12.5e6), "12.5 MB/s");
  EXPECT_EQ(rateText(999.99e9), "1 TB/s");
  EXPECT_EQ(rateText(0), "?");
  EXPECT_EQ(durationText(930e-9), "930 ns");
  EXPECT_EQ(durationText(2.5e-6), "2.5 µs");
  EXPECT_EQ(durationText(10), "10 s");
}

}  // namespace
}  // namespace atl
