// SPDX-License-Identifier: Apache-2.0
// The threads of a process, each with a team of its own.
#pragma once

#include <functional>

#include "bench/perf/launch.h"
#include "bench/perf/options.h"
#include "bench/perf/team.h"
#include "src/base/result.h"

namespace atl::perf {

/// What a thread does with its team, from its first call to its last. Every thread of every process makes the same
/// calls. An error ends the other ranks too.
using CrewPart = std::function<Status(Team& team, int thread)>;

/// Makes the teams of this process and runs `part` in a thread for each, thread 0 being the caller's. Closes the teams.
/// The first error.
Status runCrew(const World& world, const Options& options, const CrewPart& part);

}  // namespace atl::perf
