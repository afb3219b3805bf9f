// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl::perf {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::variant<Options, EarlyExit> parse(std::vector<const char*> arguments) {
  Collective collective;
  collective.program = "some_perf";
  collective.what = "Measures something.";
  arguments.insert(arguments.begin(), "some_perf");
  return parseOptions(collective, static_cast<int>(arguments.size()), arguments.data());
}

Options parsed(std::vector<const char*> arguments) {
  auto result = parse(std::move(arguments));
  if (const auto* exit = std::get_if<EarlyExit>(&result)) {
    ADD_FAILURE() << exit->text;
    return {};
  }
  return std::get<Options>(result);
}

std::string refused(std::vector<const char*> arguments) {
  auto result = parse(std::move(arguments));
  const auto* exit = std::get_if<EarlyExit>(&result);
  EXPECT_NE(exit, nullptr);
  if (exit == nullptr) return "";
  EXPECT_EQ(exit->code, kExitBadUsage);
  return exit->text;
}

TEST(Options, None_AreTheDefaultsOfNcclTests) {
  const Options o = parsed({});
  EXPECT_EQ(o.threads, 1);
  EXPECT_EQ(o.ranksPerThread, 1);
  EXPECT_EQ(o.sweep, (Sweep{32u << 20, 32u << 20, 1u << 20, 0}));
  EXPECT_EQ(o.iterations, 20);
  EXPECT_EQ(o.warmup, 1);
  EXPECT_EQ(o.aggregate, 1);
  EXPECT_EQ(o.cycles, 1);
  EXPECT_EQ(o.checks, 1);
  EXPECT_FALSE(o.parallelInit);
  EXPECT_THAT(o.reductions, ElementsAre(Reduction::sum));
  EXPECT_THAT(o.types, ElementsAre(DataType::float32));
  EXPECT_EQ(o.root, 0);
  EXPECT_EQ(o.average, Average::mean);
  EXPECT_LT(o.timeoutSeconds, 0);
}

TEST(Options, Rotation_IsOfTheLargestSizeUnlessAskedFor) {
  const Options asked = parsed({"--rotation", "64M"});
  EXPECT_EQ(asked.capacityFor(1 << 20), 64U << 20);
  EXPECT_EQ(asked.capacityFor(128 << 20), 128U << 20);
  EXPECT_EQ(asked.capacityFor(0), 0U);  // a rank that has no such buffer
  EXPECT_EQ(asked.positionOf(7), 7U);
  EXPECT_EQ(parsed({}).capacityFor(1 << 20), 1U << 20);
  EXPECT_EQ(parsed({}).positionOf(7), 7U);
  EXPECT_EQ(parsed({"--rotation", "0"}).positionOf(7), 0U);
}

TEST(Options, ShortNames_SetTheirFields) {
  const Options o =
      parsed({"-t", "3", "-g", "2", "-b", "8", "-e", "64M",  "-f", "4",        "-n", "7", "-w", "2", "-m", "5",
              "-N", "0", "-p", "1", "-c", "0", "-o", "prod", "-d", "bfloat16", "-r", "6", "-z", "1", "-T", "1.5",
              "-G", "0", "-C", "1", "-a", "3", "-R", "2",    "-J", "out.json", "-I", "1", "-K", "1"});
  EXPECT_EQ(o.threads, 3);
  EXPECT_EQ(o.ranksPerThread, 2);
  EXPECT_EQ(o.sweep, (Sweep{8, 64u << 20, 1u << 20, 4}));
  EXPECT_EQ(o.iterations, 7);
  EXPECT_EQ(o.warmup, 2);
  EXPECT_EQ(o.aggregate, 5);
  EXPECT_EQ(o.cycles, 0);
  EXPECT_TRUE(o.parallelInit);
  EXPECT_EQ(o.checks, 0);
  EXPECT_THAT(o.reductions, ElementsAre(Reduction::prod));
  EXPECT_THAT(o.types, ElementsAre(DataType::bfloat16));
  EXPECT_EQ(o.root, 6);
  EXPECT_TRUE(o.waitEachCall);
  EXPECT_FALSE(o.alignIterations);
  EXPECT_DOUBLE_EQ(o.timeoutSeconds, 1.5);
  EXPECT_TRUE(o.cpuTime);
  EXPECT_EQ(o.average, Average::max);
  EXPECT_TRUE(o.registerBuffers);
  EXPECT_EQ(o.jsonFile, "out.json");
  EXPECT_TRUE(o.iterationSpread);
  EXPECT_TRUE(o.iterationSamples);
}

