// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace atl::perf {
namespace {

using testing::HasSubstr;

Row sampleRow() {
  Row row;
  row.bytes = 1048576;
  row.count = 262144;
  row.reduction = Reduction::sum;
  row.outOfPlace = measurementOf(1048576, 123.456e-6, 1.5);
  row.outOfPlace->wrong = 0;
  row.inPlace = measurementOf(1048576, 100e-6, 1.5);
  row.inPlace->wrong = 7;
  return row;
}

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> all;
  for (std::string word; in >> word;) all.push_back(word);
  return all;
}

TEST(Report, Row_HasNcclTestsColumnsAndWidths) {
  EXPECT_EQ(rowText(sampleRow()),
            "     1048576        262144     float     sum      -1"
            "   123.46    8.49   12.74       0"
            "   100.00   10.49   15.73       7\n");
}

TEST(Report, RowWithoutReductionOrInPlaceForm_SaysSo) {
  Row row = sampleRow();
  row.reduction.reset();
  row.root = 3;
  row.inPlace.reset();
  row.outOfPlace->wrong.reset();
  EXPECT_THAT(words(rowText(row)), testing::ElementsAre("1048576", "262144", "float", "none", "3", "123.46", "8.49",
                                                        "12.74", "N/A", "N/A", "N/A", "N/A", "N/A"));
  EXPECT_EQ(rowText(row).size(), rowText(sampleRow()).size());
}

TEST(Report, LongTimes_KeepTheColumnsWidth) {
  for (const double us : {0.0, 9999.99, 9999.999, 10000.0, 99999.94, 99999.96, 123456.0, 9999999.0}) {
    Row row = sampleRow();
    row.outOfPlace->seconds = us * 1e-6;
    EXPECT_EQ(rowText(row).size(), rowText(sampleRow()).size()) << us;
  }
}

TEST(Report, ColumnHeads_LineUpWithRows) {
  std::istringstream lines(columnText({}));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_EQ(line[0], '#');
    EXPECT_LE(line.size() + 1, rowText(sampleRow()).size());
    if (const auto at = line.find("busbw"); at != std::string::npos) {
      EXPECT_EQ(rowText(sampleRow()).substr(at, 5), "12.74");
    }
  }
  EXPECT_EQ(count, 3);
}

TEST(Report, Heads_NameTheCpuTimeWhenItIsShown) {
  Options options;
  options.cpuTime = true;
  EXPECT_THAT(columnText(options), HasSubstr("cputime"));
}

TEST(Report, Header_NamesVersionOptionsAndEveryRank) {
  const std::string text =
      headerText("all_reduce_perf", {"Atoll", "1.2.3"}, {}, {{0, 0, 4242, "hosta", -1}, {1, 1, 4343, "hostb", 5}});
  EXPECT_THAT(text, HasSubstr("all_reduce_perf"));
  EXPECT_THAT(text, HasSubstr("1.2.3"));
  EXPECT_THAT(text, HasSubstr("minBytes 33554432"));
  EXPECT_THAT(text, testing::ContainsRegex("Rank +0 .*4242 .*hosta .*host memory"));
  EXPECT_THAT(text, testing::ContainsRegex("Rank +1 .*4343 .*hostb .*5"));
}

TEST(Report, Footer_SaysOkOnlyWhenNothingIsWrong) {
  Totals totals;
  Row row = sampleRow();
  row.inPlace->wrong = 0;
  totals.add(row);
  EXPECT_THAT(footerText(totals), HasSubstr("# Out of bounds values : 0 OK\n"));
  EXPECT_THAT(footerText(totals), testing::ContainsRegex("# Avg bus bandwidth +: 14\\.2"));
  totals.add(sampleRow());
  EXPECT_FALSE(totals.ok());
  EXPECT_THAT(footerText(totals), HasSubstr("# Out of bounds values : 7 FAILED\n"));
}

TEST(Report, Spread_IsAComment) {
  Row row = sampleRow();
  row.outOfPlace->samples = {3e-6, 1e-6, 2e-6};
  EXPECT_EQ(spreadText(row), "#   iterations (us)  out-of-place: min 1.00 median 2.00 p99 3.00\n");
}

}  // namespace
}  // namespace atl::perf
