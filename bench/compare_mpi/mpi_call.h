// SPDX-License-Identifier: Apache-2.0
// MPI's counterparts of the collectives that Atoll's programs measure.
#pragma once

#include <mpi.h>

#include <string_view>

#include "bench/perf/reduction.h"
#include "src/base/result.h"
#include "src/base/types.h"

namespace atl::perf {

/// One call of one rank.
struct MpiCall {
  const void* send = nullptr;
  void* recv = nullptr;
  int count = 0;
  MPI_Datatype type = MPI_FLOAT;
  MPI_Op op = MPI_SUM;
  int root = 0;
  int rank = 0;
  int ranks = 1;
  bool inPlace = false;
};

/// Makes the call; returns MPI's error code.
using MakeMpiCall = int (*)(const MpiCall&);

/// MPI's call for a collective by its name on the command line; null for an unknown name.
MakeMpiCall mpiCallNamed(std::string_view collective);

/// Errors where MPI has no such type or operator.
Result<MPI_Datatype> mpiTypeOf(DataType type);
Result<MPI_Op> mpiOpOf(Reduction reduction);

}  // namespace atl::perf
