// SPDX-License-Identifier: Apache-2.0
// For the programs that the tests start: ends the process with the library's own words when a call fails.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "atoll/atoll.h"

namespace atl::test {

/// Prints "rank 3: CALL: TEXT" on standard error and exits with 1, unless the call succeeded.
inline void require(atollResult_t result, const char* call, int rank, atollComm_t comm = nullptr) {
  if (result == atollSuccess) return;
  std::fprintf(stderr, "rank %d: %s: %s\n", rank, call, atollGetLastError(comm));
  std::exit(EXIT_FAILURE);
}

}  // namespace atl::test
