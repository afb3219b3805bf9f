// SPDX-License-Identifier: Apache-2.0
// An MPI library found at run time and used for one thing: to tell every process of an MPI job where the rendezvous is.
// Atoll is not built against MPI; the two ABIs in use (Open MPI's, and MPICH's, which Intel MPI and MVAPICH share) are
// told apart by the symbols that the library has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/base/types.h"

namespace atl {

/// Which ABI the launcher's variables speak of.
enum class MpiAbi : std::uint8_t { openMpi, mpich };

class MpiLibrary {
 public:
  virtual ~MpiLibrary() = default;

  /// The MPI library that this process already has, or else the one of `abi` by its usual names. One for the process,
  /// never unloaded. The error lists what was tried and says what to do.
  static Result<MpiLibrary*> find(MpiAbi abi);

  /// True when the program itself was linked with, or has loaded, an MPI library.
  static bool present();

  /// Initialises MPI unless the program has done so. When this does it, MPI is finalised at exit(0); a process that
  /// exits with another status leaves that out, so that the launcher sees a failure and no process waits in
  /// MPI_Finalize.
  virtual Status initialize() = 0;

  /// Processes of MPI_COMM_WORLD. One, when MPI did not find its launcher and made a world of its own.
  virtual Result<Rank> processes() = 0;

  /// Bytes of process 0 of MPI_COMM_WORLD to all. Collective; gives up at the deadline.
  virtual Status broadcast(std::span<std::byte> bytes, Deadline deadline) = 0;
};

}  // namespace atl
