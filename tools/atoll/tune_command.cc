// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/tune_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "bench/perf/crew.h"
#include "bench/perf/progress.h"
#include "bench/perf/whole_file.h"
#include "src/base/clock.h"
#include "src/base/settings.h"
#include "src/plan/tuning_file.h"
#include "tools/atoll/plan/progress_line.h"
#include "tools/atoll/tune/contest.h"
#include "tools/atoll/tune/tune_report.h"
#include "tools/atoll/tune/tuner.h"

namespace atl::tools {
namespace {

constexpr const char* kDescription =
    "Measure every algorithm with the ranks that are here, and write the table by which ATOLL_TUNING makes calls "
    "choose.\n"
    "Every rank runs this command; rank 0 writes. docs/tuning.md says what the table means.";

constexpr const char* kExamples = R"(Examples:
  atoll run -n 4 -- atoll tune -o tuning.json              4 processes of this host
  mpirun -n 4 atoll tune -o tuning.json                    the same under MPI
  atoll tune -t 8 -o tuning.json --merge                   8 threads, beside what the file has
  atoll run -n 8 -H a,b -- atoll tune --coll allreduce -e 4M
  ATOLL_TUNING=tuning.json atoll run -n 4 -- ./train       use it)";

/// What is reported: a choice that took a tenth longer than the fastest.
constexpr double kTolerance = 0.1;

/// The progress line of the leader: how much is done, and about how long the rest will take.
class Progress {
 public:
  void begin(std::vector<std::uint64_t> sizes) { estimate_.emplace(std::move(sizes)); }
  void show(Collective collective, std::uint64_t bytes) {
    started_ = Clock::now();
    const auto left = static_cast<long>(std::lround(estimate_->secondsLeft()));
    const std::string rest = estimate_->done() == 0 ? "" : fmt::format(", about {}:{:02} left", left / 60, left % 60);
    line_.update(static_cast<double>(estimate_->done()) / static_cast<double>(estimate_->total()),
                 fmt::format("{} {} B{}", nameOf(collective), bytes, rest));
  }
  void done() { estimate_->finished(seconds(Clock::now() - started_)); }
  void clear() { line_.clear(); }

