// SPDX-License-Identifier: Apache-2.0
// A whole program: command line, ranks, sweep, report.
#pragma once

#include "bench/perf/collective.h"

namespace atl::perf {

/// The programs' main. Returns the exit code.
int runProgram(const Collective& collective, int argc, const char* const* argv);

}  // namespace atl::perf
