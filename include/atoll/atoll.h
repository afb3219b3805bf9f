/* SPDX-License-Identifier: Apache-2.0 */
/* DRAFT of the C API: names and signatures are settled, the documentation is being written. */
#ifndef ATOLL_ATOLL_H
#define ATOLL_ATOLL_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#define ATOLL_API __attribute__((visibility("default")))
#else
#define ATOLL_API
#endif
#define ATOLL_MAJOR 0
#define ATOLL_MINOR 1
#define ATOLL_PATCH 0
#define ATOLL_VERSION_CODE (ATOLL_MAJOR * 10000 + ATOLL_MINOR * 100 + ATOLL_PATCH)
#define ATOLL_UNIQUE_ID_BYTES 128
#define ATOLL_SPLIT_NOCOLOR (-1)

typedef enum { atollSuccess = 0, atollUnhandledCudaError = 1, atollSystemError = 2, atollInternalError = 3, atollInvalidArgument = 4,
  atollInvalidUsage = 5, atollRemoteError = 6, atollInProgress = 7, atollTimeout = 8, atollAborted = 9, atollMismatch = 10,
  atollUnsupported = 11 } atollResult_t;
typedef enum { atollInt8 = 0, atollChar = 0, atollUint8 = 1, atollInt32 = 2, atollInt = 2, atollUint32 = 3, atollInt64 = 4,
  atollUint64 = 5, atollFloat16 = 6, atollHalf = 6, atollFloat32 = 7, atollFloat = 7, atollFloat64 = 8, atollDouble = 8,
  atollBfloat16 = 9, atollFloat8e4m3 = 10, atollFloat8e5m2 = 11 } atollDataType_t;
typedef int atollRedOp_t; /* the built-in ones below, or a handle from atollRedOpCreate… */
enum { atollSum = 0, atollProd = 1, atollMax = 2, atollMin = 3, atollAvg = 4 };
typedef enum { atollScalarDevice = 0, atollScalarHostImmediate = 1 } atollScalarResidence_t;
typedef struct atollComm* atollComm_t;
typedef struct CUstream_st* atollStream_t; /* layout-compatible with cudaStream_t; host streams come from atollStreamCreate */
typedef struct { char internal[ATOLL_UNIQUE_ID_BYTES]; } atollUniqueId;
typedef struct { size_t size; unsigned int version; int blocking; double timeout; double bootstrapTimeout; int checkCalls;
  const char* algorithms; const char* transports; const char* interfaces; const char* name; } atollConfig_t;
#define ATOLL_CONFIG_UNDEF_INT (-2147483647 - 1)
#define ATOLL_CONFIG_INITIALIZER { sizeof(atollConfig_t), ATOLL_VERSION_CODE, ATOLL_CONFIG_UNDEF_INT, -1.0, -1.0, ATOLL_CONFIG_UNDEF_INT, NULL, NULL, NULL, NULL }
typedef struct { size_t size; uint64_t bytesHeld, links, programs, calls; } atollCommStats_t;
typedef void (*atollReduceFunction_t)(const void* in, void* inout, size_t count, atollDataType_t type, void* context);

