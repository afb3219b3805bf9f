// SPDX-License-Identifier: Apache-2.0
// The tuning table: its JSON there and back, what is refused and how, and which row speaks for a call.
#include "src/plan/tuning_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "src/plan/chooser.h"
#include "src/plan/explain.h"
#include "src/plan/tuning_file.h"

namespace atl::plan {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr LinkModel kNetwork{2e-6, 2e-7, 1e-10, 5e-11};

const TuningSite kFourOverShm{4, 1, "shm"};

MeasuredTime timeOf(std::string_view algorithm, double seconds) {
  return {algorithmNamed(algorithm), seconds};
}

/// Ring was fastest from 64 KiB on, recursive doubling below.
TunedSite someSite() {
  TunedSite tuned{kFourOverShm, "2026-11-21 on a test machine", {}};
  tuned.rows[static_cast<std::size_t>(Collective::allReduce)] = {
      {1024, {timeOf("recursive-doubling", 1e-6), timeOf("ring", 2e-6)}},
      {65536, {timeOf("ring", 1.5e-5), timeOf("two-shot", 2e-5)}},
  };
  tuned.rows[static_cast<std::size_t>(Collective::allToAll)] = {{1024, {timeOf("bruck", 1e-6)}}};
  return tuned;
}

TuningTable someTable() {
  TuningTable table;
  table.put(someSite());
  return table;
}

Choice choiceOf(Collective collective, std::uint64_t bytes) {
  Choice choice;
  choice.collective = collective;
  choice.ranks = 4;
  choice.bytes = bytes;
  return choice;
}

Decision decisionOf(const Choice& choice, const TunedSite* tuned, std::string_view forced = "") {
  const auto rules = ForcedAlgorithms::parse(forced);
  EXPECT_TRUE(rules.ok());
  auto decision = decide(choice, kNetwork, *rules, tuned);
  EXPECT_TRUE(decision.ok()) << decision.error().text;
  return std::move(decision).value();
}

/// The error of a document that must be refused.
std::string refusal(std::string_view text) {
  const auto table = TuningTable::fromJson(text);
  EXPECT_FALSE(table.ok()) << text;
  if (table.ok()) return "";
  EXPECT_EQ(table.error().code, ErrorCode::invalidArgument);
  return table.error().text;
}

/// A document with one site, whose collectives are given.
std::string documentWith(std::string_view collectives, std::string_view site = R"("ranks":4,"hosts":1,"links":"shm")") {
  return fmt::format(R"({{"format":"atoll-tuning","version":1,"sites":[{{{},"collectives":{}}}]}})", site, collectives);
}

TEST(TuningJson, Table_ComesBackAsItWas) {
  const std::string text = someTable().toJson();
  const auto read = TuningTable::fromJson(text);
  ASSERT_TRUE(read.ok()) << read.error().text;
  EXPECT_EQ(read->toJson(), text);
  ASSERT_EQ(read->sites().size(), 1u);
  const TunedSite& site = read->sites().front();
  EXPECT_EQ(site.site, kFourOverShm);
  EXPECT_EQ(site.measured, "2026-11-21 on a test machine");
  ASSERT_EQ(site.of(Collective::allReduce).size(), 2u);
  EXPECT_EQ(site.of(Collective::allReduce)[1].bytes, 65536u);
  EXPECT_EQ(site.of(Collective::allReduce)[1].times[1].algorithm, algorithmNamed("two-shot"));
  EXPECT_DOUBLE_EQ(site.of(Collective::allReduce)[1].times[1].seconds, 2e-5);
}

TEST(TuningJson, EmptyTable_ComesBackEmpty) {
  const auto read = TuningTable::fromJson(TuningTable{}.toJson());
  ASSERT_TRUE(read.ok()) << read.error().text;
  EXPECT_TRUE(read->sites().empty());
}

TEST(TuningJson, TimesInAnyOrder_AreReadFastestFirst) {
  const auto read = TuningTable::fromJson(
      documentWith(R"({"allreduce":[{"bytes":8,"microseconds":{"ring":3,"one-shot":1,"two-shot":2}}]})"));
  ASSERT_TRUE(read.ok()) << read.error().text;
  const auto& times = read->sites().front().of(Collective::allReduce).front().times;
  ASSERT_EQ(times.size(), 3u);
  EXPECT_EQ(times[0].algorithm->name, "one-shot");
  EXPECT_EQ(times[1].algorithm->name, "two-shot");
  EXPECT_EQ(times[2].algorithm->name, "ring");
}

TEST(TuningJson, AnotherFormatOrVersion_IsRefusedWithItsValue) {
  EXPECT_THAT(refusal(R"({"format":"atoll-plan","version":1,"sites":[]})"),
              AllOf(HasSubstr("format"), HasSubstr("\"atoll-plan\"")));
  EXPECT_THAT(refusal(R"({"format":"atoll-tuning","version":7,"sites":[]})"),
              AllOf(HasSubstr("version"), HasSubstr("7")));
  EXPECT_THAT(refusal("ring"), HasSubstr("not JSON"));
}

TEST(TuningJson, WrongField_IsNamedWithItsPlaceAndValue) {
  EXPECT_THAT(refusal(documentWith("{}", R"("ranks":0,"hosts":1,"links":"shm")")),
              AllOf(HasSubstr("sites[0].ranks"), HasSubstr("0 is out of range")));
  EXPECT_THAT(refusal(documentWith("{}", R"("ranks":4,"hosts":5,"links":"shm")")), HasSubstr("sites[0].hosts"));
  EXPECT_THAT(refusal(documentWith("{}", R"("ranks":4,"hosts":1,"links":"")")), HasSubstr("sites[0].links"));
  EXPECT_THAT(refusal(documentWith("{}", R"("ranks":4,"hosts":1,"links":"shm","cores":2)")),
              HasSubstr("unknown key \"cores\""));
  EXPECT_THAT(refusal(documentWith("[]")), HasSubstr("sites[0].collectives"));
  EXPECT_THAT(refusal(documentWith(R"({"allreduced":[]})")),
              AllOf(HasSubstr("sites[0].collectives.allreduced"), HasSubstr("'allreduced'")));
}

TEST(TuningJson, WrongRow_IsNamedWithItsPlaceAndValue) {
  const auto refusalOfRow = [](std::string_view row) {
    return refusal(documentWith(fmt::format(R"({{"allreduce":[{}]}})", row)));
  };
  EXPECT_THAT(refusalOfRow(R"({"bytes":-8,"microseconds":{"ring":1}})"),
              AllOf(HasSubstr("collectives.allreduce[0].bytes"), HasSubstr("-8")));
  EXPECT_THAT(refusalOfRow(R"({"bytes":8,"microseconds":{}})"), HasSubstr("names no algorithm"));
  EXPECT_THAT(refusalOfRow(R"({"bytes":8,"microseconds":{"rings":1}})"),
              AllOf(HasSubstr("allreduce[0].microseconds.rings"), HasSubstr("'rings'")));
  EXPECT_THAT(refusalOfRow(R"({"bytes":8,"microseconds":{"bruck":1}})"), HasSubstr("does not serve allreduce"));
  for (const std::string_view time : {"0", "-1", "\"fast\"", "1e300", "null"}) {
    EXPECT_THAT(refusalOfRow(fmt::format(R"({{"bytes":8,"microseconds":{{"ring":{}}}}})", time)),
                AllOf(HasSubstr("microseconds.ring"), HasSubstr(std::string(time.substr(0, 2)))));
  }
  EXPECT_THAT(refusalOfRow(R"({"bytes":8,"microseconds":{"ring":1}},{"bytes":8,"microseconds":{"ring":1}})"),
              AllOf(HasSubstr("allreduce[1].bytes"), HasSubstr("sizes must grow")));
}

TEST(TuningJson, SiteThatComesTwice_IsRefused) {
  const std::string site = R"({"ranks":4,"hosts":1,"links":"shm","collectives":{}})";
  EXPECT_THAT(refusal(fmt::format(R"({{"format":"atoll-tuning","version":1,"sites":[{0},{0}]}})", site)),
              AllOf(HasSubstr("sites[1]"), HasSubstr("4 ranks on 1 host over shm")));
}

TEST(TuningTable, SiteThatIsPutAgain_TakesThePlaceOfTheOld) {
  TuningTable table = someTable();
  table.put(TunedSite{kFourOverShm, "later", {}});
  table.put(TunedSite{{8, 1, "shm"}, "", {}});
  ASSERT_EQ(table.sites().size(), 2u);
  EXPECT_EQ(table.at(kFourOverShm)->measured, "later");
}

TEST(TuningTable, AnotherNumberOfRanksHostsOrKindOfLinks_IsNotMeasured) {
  const TuningTable table = someTable();
  EXPECT_NE(table.at(kFourOverShm), nullptr);
  EXPECT_EQ(table.at({5, 1, "shm"}), nullptr);
  EXPECT_EQ(table.at({4, 2, "shm"}), nullptr);
  EXPECT_EQ(table.at({4, 1, "tcp"}), nullptr);
}

TEST(TuningTable, SizeBetweenTwoMeasured_GetsTheNearerInRatio) {
  const TunedSite site = someSite();
  const auto bytesFor = [&](std::uint64_t bytes) { return site.rowFor(Collective::allReduce, bytes)->bytes; };
  EXPECT_EQ(bytesFor(1024), 1024u);
  EXPECT_EQ(bytesFor(8192), 1024u);  // the mean in ratio: the smaller
  EXPECT_EQ(bytesFor(8193), 65536u);
  EXPECT_EQ(bytesFor(65536), 65536u);
}

TEST(TuningTable, SizeFarBeyondTheMeasured_HasNoRow) {
  const TunedSite site = someSite();
  EXPECT_NE(site.rowFor(Collective::allReduce, 64), nullptr);
  EXPECT_EQ(site.rowFor(Collective::allReduce, 63), nullptr);
  EXPECT_EQ(site.rowFor(Collective::allReduce, 0), nullptr);
  EXPECT_NE(site.rowFor(Collective::allReduce, 16 * 65536), nullptr);
  EXPECT_EQ(site.rowFor(Collective::allReduce, 16 * 65536 + 1), nullptr);
  EXPECT_EQ(site.rowFor(Collective::broadcast, 1024), nullptr);
}

TEST(TuningTable, FarApartSizes_StillSpeakForWhatLiesBetween) {
  TunedSite site = someSite();
  site.rows[static_cast<std::size_t>(Collective::allReduce)][1].bytes = 1 << 30;
  EXPECT_NE(site.rowFor(Collective::allReduce, 1 << 20), nullptr);
}

TEST(Decide, MeasuredSize_IsTheTables) {
  const TunedSite site = someSite();
  const Decision decision = decisionOf(choiceOf(Collective::allReduce, 65536), &site);
  EXPECT_EQ(decision.by, Decision::By::table);
  EXPECT_EQ(decision.algorithm().name, "ring");
  EXPECT_EQ(decision.row->bytes, 65536u);
  ASSERT_NE(decision.ofModel, nullptr);
  EXPECT_EQ(decision.ofModel, decisionOf(choiceOf(Collective::allReduce, 65536), nullptr).ranked.front().algorithm);
}

TEST(Decide, ForcedAlgorithm_GoesBeforeTheTable) {
  const TunedSite site = someSite();
  const Decision decision = decisionOf(choiceOf(Collective::allReduce, 65536), &site, "allreduce:one-shot");
  EXPECT_EQ(decision.by, Decision::By::user);
  EXPECT_EQ(decision.algorithm().name, "one-shot");
}

TEST(Decide, SizeOrCollectiveThatWasNotMeasured_IsTheModels) {
  const TunedSite site = someSite();
  EXPECT_EQ(decisionOf(choiceOf(Collective::allReduce, 1 << 30), &site).by, Decision::By::model);
  EXPECT_EQ(decisionOf(choiceOf(Collective::allGather, 1024), &site).by, Decision::By::model);
}

TEST(Decide, EntryThatCannotServeTheCall_IsPassedOver) {
  const TunedSite site = someSite();
  Choice ordered = choiceOf(Collective::allReduce, 65536);
  ordered.ordered = true;  // ring, the fastest, does not keep the order
  const Decision decision = decisionOf(ordered, &site);
  EXPECT_EQ(decision.by, Decision::By::table);
  EXPECT_EQ(decision.algorithm().name, "two-shot");
}

TEST(Decide, RowOfWhichNoneCanServeTheCall_LeavesItToTheModel) {
  const TunedSite site = someSite();
  Choice unequal = choiceOf(Collective::allToAll, 1024);
  unequal.unequalBlocks = true;  // bruck, the only one measured, needs equal blocks
  const Decision decision = decisionOf(unequal, &site);
  EXPECT_EQ(decision.by, Decision::By::model);
  EXPECT_TRUE(decision.algorithm().servesUnequalBlocks(unequal.collective));
}

TEST(Explain, DecisionOfATable_NamesTheRowAndWhatTheModelWouldTake) {
  TunedSite site = someSite();
  site.rows[static_cast<std::size_t>(Collective::allReduce)][0].times = {timeOf("ring", 1e-6),
                                                                         timeOf("two-shot", 2e-6)};
  const Choice choice = choiceOf(Collective::allReduce, 2048);
  const std::string text = explain(choice, decisionOf(choice, &site), kNetwork);
  EXPECT_THAT(text,
              HasSubstr("allreduce 2 KiB on 4 ranks: ring 1 µs, measured at 1 KiB on 4 ranks on 1 host over shm"));
  EXPECT_THAT(text, HasSubstr("then two-shot 2 µs"));
  EXPECT_THAT(text, HasSubstr("the cost model would take one-shot"));
}

class TuningFileTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / fmt::format("atoll-tuning-{}.json", ::getpid());
  }
  void TearDown() override { std::filesystem::remove(path_); }
  void write(const std::string& text) const { std::ofstream(path_) << text; }

  std::filesystem::path path_;
};

