// SPDX-License-Identifier: Apache-2.0
// What NCCL (to 2.30) has and Atoll has not: a program that only links to it starts, one that calls it is told. None of
// these looks at its arguments, so none is declared with any.
#include "integrations/nccl/results.h"

#define ATOLL_NCCL_ABSENT(name, instead)             \
  ATOLL_NCCL_API ncclResult_t pnccl##name() {        \
    return atl::nccl::absent("nccl" #name, instead); \
  }                                                  \
  ATOLL_NCCL_TWIN(name)

ATOLL_NCCL_ABSENT(CommGetUniqueId, "communicators do not grow yet");
ATOLL_NCCL_ABSENT(CommGrow, "communicators do not grow yet");
ATOLL_NCCL_ABSENT(CommMemStats, "atollCommGetStats tells what a communicator holds");
ATOLL_NCCL_ABSENT(CommQueryProperties, "there is no device API");
ATOLL_NCCL_ABSENT(CommResume, "communicators are not suspended");
ATOLL_NCCL_ABSENT(CommRevoke, "end the communicator with ncclCommAbort");
ATOLL_NCCL_ABSENT(CommSuspend, "communicators are not suspended");

// One-sided operations, and what kernels of the user's call.
ATOLL_NCCL_ABSENT(PutSignal, "ncclSend and ncclRecv move data");
ATOLL_NCCL_ABSENT(Signal, "ncclSend and ncclRecv move data");
ATOLL_NCCL_ABSENT(WaitSignal, "ncclSend and ncclRecv move data");
ATOLL_NCCL_ABSENT(WinGetUserPtr, "windows are registrations only");
ATOLL_NCCL_ABSENT(DevCommCreate, "there is no device API");
ATOLL_NCCL_ABSENT(DevCommDestroy, "there is no device API");
ATOLL_NCCL_ABSENT(GetLsaDevicePointer, "there is no device API");
ATOLL_NCCL_ABSENT(GetLsaMultimemDevicePointer, "there is no device API");
ATOLL_NCCL_ABSENT(GetMultimemDevicePointer, "there is no device API");
ATOLL_NCCL_ABSENT(GetPeerDevicePointer, "there is no device API");
ATOLL_NCCL_ABSENT(GinBarrierCreateRequirement, "there is no device API");
ATOLL_NCCL_ABSENT(GinInboxA2ACreateRequirement, "there is no device API");
ATOLL_NCCL_ABSENT(GinOutboxCreateRequirement, "there is no device API");
ATOLL_NCCL_ABSENT(LLA2ACreateRequirement, "there is no device API");
ATOLL_NCCL_ABSENT(LsaBarrierCreateRequirement, "there is no device API");

// NCCL's own parameters; Atoll's are ATOLL_ variables.
ATOLL_NCCL_ABSENT(ParamBind, "NCCL's parameters have no meaning here");
ATOLL_NCCL_ABSENT(ParamGet, "NCCL's parameters have no meaning here");
ATOLL_NCCL_ABSENT(ParamGetAllParameterKeys, "NCCL's parameters have no meaning here");
ATOLL_NCCL_ABSENT(ParamGetI8, "NCCL's parameters have no meaning here");
ATOLL_NCCL_ABSENT(ParamGetI16, "NCCL's parameters have no meaning here");
ATOLL_NCCL_ABSENT(ParamGetI32, "NCCL's parameters have no meaning here");
ATOLL_NCCL_ABSENT(ParamGetI64, "NCCL's parameters have no meaning here");
ATOLL_NCCL_ABSENT(ParamGetU8, "NCCL's parameters have no meaning here");
ATOLL_NCCL_ABSENT(ParamGetU16, "NCCL's parameters have no meaning here");
ATOLL_NCCL_ABSENT(ParamGetU32, "NCCL's parameters have no meaning here");
ATOLL_NCCL_ABSENT(ParamGetU64, "NCCL's parameters have no meaning here");
ATOLL_NCCL_ABSENT(ParamGetParameter, "NCCL's parameters have no meaning here");
ATOLL_NCCL_ABSENT(ParamGetStr, "NCCL's parameters have no meaning here");

// These return nothing that could say so.
ATOLL_NCCL_API void pncclParamDumpAll() {}
ATOLL_NCCL_TWIN(ParamDumpAll);
ATOLL_NCCL_API void pncclResetDebugInit() {}
ATOLL_NCCL_TWIN(ResetDebugInit);