TEST(Options, LongNames_SetTheSameFields) {
  const Options o = parsed({"--nthreads",
                            "3",
                            "--ngpus",
                            "2",
                            "--minbytes",
                            "1K",
                            "--maxbytes",
                            "1G",
                            "--stepbytes",
                            "1M",
                            "--iters",
                            "7",
                            "--warmup_iters",
                            "2",
                            "--agg_iters",
                            "5",
                            "--run_cycles",
                            "2",
                            "--parallel_init",
                            "1",
                            "--check",
                            "4",
                            "--op",
                            "max",
                            "--datatype",
                            "half",
                            "--root",
                            "6",
                            "--blocking",
                            "2",
                            "--timeout",
                            "9",
                            "--cudagraph",
                            "0",
                            "--report_cputime",
                            "1",
                            "--average",
                            "0",
                            "--local_register",
                            "1",
                            "--output_file",
                            "out.json"});
  EXPECT_EQ(o.sweep, (Sweep{1u << 10, 1u << 30, 1u << 20, 0}));
  EXPECT_EQ(o.checks, 4);
  EXPECT_THAT(o.reductions, ElementsAre(Reduction::max));
  EXPECT_THAT(o.types, ElementsAre(DataType::float16));
  EXPECT_FALSE(o.waitEachCall);
  EXPECT_TRUE(o.alignIterations);
  EXPECT_EQ(o.average, Average::rank0);
}

TEST(Options, All_StandsForEveryTypeOperatorAndRoot) {
  const Options o = parsed({"-d", "all", "-o", "all", "-r", "all"});
  EXPECT_EQ(o.types.size(), static_cast<std::size_t>(kDataTypes));
  EXPECT_EQ(o.reductions.size(), static_cast<std::size_t>(kReductions));
  EXPECT_EQ(o.root, Options::kAllRoots);
}

TEST(Options, Arguments_AreKeptAsGiven) {
  EXPECT_THAT(parsed({"-b", "8"}).arguments, ElementsAre("-b", "8"));
}

TEST(Options, WrongValues_AreRefusedNamingOptionAndValue) {
  EXPECT_THAT(refused({"-b", "8X"}), AllOf(HasSubstr("some_perf"), HasSubstr("minbytes"), HasSubstr("8X")));
  EXPECT_THAT(refused({"-o", "median"}), AllOf(HasSubstr("--op"), HasSubstr("median"), HasSubstr("mulsum")));
  EXPECT_THAT(refused({"-d", "quad"}), AllOf(HasSubstr("--datatype"), HasSubstr("quad"), HasSubstr("f8e5m2")));
  EXPECT_THAT(refused({"-r", "-3"}), AllOf(HasSubstr("root"), HasSubstr("-3")));
  EXPECT_THAT(refused({"-t", "0"}), AllOf(HasSubstr("nthreads"), HasSubstr("0")));
  EXPECT_THAT(refused({"-n", "many"}), AllOf(HasSubstr("iters"), HasSubstr("many")));
  EXPECT_THAT(refused({"-z", "4"}), HasSubstr("blocking"));
  EXPECT_THAT(refused({"-a", "5"}), HasSubstr("average"));
}

TEST(Options, UnknownOption_IsRefusedByName) {
  EXPECT_THAT(refused({"--fancy"}), HasSubstr("--fancy"));
}

TEST(Options, CudaGraphs_AreRefusedWithTheReason) {
  EXPECT_THAT(refused({"-G", "3"}), AllOf(HasSubstr("cudagraph"), HasSubstr("host memory")));
}

TEST(Options, StepAndFactor_ExcludeEachOther) {
  EXPECT_THAT(refused({"-i", "8", "-f", "2"}), HasSubstr("stepfactor"));
}

TEST(Options, SweepThatIsEmpty_IsRefused) {
  EXPECT_THAT(refused({"-b", "64", "-e", "8"}), HasSubstr("minbytes 64"));
}

TEST(Options, SamplesWithoutAFile_AreRefused) {
  EXPECT_THAT(refused({"-K", "1"}), HasSubstr("--output_file"));
}

TEST(Options, Help_ListsEveryOptionAndSucceeds) {
  auto result = parse({"--help"});
  const auto* exit = std::get_if<EarlyExit>(&result);
  ASSERT_NE(exit, nullptr);
  EXPECT_EQ(exit->code, 0);
  for (const char* name : {"--nthreads",       "--ngpus",       "--minbytes",     "--maxbytes",       "--stepbytes",
                           "--stepfactor",     "--iters",       "--warmup_iters", "--agg_iters",      "--run_cycles",
                           "--parallel_init",  "--check",       "--op",           "--datatype",       "--root",
                           "--blocking",       "--timeout",     "--cudagraph",    "--report_cputime", "--average",
                           "--local_register", "--output_file", "--stream",       "--out-of-place"}) {
    EXPECT_THAT(exit->text, HasSubstr(name));
  }
}

}  // namespace
}  // namespace atl::perf
