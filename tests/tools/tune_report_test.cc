// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/tune/tune_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl::tools {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

TunedSize sizeWith(Collective collective, std::uint64_t bytes, std::vector<std::pair<std::string_view, double>> times,
                   std::string_view builtIn) {
  TunedSize size;
  size.collective = collective;
  size.row.bytes = bytes;
  for (const auto& [name, seconds] : times) size.row.times.push_back({plan::algorithmNamed(name), seconds});
  size.builtIn = plan::algorithmNamed(builtIn);
  return size;
}

/// The built-in choice is right at 8 B, 5 % off at 1 KiB and 50 % off at 1 MiB.
TuningResult someResult() {
  return {{4, 1, "shm"},
          {sizeWith(Collective::allReduce, 8, {{"one-shot", 1e-6}, {"ring", 9e-6}}, "one-shot"),
           sizeWith(Collective::allReduce, 1024, {{"two-shot", 2e-6}, {"one-shot", 2.1e-6}}, "one-shot"),
           sizeWith(Collective::allReduce, 1 << 20, {{"two-shot", 2e-4}, {"ring", 3e-4}}, "ring"),
           sizeWith(Collective::broadcast, 8, {{"binomial", 1e-6}}, "binomial")}};
}

TEST(TuneReport, Fastest_IsNamedFromTheSizeOnWhereItBecomesSo) {
  const std::string text = fastestText(someResult());
  EXPECT_THAT(text, HasSubstr("4 ranks on 1 host over shm"));
  EXPECT_THAT(text, HasSubstr("allreduce     one-shot, from 1 KiB two-shot\n"));
  EXPECT_THAT(text, HasSubstr("broadcast     binomial\n"));
}

TEST(TuneReport, BuiltInChoice_IsReportedOnlyWhereItIsFarOff) {
  const std::string text = builtInText(someResult(), 0.1);
  EXPECT_THAT(text, HasSubstr("within 10 % of the fastest at 3 of 4 sizes"));
  EXPECT_THAT(text, HasSubstr("1 MiB  ring 300 µs, two-shot 200 µs: 50 % longer"));
  EXPECT_THAT(text, Not(HasSubstr("1 KiB")));
}

TEST(TuneReport, BuiltInChoiceThatIsRightEverywhere_ListsNothing) {
  EXPECT_THAT(builtInText(someResult(), 0.6), Not(HasSubstr("It is not at")));
}

TEST(TuneReport, Site_HoldsTheRowsOfEachCollective) {
  const plan::TunedSite site = siteOf(someResult(), "today");
  EXPECT_EQ(site.site, (plan::TuningSite{4, 1, "shm"}));
  EXPECT_EQ(site.measured, "today");
  EXPECT_EQ(site.of(Collective::allReduce).size(), 3U);
  EXPECT_EQ(site.of(Collective::broadcast).size(), 1U);
}

TEST(TuneReport, MeasuredHere_NamesTheDayTheMachineAndTheVersion) {
  EXPECT_THAT(measuredHere(), MatchesRegex("[0-9]+-[0-9]+-[0-9]+, [0-9]+ CPUs?.*, atoll [0-9.]+"));
}

}  // namespace
}  // namespace atl::tools
