// SPDX-License-Identifier: Apache-2.0
// The umbrella program `atoll`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "atoll/atoll.h"
#include "tools/atoll/info_command.h"
#include "tools/atoll/plan_command.h"
#include "tools/atoll/run_command.h"
#include "tools/atoll/topo_command.h"
#include "tools/atoll/tune_command.h"

int main(int argc, char** argv) {
  CLI::App program("Atoll: collective communication for clusters built of islands", "atoll");
  program.require_subcommand(1);
  program.set_version_flag("--version", fmt::format("atoll {}.{}.{}", ATOLL_MAJOR, ATOLL_MINOR, ATOLL_PATCH));
  atl::tools::addRunCommand(program);
  atl::tools::addTuneCommand(program);
  atl::tools::addPlanCommand(program);
  atl::tools::addTopoCommand(program);
  atl::tools::addInfoCommand(program);
  CLI11_PARSE(program, argc, argv);
  return 0;
}
