// SPDX-License-Identifier: Apache-2.0
// The process manager of MPICH, Intel MPI and MVAPICH, spoken to directly (PMI-1 over the descriptor PMI_FD), so that a
// program that has no MPI in it need not load any.
#pragma once

#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/base/types.h"

namespace atl {

/// Process 0 publishes `value`; everyone gets it. Collective over the job's processes; `key` is new for every call.
/// Values and keys hold no space. The connection is opened at the first call and said goodbye to at exit.
Result<std::string> exchangeByPmi(Rank process, std::string_view key, std::string_view value, Deadline deadline);

}  // namespace atl
