// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/json_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace atl::perf {
namespace {

using nlohmann::json;

Row sampleRow() {
  Row row;
  row.bytes = 64;
  row.count = 16;
  row.reduction = Reduction::max;
  row.outOfPlace = measurementOf(64, 2e-6, 1.5);
  row.outOfPlace->wrong = 3;
  row.outOfPlace->samples = {1e-6, 3e-6};
  return row;
}

json documentOf(Options options, const std::vector<Row>& rows) {
  options.arguments = {"-b", "8"};
  JsonReport report("all_reduce_perf", {"Atoll", "0.1.0"}, options, {{0, 0, 42, "hosta", -1}, {1, 0, 42, "hosta", -1}});
  Totals totals;
  for (const Row& row : rows) {
    report.add(row);
    totals.add(row);
  }
  return json::parse(report.text(totals));
}

TEST(JsonReport, Document_HasNcclTestsKeys) {
  const json document = documentOf({}, {sampleRow()});
  for (const char* key :
       {"version", "args", "env", "config", "devices", "results", "out_of_bounds", "average_bus_bandwidth"}) {
    EXPECT_TRUE(document.contains(key)) << key;
  }
  EXPECT_EQ(document["version"], "0.1.0");
  EXPECT_EQ(document["args"], json({"-b", "8"}));
  EXPECT_EQ(document["config"]["iters"], 20);
  EXPECT_EQ(document["devices"].size(), 2u);
  EXPECT_EQ(document["devices"][1]["host"], "hosta");
  EXPECT_EQ(document["devices"][1]["device"], "host");
  EXPECT_EQ(document["out_of_bounds"]["count"], 3);
  EXPECT_EQ(document["out_of_bounds"]["okay"], false);
  EXPECT_NEAR(document["average_bus_bandwidth"]["bandwidth"].get<double>(), 0.048, 1e-9);
}

TEST(JsonReport, Result_HasTheRowsNumbersInMicroseconds) {
  const json result = documentOf({}, {sampleRow()})["results"][0];
  EXPECT_EQ(result["size"], 64);
  EXPECT_EQ(result["count"], 16);
  EXPECT_EQ(result["type"], "float");
  EXPECT_EQ(result["redop"], "max");
  EXPECT_EQ(result["root"], -1);
  EXPECT_DOUBLE_EQ(result["out_of_place"]["time"].get<double>(), 2.0);
  EXPECT_DOUBLE_EQ(result["out_of_place"]["alg_bw"].get<double>(), 0.032);
  EXPECT_DOUBLE_EQ(result["out_of_place"]["bus_bw"].get<double>(), 0.048);
  EXPECT_EQ(result["out_of_place"]["nwrong"], 3);
  EXPECT_TRUE(result["in_place"].is_null());
  EXPECT_FALSE(result["out_of_place"].contains("samples"));
}

TEST(JsonReport, Unchecked_SaysNotAvailable) {
  Row row = sampleRow();
  row.outOfPlace->wrong.reset();
  EXPECT_EQ(documentOf({}, {row})["results"][0]["out_of_place"]["nwrong"], "N/A");
}

TEST(JsonReport, SpreadAndSamples_AreThereWhenAskedFor) {
  Options options;
  options.iterationSpread = true;
  options.iterationSamples = true;
  const json half = documentOf(options, {sampleRow()})["results"][0]["out_of_place"];
  EXPECT_EQ(half["samples"], json({1.0, 3.0}));
  EXPECT_DOUBLE_EQ(half["iterations"]["median"].get<double>(), 2.0);
}

TEST(JsonReport, Environment_LeavesOutTheGroupsSecret) {
  ::setenv("ATOLL_ID", "0123456789abcdef", 1);
  ::setenv("ATOLL_ALGO", "ring", 1);
  const json environment = documentOf({}, {})["env"];
  ::unsetenv("ATOLL_ID");
  ::unsetenv("ATOLL_ALGO");
  EXPECT_EQ(environment["ATOLL_ALGO"], "ring");
  EXPECT_FALSE(environment.contains("ATOLL_ID"));
}

TEST(JsonReport, Write_PutsTheWholeFileInPlace) {
  const auto path = std::filesystem::path(testing::TempDir()) / "atoll_json_report_test.json";
  const JsonReport report("all_reduce_perf", {"Atoll", "0.1.0"}, {}, {});
  ASSERT_TRUE(report.write(path.string(), {}).ok());
  std::ifstream file(path);
  EXPECT_EQ(json::parse(file)["program"], "all_reduce_perf");
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".part"));
  std::filesystem::remove(path);
}

TEST(JsonReport, WriteWhereNothingCanBe_IsAnErrorNamingThePath) {
  const Status status =
      JsonReport("all_reduce_perf", {"Atoll", "0.1.0"}, {}, {}).write("/nonexistent-folder/out.json", {});
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().text, testing::HasSubstr("/nonexistent-folder/out.json"));
}

}  // namespace
}  // namespace atl::perf
