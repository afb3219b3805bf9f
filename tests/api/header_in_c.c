/* SPDX-License-Identifier: Apache-2.0 */
/* The header as a C11 program sees it: every function, by a pointer of the type that programs were compiled with. */
#include <stdio.h>

#include "atoll/atoll.h"

static const struct {
  atollResult_t (*getVersion)(int*);
  const char* (*getErrorString)(atollResult_t);
  const char* (*getLastError)(atollComm_t);
  atollResult_t (*streamCreate)(atollStream_t*);
  atollResult_t (*streamSynchronize)(atollStream_t);
  atollResult_t (*streamQuery)(atollStream_t);
  atollResult_t (*streamDestroy)(atollStream_t);
  atollResult_t (*getUniqueId)(atollUniqueId*);
  atollResult_t (*commInitRank)(atollComm_t*, int, atollUniqueId, int);
  atollResult_t (*commInitRankConfig)(atollComm_t*, int, atollUniqueId, int, const atollConfig_t*);
  atollResult_t (*commInitRankScalable)(atollComm_t*, int, int, int, const atollUniqueId*, const atollConfig_t*);
  atollResult_t (*commInitAll)(atollComm_t*, int);
  atollResult_t (*commInitEnv)(atollComm_t*, const atollConfig_t*);
  atollResult_t (*getUniqueIdFromEnv)(atollUniqueId*, int*, int*);
  atollResult_t (*commInitFile)(atollComm_t*, int, int, const char*, const atollConfig_t*);
  atollResult_t (*commFinalize)(atollComm_t);
  atollResult_t (*commDestroy)(atollComm_t);
  atollResult_t (*commAbort)(atollComm_t);
  atollResult_t (*commGetAsyncError)(atollComm_t, atollResult_t*);
  atollResult_t (*commSplit)(atollComm_t, int, int, atollComm_t*, const atollConfig_t*);
  atollResult_t (*commCount)(atollComm_t, int*);
  atollResult_t (*commUserRank)(atollComm_t, int*);
  atollResult_t (*commDevice)(atollComm_t, int*);
  atollResult_t (*commGetStats)(atollComm_t, atollCommStats_t*);
  atollResult_t (*commGetChoice)(atollComm_t, const char*, size_t, atollChoice_t*);
  atollResult_t (*commLoadPlan)(atollComm_t, const char*);
  atollResult_t (*commSetTopology)(atollComm_t, const char*);
  atollResult_t (*allReduce)(const void*, void*, size_t, atollDataType_t, atollRedOp_t, atollComm_t, atollStream_t);
  atollResult_t (*reduce)(const void*, void*, size_t, atollDataType_t, atollRedOp_t, int, atollComm_t, atollStream_t);
  atollResult_t (*broadcast)(const void*, void*, size_t, atollDataType_t, int, atollComm_t, atollStream_t);
  atollResult_t (*allGather)(const void*, void*, size_t, atollDataType_t, atollComm_t, atollStream_t);
  atollResult_t (*reduceScatter)(const void*, void*, size_t, atollDataType_t, atollRedOp_t, atollComm_t, atollStream_t);
  atollResult_t (*allToAll)(const void*, void*, size_t, atollDataType_t, atollComm_t, atollStream_t);
  atollResult_t (*gather)(const void*, void*, size_t, atollDataType_t, int, atollComm_t, atollStream_t);
  atollResult_t (*scatter)(const void*, void*, size_t, atollDataType_t, int, atollComm_t, atollStream_t);
  atollResult_t (*send)(const void*, size_t, atollDataType_t, int, atollComm_t, atollStream_t);
  atollResult_t (*recv)(void*, size_t, atollDataType_t, int, atollComm_t, atollStream_t);
  atollResult_t (*barrier)(atollComm_t, atollStream_t);
  atollResult_t (*allGatherV)(const void*, size_t, void*, const size_t*, const size_t*, atollDataType_t, atollComm_t,
                              atollStream_t);
  atollResult_t (*reduceScatterV)(const void*, const size_t*, void*, atollDataType_t, atollRedOp_t, atollComm_t,
                                  atollStream_t);
  atollResult_t (*allToAllV)(const void*, const size_t*, const size_t*, void*, const size_t*, const size_t*,
                             atollDataType_t, atollComm_t, atollStream_t);
  atollResult_t (*groupStart)(void);
  atollResult_t (*groupEnd)(void);
  atollResult_t (*memAlloc)(void**, size_t);
  atollResult_t (*memFree)(void*);
  atollResult_t (*commRegister)(atollComm_t, void*, size_t, void**);
  atollResult_t (*commDeregister)(atollComm_t, void*);
  atollResult_t (*redOpCreatePreMulSum)(atollRedOp_t*, void*, atollDataType_t, atollScalarResidence_t, atollComm_t);
  atollResult_t (*redOpCreateUser)(atollRedOp_t*, atollReduceFunction_t, void*, int, atollComm_t);
  atollResult_t (*redOpDestroy)(atollRedOp_t, atollComm_t);
} functions = {
    atollGetVersion,
    atollGetErrorString,
    atollGetLastError,
    atollStreamCreate,
    atollStreamSynchronize,
    atollStreamQuery,
    atollStreamDestroy,
    atollGetUniqueId,
    atollCommInitRank,
    atollCommInitRankConfig,
    atollCommInitRankScalable,
    atollCommInitAll,
    atollCommInitEnv,
    atollGetUniqueIdFromEnv,
    atollCommInitFile,
    atollCommFinalize,
    atollCommDestroy,
    atollCommAbort,
    atollCommGetAsyncError,
    atollCommSplit,
    atollCommCount,
    atollCommUserRank,
    atollCommDevice,
    atollCommGetStats,
    atollCommGetChoice,
    atollCommLoadPlan,
    atollCommSetTopology,
    atollAllReduce,
    atollReduce,
    atollBroadcast,
    atollAllGather,
    atollReduceScatter,
    atollAllToAll,
    atollGather,
    atollScatter,
    atollSend,
    atollRecv,
    atollBarrier,
    atollAllGatherV,
    atollReduceScatterV,
    atollAllToAllV,
    atollGroupStart,
    atollGroupEnd,
    atollMemAlloc,
    atollMemFree,
    atollCommRegister,
    atollCommDeregister,
    atollRedOpCreatePreMulSum,
    atollRedOpCreateUser,
    atollRedOpDestroy,
};

static int failures = 0;

static void expect(int condition, const char* what) {
  if (condition) return;
  ++failures;
  fprintf(stderr, "failed: %s\n", what);
}

int main(void) {
  int version = 0;
  expect(functions.getVersion(&version) == atollSuccess && version == ATOLL_VERSION_CODE,
         "the version is the header's");

  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  expect(config.size == sizeof config && config.blocking == ATOLL_CONFIG_UNDEF_INT, "the initializer works in C");
  expect(sizeof(atollUniqueId) == ATOLL_UNIQUE_ID_BYTES, "a unique id has its documented size");

  atollComm_t comm = NULL;
  expect(functions.commInitAll(&comm, 1) == atollSuccess, functions.getLastError(NULL));
  float value = 2.5F;
  expect(functions.allReduce(&value, &value, 1, atollFloat, atollSum, comm, NULL) == atollSuccess,
         functions.getLastError(NULL));
  expect(value == 2.5F, "one rank's sum is its input");
  expect(functions.commDestroy(comm) == atollSuccess, functions.getLastError(NULL));
  return failures == 0 ? 0 : 1;
}
