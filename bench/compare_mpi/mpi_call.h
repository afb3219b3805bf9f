// SPDX-License-Identifier: Apache-2.0
// MPI's counterparts of the collectives that Atoll's programs measure.
#pragma once

#include <mpi.h>

#include <string_view>

#include "bench/perf/collective.h"
#include "bench/perf/options.h"
#include "src/base/result.h"

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

/// Whether MPI has the form where send and receive buffer differ, the one where they are the same in Atoll's sense, or
/// both.
enum class Forms : std::uint8_t { both, outOfPlaceOnly, inPlaceOnly };

struct MpiCollective {
  std::string_view name;          ///< as on the command line
  const Collective* description;  ///< sizes, data and factor; its own call is not used
  Forms forms;
  int (*call)(const MpiCall&);
};

/// Null for an unknown name.
const MpiCollective* mpiCollectiveNamed(std::string_view name);
/// "allreduce, allgather, …".
std::string mpiCollectiveNames();

/// Errors where MPI has no such type or operator.
Result<MPI_Datatype> mpiTypeOf(DataType type);
Result<MPI_Op> mpiOpOf(Reduction reduction);

}  // namespace atl::perf
