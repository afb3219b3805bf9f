// SPDX-License-Identifier: Apache-2.0
// What a tuning comes to, as text for people and as a site of the table.
#pragma once

#include <string>

#include "src/plan/tuning_table.h"
#include "tools/atoll/tune/tuner.h"

namespace atl::tools {

/// The site for the table. `measured` says when and where, for people.
plan::TunedSite siteOf(const TuningResult& result, std::string measured);

/// A line for each collective: which algorithm was fastest from which size on.
std::string fastestText(const TuningResult& result);

/// Where the built-in choice took more than `tolerance` (0.1: a tenth) longer than the fastest, and by how much; and in
/// how many of all sizes it did not.
std::string builtInText(const TuningResult& result, double tolerance);

/// "2026-11-21, 2 CPUs of AMD EPYC 9B14, atoll 0.1.0".
std::string measuredHere();

}  // namespace atl::tools
