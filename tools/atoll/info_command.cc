// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/info_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "src/base/settings.h"
#include "tools/atoll/info/machine.h"
#include "tools/atoll/info/memory_probe.h"
#include "tools/atoll/info/settings_table.h"

namespace atl::tools {
namespace {

constexpr double kKiB = 1024.0;

struct InfoOptions {
  bool settingsMarkdown = false;
  Rank memoryRanks = 0;
};

[[noreturn]] void leave(const Error& error) {
  fmt::print(stderr, "atoll info: {}\n", error.text);
  throw CLI::RuntimeError(EXIT_FAILURE);
}

void printMemory(Rank ranks) {
  const auto report = probeMemory(ranks);
  if (!report.ok()) leave(report.error());
  fmt::print("{} ranks as threads of one process, with one 8-byte all-reduce\n", ranks);
  fmt::print("  initialised in {:.3f} s, first all-reduce in {:.3f} s\n", report->initSeconds,
             report->firstCallSeconds);
  fmt::print("  memory held by a rank: {:.1f} KiB on average, {:.1f} KiB at most\n",
             static_cast<double>(report->heldMean) / kKiB, static_cast<double>(report->heldMost) / kKiB);
  fmt::print("  growth of the process: {:.1f} KiB a rank, its thread and stack included\n",
             static_cast<double>(report->residentPerRank) / kKiB);
}

void printAll() {
  const auto settings = Settings::fromEnvironment();
  if (!settings.ok()) leave(settings.error());
  fmt::print("Build\n{}Host\n{}Network\n{}Launcher\n{}Settings\n{}", describeBuild(), describeHost(*settings),
             describeNetwork(*settings), describeLaunch(), settingsNow());
}

}  // namespace

void addInfoCommand(CLI::App& program) {
  CLI::App* const command =
      program.add_subcommand("info", "Show what this build is, what it sees here and what it is set to.");
  auto options = std::make_shared<InfoOptions>();
  command->add_flag("--settings-markdown", options->settingsMarkdown, "Print docs/settings.md");
  command->add_option("--memory", options->memoryRanks, "Run N ranks as threads and print what each costs")
      ->check(CLI::Range(1, 100000))
      ->type_name("N");
  command->footer(R"(Examples:
  atoll info
  atoll info --memory 1000
  mpirun -n 2 atoll info            which launcher is recognised)");
  command->callback([options] {
    if (options->settingsMarkdown) {
      fmt::print("{}", settingsMarkdown());
    } else if (options->memoryRanks > 0) {
      printMemory(options->memoryRanks);
    } else {
      printAll();
    }
  });
}

}  // namespace atl::tools
