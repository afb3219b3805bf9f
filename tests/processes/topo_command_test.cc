// SPDX-License-Identifier: Apache-2.0
// `atoll topo` as a program: its outputs and its refusals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "src/topology/description.h"
#include "tests/processes/program_run.h"
#include "tools/atoll/topo/png.h"

namespace atl::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kHpn = TOPOLOGIES "/hpn7.yaml";

ProgramResult topo(std::vector<std::string> arguments) {
  std::vector<std::string> command = {ATOLL_PROGRAM, "topo"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return runProgram(command);
}

class InAFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("atoll-topo-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] static std::string beginningOf(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(16, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    return text;
  }

  std::filesystem::path folder_;
};

TEST(TopoCommand, ThisMachine_AsTextJsonAndFile) {
  const auto text = topo({});
  EXPECT_EQ(text.code, 0) << text.errors;
  EXPECT_THAT(text.output, HasSubstr("package 0: "));
  const auto json = nlohmann::json::parse(topo({"--json"}).output);
  EXPECT_EQ(json.at("tree").at("ranks"), json.at("ranks"));
  EXPECT_FALSE(json.at("machine").at("packages").empty());
  const auto file = TopologyDescription::fromYaml(topo({"--yaml"}).output, "output");
  ASSERT_TRUE(file.ok()) << file.error().text;
  EXPECT_EQ(file->shape->ranks(), json.at("ranks").get<Rank>());
}

TEST(TopoCommand, File_AsTextAndJson) {
  EXPECT_THAT(topo({kHpn}).output, AllOf(StartsWith("Alibaba HPN 7.0: 30720 ranks on 4 levels"),
                                         HasSubstr("oversubscribed 15:1"), HasSubstr("source: https://doi.org/")));
  const auto json = nlohmann::json::parse(topo({kHpn, "--json"}).output);
  EXPECT_EQ(json.at("levels").size(), 4U);
  EXPECT_EQ(json.at("levels")[3].at("name"), "core");
  EXPECT_DOUBLE_EQ(json.at("levels")[3].at("bandwidthOfEachRank").get<double>(), 50e9 / 15);
}

TEST_F(InAFolder, TopoCommand_DrawsSvgAndPng) {
  const std::string svg = folder_ / "hpn.svg";
  EXPECT_EQ(topo({kHpn, "--svg", svg}).code, 0);
  EXPECT_THAT(beginningOf(svg), StartsWith("<svg "));
  const std::string png = folder_ / "hpn.png";
  const auto drawn = topo({kHpn, "--png", png});
  if (drawn.errors.find("librsvg2-bin") != std::string::npos) GTEST_SKIP() << drawn.errors;
  EXPECT_EQ(drawn.code, 0) << drawn.errors;
  EXPECT_THAT(beginningOf(png), StartsWith("\x89PNG"));
}

TEST_F(InAFolder, Png_WithoutItsProgram_SaysWhatToInstall) {
  const auto status = tools::writePng(folder_ / "x.png", "<svg/>", "no-such-program-of-atoll");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().text, AllOf(HasSubstr("no-such-program-of-atoll"), HasSubstr("librsvg2-bin")));
}

TEST_F(InAFolder, Png_ThatItsProgramCannotMake_IsAnError) {
  EXPECT_THAT(tools::writePng(folder_ / "x.png", "<svg/>", "false").error().text, HasSubstr("could not write"));
}

/// Which islands are found depends on what else the machine does; that a file is written, of all ranks, does not.
TEST_F(InAFolder, Measurement_WritesAFileOfAllRanks) {
  const std::string path = folder_ / "measured.yaml";
  const auto result =
      runProgram({ATOLL_PROGRAM, "run", "-n", "4", "--no-prefix", "--", "sh", "-c",
                  "ATOLL_HOSTID=h$((ATOLL_RANK % 2)) exec " ATOLL_PROGRAM " topo --measure -o " + path});
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("note: measured "));
  const auto file = readTopologyFile(path);
  ASSERT_TRUE(file.ok()) << file.error().text;
  ASSERT_TRUE(file->description.shape.has_value());
  EXPECT_EQ(file->description.shape->ranks(), 4);
  for (const Level& level : file->description.levels) {
    EXPECT_GT(level.latency, 0);
    EXPECT_GT(level.bandwidth, 0);
  }
}

TEST(TopoCommand, Measurement_NeedsAJob) {
  const auto result = topo({"--measure"});
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.errors, HasSubstr("links are measured between 2 to 64 ranks, and this job has 1"));
}

TEST_F(InAFolder, TopoCommand_RefusesWhatItCannotShow) {
  EXPECT_THAT(topo({folder_ / "none.yaml"}).errors, HasSubstr("atoll topo: cannot open topology file"));
  const std::string open = folder_ / "open.yaml";
  std::ofstream(open) << "{atoll-topology: 1, levels: [{name: host, kind: switch}]}";
  const auto result = topo({open});
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.errors, HasSubstr("has levels without members"));
  EXPECT_EQ(topo({open, "--yaml"}).code, 0);
  EXPECT_NE(topo({kHpn, "--svg", folder_ / "no/such/folder.svg"}).code, 0);
  EXPECT_THAT(topo({kHpn, "--plan", "allreduce:ring"}).errors, HasSubstr("without --svg or --png"));
  EXPECT_THAT(topo({kHpn, "--plan", "allreduce:rings", "--svg", "-"}).errors, HasSubstr("'rings' has no plan"));
}

}  // namespace
}  // namespace atl::test