TEST_F(TuningFileTest, FileThatIsNotThere_IsNamed) {
  const auto file = readTuningFile(path_);
  ASSERT_FALSE(file.ok());
  EXPECT_THAT(file.error().text, AllOf(HasSubstr(path_.string()), HasSubstr("No such file")));
}

TEST_F(TuningFileTest, Directory_IsRefusedByName) {
  const std::string directory = std::filesystem::temp_directory_path();
  const auto file = readTuningFile(directory);
  ASSERT_FALSE(file.ok());
  EXPECT_THAT(file.error().text, HasSubstr(directory));
}

TEST_F(TuningFileTest, WrongContent_IsNamedWithFileFieldAndValue) {
  write(R"({"format":"atoll-tuning","version":2,"sites":[]})");
  const auto file = readTuningFile(path_);
  ASSERT_FALSE(file.ok());
  EXPECT_THAT(file.error().text, AllOf(HasSubstr(path_.string()), HasSubstr("version"), HasSubstr("not 2")));
}

TEST_F(TuningFileTest, Hash_TellsContentsApart) {
  write(someTable().toJson());
  const auto first = readTuningFile(path_);
  const auto again = readTuningFile(path_);
  write(TuningTable{}.toJson());
  const auto other = readTuningFile(path_);
  ASSERT_TRUE(first.ok() && again.ok() && other.ok());
  EXPECT_EQ(first->hash, again->hash);
  EXPECT_NE(first->hash, other->hash);
}

TEST_F(TuningFileTest, FileOfAProcess_IsReadOnce) {
  write(someTable().toJson());
  const auto first = tuningFileAt(path_);
  write(TuningTable{}.toJson());
  const auto later = tuningFileAt(path_);
  ASSERT_TRUE(first.ok() && later.ok());
  EXPECT_EQ(*first, *later);
}

}  // namespace
}  // namespace atl::plan
