// SPDX-License-Identifier: Apache-2.0
// Which plans a sub-command of `atoll plan` is about: generated ones, or those of a file.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/plan/algorithm.h"
#include "src/plan/plan.h"

namespace atl::tools {

/// Values of --coll, --algo, --ranks, --root, --shares, --topology and --file.
struct FamilyOptions {
  std::string collective;
  std::string algorithm;
  Rank ranks = 0;
  std::optional<Rank> root;
  std::int32_t shares = 1;
  std::string topology;
  std::string file;
};

void addFamilyOptions(CLI::App& command, FamilyOptions& options);

/// All ranks' plans. Errors name the option, its value and what would do.
Result<std::vector<Plan>> familyFrom(const FamilyOptions& options);

/// One rank's plan, without generating the others.
Result<Plan> planFrom(const FamilyOptions& options, Rank rank);

/// An error lists the collectives, or the algorithms.
Result<Collective> collectiveFrom(const std::string& name);
Result<const plan::Algorithm*> algorithmFrom(const std::string& name);

/// Whether the algorithm serves the collective for any small number of ranks.
bool servesSomewhere(const plan::Algorithm& algorithm, Collective collective);

/// Writes a file, or standard output for "-".
Status writeFile(const std::string& path, std::string_view content);

}  // namespace atl::tools
