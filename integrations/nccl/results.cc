// SPDX-License-Identifier: Apache-2.0
#include "integrations/nccl/results.h"

#include <fmt/format.h>

namespace atl::nccl {
namespace {

/// Empty where Atoll's own text is the newer one.
std::string& ownText() {
  thread_local std::string text;
  return text;
}

}  // namespace

ncclResult_t resultOf(atollResult_t result) {
  if (result != atollSuccess && result != atollInProgress) ownText().clear();
  switch (result) {
    case atollTimeout:
    case atollAborted: return ncclRemoteError;
    case atollMismatch:
    case atollUnsupported: return ncclInvalidUsage;
    default: return static_cast<ncclResult_t>(result);
  }
}

ncclResult_t refused(ncclResult_t result, const std::string& text) {
  ownText() = text;
  return result;
}

ncclResult_t absent(const char* function, const char* instead) {
  return refused(ncclInvalidUsage, fmt::format("{} is not there in Atoll's NCCL interface: {}", function, instead));
}

const char* lastError(ncclComm_t comm) {
  return ownText().empty() ? atollGetLastError(atollsOf(comm)) : ownText().c_str();
}

}  // namespace atl::nccl