 private:
  std::optional<perf::Estimate> estimate_;
  ProgressLine line_;
  Clock::time_point started_{};
};

/// The table that the new site goes into: an empty one, or what the file holds.
Result<plan::TuningTable> tableToExtend(const TuneOptions& options) {
  if (!options.merge || !std::filesystem::exists(options.output)) return plan::TuningTable{};
  ATOLL_ASSIGN(plan::TuningFile file, plan::readTuningFile(options.output));
  return std::move(file.table);
}

/// What one rank of all does when the measurements are there.
Status conclude(const TuneOptions& options, const TuningResult& result, plan::TuningTable table, double seconds) {
  table.put(siteOf(result, measuredHere()));
  ATOLL_TRY(perf::writeWhole(options.output, table.toJson()));
  fmt::print("{}{}", fastestText(result), builtInText(result, kTolerance));
  fmt::print("{} sizes measured in {:.0f} s. Use the table with ATOLL_TUNING={}\n", result.sizes.size(), seconds,
             std::filesystem::absolute(options.output).lexically_normal().string());
  return success();
}

Status run(const TuneOptions& options) {
  ATOLL_ASSIGN(const perf::World world, perf::enterWorld(options.perf));
  if (world.ranks() < 2) {
    return makeError(ErrorCode::invalidUsage,
                     "one rank alone has nothing to tune: start several, as `atoll run -n 4 -- atoll tune`, or threads "
                     "with -t");
  }
  plan::TuningTable table;
  if (world.process == 0) {
    ATOLL_ASSIGN(table, tableToExtend(options));
    ATOLL_TRY(perf::probeWhole(options.output));
  }
  const auto begin = Clock::now();
  Progress progress;
  TuningObserver leading;
  leading.begun = [&](std::vector<std::uint64_t> sizes) { progress.begin(std::move(sizes)); };
  leading.sizeBegun = [&](Collective collective, std::uint64_t bytes) { progress.show(collective, bytes); };
  leading.sizeDone = [&] { progress.done(); };

  std::optional<TuningResult> result;
  ATOLL_TRY(perf::runCrew(world, options.perf, [&](perf::Team& team, int thread) -> Status {
    const bool leads = world.process == 0 && thread == 0;
    auto tuned = tune(options, world, team, leads ? leading : TuningObserver{});
    if (!tuned.ok()) return std::move(tuned).error();
    if (leads) result = std::move(tuned).value();
    return success();
  }));
  progress.clear();
  if (!result) return success();
  return conclude(options, *result, std::move(table), seconds(Clock::now() - begin));
}

std::uint64_t bytesFrom(const std::string& option, const std::string& text) {
  const auto bytes = parseBytes(text);
  if (!bytes.ok()) throw CLI::ValidationError(option, bytes.error().text);
  return *bytes;
}

void addSizes(CLI::App& command, TuneOptions& options) {
  perf::Sweep& sweep = options.perf.sweep;
  const auto bytes = [&](const char* names, std::uint64_t& field, const char* text) {
    command
        .add_option_function<std::string>(
            names, [names, &field](const std::string& value) { field = bytesFrom(names, value); }, text)
        ->type_name("BYTES");
  };
  bytes("-b,--minbytes", sweep.minBytes, "Smallest size; K, M and G are binary [8]");
  bytes("-e,--maxbytes", sweep.maxBytes, "Largest size, if memory allows [64M]");
  command.add_option("-f,--stepfactor", sweep.factor, "Factor from one size to the next")
      ->check(CLI::Range(2, 1 << 20))
      ->capture_default_str()
      ->type_name("N");
}

}  // namespace

void addTuneCommand(CLI::App& program) {
  CLI::App* const command = program.add_subcommand("tune", kDescription);
  command->footer(kExamples);
  auto options = std::make_shared<TuneOptions>();
  command->add_option("-o,--output", options->output, "The table's file")->capture_default_str()->type_name("FILE");
  command->add_flag("--merge", options->merge, "Keep what the file says of other ranks, hosts and links");
  addSizes(*command, *options);
  command
      ->add_option_function<std::vector<std::string>>(
          "--coll",
          [options](const std::vector<std::string>& names) {
            for (const std::string& name : names) {
              const auto collective = collectiveNamed(name);
              const auto all = tunableCollectives();
              if (!collective || std::find(all.begin(), all.end(), *collective) == all.end()) {
                throw CLI::ValidationError("--coll", "'" + name + "' is no collective with several algorithms");
              }
              options->collectives.push_back(*collective);
            }
          },
          "Only these collectives, separated by commas [all]")
      ->delimiter(',')
      ->type_name("NAME,…");
  command->add_option("-t,--threads", options->perf.threads, "Ranks of each process, as threads")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("-n,--samples", options->samples, "Samples of the algorithms that are in front, at each size")
      ->check(CLI::Range(Contest::kHeats, std::size_t{1000}))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--sample-time", options->sampleSeconds, "How long a sample lasts at least, by repeated calls")
      ->check(CLI::Range(1e-6, 10.0))
      ->capture_default_str()
      ->type_name("SECONDS");
  command->add_option("-T,--timeout", options->perf.timeoutSeconds, "Time limit of a call; 0 for none [the library's]")
      ->check(CLI::NonNegativeNumber)
      ->type_name("SECONDS");
  command->callback([options] {
    const Status status = run(*options);
    if (status.ok()) return;
    fmt::print(stderr, "atoll tune: {}\n", status.error().text);
    throw CLI::RuntimeError(EXIT_FAILURE);
  });
}

}  // namespace atl::tools
