// SPDX-License-Identifier: Apache-2.0
// Atoll's results as NCCL's, and the texts of errors that NCCL's face alone finds.
#pragma once

#include <string>

#include "integrations/nccl/abi.h"

namespace atl::nccl {

/// NCCL knows fewer kinds of errors; the text tells more.
ncclResult_t resultOf(atollResult_t result);

/// An error of this face's own: keeps the text for ncclGetLastError.
ncclResult_t refused(ncclResult_t result, const std::string& text);

/// What NCCL has and Atoll has not.
ncclResult_t absent(const char* function, const char* instead);

/// The last error text of the thread's, of either kind.
const char* lastError(ncclComm_t comm);

inline atollComm_t atollsOf(ncclComm_t comm) {
  return reinterpret_cast<atollComm_t>(comm);
}
inline atollStream_t atollsOf(cudaStream_t stream) {
  return reinterpret_cast<atollStream_t>(stream);
}

}  // namespace atl::nccl
