// SPDX-License-Identifier: Apache-2.0
// Version, names of results, last errors.
#include "src/api/entry.h"
#include "src/api/report.h"

using namespace atl::api;  // NOLINT(google-build-using-namespace): the C functions are outside

atollResult_t atollGetVersion(int* version) {
  if (version == nullptr) {
    return report("atollGetVersion", atl::makeError(atl::ErrorCode::invalidArgument, "argument version is NULL"));
  }
  *version = ATOLL_VERSION_CODE;
  return atollSuccess;
}

const char* atollGetErrorString(atollResult_t result) {
  switch (result) {
    case atollSuccess: return "success";
    case atollUnhandledCudaError: return "unhandled CUDA error";
    case atollSystemError: return "system error";
    case atollInternalError: return "internal error";
    case atollInvalidArgument: return "invalid argument";
    case atollInvalidUsage: return "invalid usage";
    case atollRemoteError: return "remote error";
    case atollInProgress: return "in progress";
    case atollTimeout: return "timeout";
    case atollAborted: return "aborted";
    case atollMismatch: return "mismatch between ranks";
    case atollUnsupported: return "unsupported";
  }
  return "unknown result";
}

const char* atollGetLastError(atollComm_t comm) {
  thread_local std::string text;  // what the caller holds: later errors leave it alone
  try {
    const Inspection inspection(comm);
    text = inspection ? inspection.entry().lastError : lastErrorOfThread();
    return text.c_str();
  } catch (const std::bad_alloc&) {
    return "out of memory";
  }
}