ATOLL_API atollResult_t atollGetVersion(int* version);
ATOLL_API const char* atollGetErrorString(atollResult_t result);
ATOLL_API const char* atollGetLastError(atollComm_t comm);
ATOLL_API atollResult_t atollGetUniqueId(atollUniqueId* id);
ATOLL_API atollResult_t atollCommInitRank(atollComm_t* comm, int nranks, atollUniqueId id, int rank);
ATOLL_API atollResult_t atollCommInitRankConfig(atollComm_t* comm, int nranks, atollUniqueId id, int rank, const atollConfig_t* config);
ATOLL_API atollResult_t atollCommInitRankScalable(atollComm_t* comm, int nranks, int rank, int nids, const atollUniqueId* ids, const atollConfig_t* config);
ATOLL_API atollResult_t atollCommInitAll(atollComm_t* comms, int nranks);
ATOLL_API atollResult_t atollCommInitEnv(atollComm_t* comm, const atollConfig_t* config); /* rank and size from atoll run, MPI, Slurm, torchrun */
ATOLL_API atollResult_t atollGetUniqueIdFromEnv(atollUniqueId* id, int* process, int* processes); /* the same, giving a process-wide id: for programs with several ranks a process */
ATOLL_API atollResult_t atollCommInitFile(atollComm_t* comm, int nranks, int rank, const char* path, const atollConfig_t* config);
ATOLL_API atollResult_t atollCommFinalize(atollComm_t comm);
ATOLL_API atollResult_t atollCommDestroy(atollComm_t comm);
ATOLL_API atollResult_t atollCommAbort(atollComm_t comm);
ATOLL_API atollResult_t atollCommGetAsyncError(atollComm_t comm, atollResult_t* error);
ATOLL_API atollResult_t atollCommSplit(atollComm_t comm, int color, int key, atollComm_t* newcomm, const atollConfig_t* config);
ATOLL_API atollResult_t atollCommCount(atollComm_t comm, int* count);
ATOLL_API atollResult_t atollCommUserRank(atollComm_t comm, int* rank);
ATOLL_API atollResult_t atollCommDevice(atollComm_t comm, int* device); /* -1: host */
ATOLL_API atollResult_t atollCommGetStats(atollComm_t comm, atollCommStats_t* stats);
ATOLL_API atollResult_t atollCommLoadPlan(atollComm_t comm, const char* path);

ATOLL_API atollResult_t atollAllReduce(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type, atollRedOp_t op, atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollReduce(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type, atollRedOp_t op, int root, atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollBroadcast(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type, int root, atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollAllGather(const void* sendbuff, void* recvbuff, size_t sendcount, atollDataType_t type, atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollReduceScatter(const void* sendbuff, void* recvbuff, size_t recvcount, atollDataType_t type, atollRedOp_t op, atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollAllToAll(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type, atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollGather(const void* sendbuff, void* recvbuff, size_t sendcount, atollDataType_t type, int root, atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollScatter(const void* sendbuff, void* recvbuff, size_t recvcount, atollDataType_t type, int root, atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollSend(const void* sendbuff, size_t count, atollDataType_t type, int peer, atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollRecv(void* recvbuff, size_t count, atollDataType_t type, int peer, atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollBarrier(atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollAllGatherV(const void* sendbuff, size_t sendcount, void* recvbuff, const size_t* recvcounts, const size_t* displs, atollDataType_t type, atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollReduceScatterV(const void* sendbuff, const size_t* counts, void* recvbuff, atollDataType_t type, atollRedOp_t op, atollComm_t comm, atollStream_t stream);
ATOLL_API atollResult_t atollAllToAllV(const void* sendbuff, const size_t* sendcounts, const size_t* sdispls, void* recvbuff, const size_t* recvcounts, const size_t* rdispls, atollDataType_t type, atollComm_t comm, atollStream_t stream);

ATOLL_API atollResult_t atollGroupStart(void);
ATOLL_API atollResult_t atollGroupEnd(void);
ATOLL_API atollResult_t atollMemAlloc(void** ptr, size_t size);
ATOLL_API atollResult_t atollMemFree(void* ptr);
ATOLL_API atollResult_t atollCommRegister(atollComm_t comm, void* buff, size_t size, void** handle);
ATOLL_API atollResult_t atollCommDeregister(atollComm_t comm, void* handle);
ATOLL_API atollResult_t atollRedOpCreatePreMulSum(atollRedOp_t* op, void* scalar, atollDataType_t type, atollScalarResidence_t residence, atollComm_t comm);
ATOLL_API atollResult_t atollRedOpCreateUser(atollRedOp_t* op, atollReduceFunction_t function, void* context, int commutative, atollComm_t comm);
ATOLL_API atollResult_t atollRedOpDestroy(atollRedOp_t op, atollComm_t comm);
ATOLL_API atollResult_t atollStreamCreate(atollStream_t* stream);
ATOLL_API atollResult_t atollStreamSynchronize(atollStream_t stream);
ATOLL_API atollResult_t atollStreamQuery(atollStream_t stream); /* atollInProgress while busy */
ATOLL_API atollResult_t atollStreamDestroy(atollStream_t stream);
#ifdef __cplusplus
}
#endif
#endif
