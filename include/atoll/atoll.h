/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file atoll.h
 * @brief The C interface of Atoll, a library of collective communication.
 *
 * A *communicator* joins a fixed set of *ranks*. Ranks are threads, processes or both, on one host or many; each rank
 * holds its own handle (::atollComm_t) and all of them make the same calls in the same order. The names and meanings
 * follow NCCL's, with the prefix `atoll`. The header is C11, needs no CUDA, and may be used from C++.
 *
 * The rules that hold for every function stand here once; functions say only what is theirs.
 *
 * @par Results
 * Every function that can fail returns an ::atollResult_t. On anything but ::atollSuccess and ::atollInProgress a
 * sentence that names the call, the argument and its value is kept for atollGetLastError(). No function prints, exits
 * or throws. A wrong argument is found before anything is sent, and leaves the communicator as it was; since the other
 * ranks are waiting for this rank's call, they return ::atollTimeout when it never comes. An error in the midst of a
 * call (::atollRemoteError, ::atollTimeout, ::atollMismatch, ::atollAborted, ::atollSystemError,
 * ::atollInternalError) ends the communicator on every rank: later calls return the same error, and what is left to do
 * is atollCommDestroy() or atollCommAbort().
 *
 * @par Time
 * No call waits for ever. Calls are bounded by atollConfig_t::timeout, the coming together of ranks by
 * atollConfig_t::bootstrapTimeout, unless the user sets these to 0.
 *
 * @par Threads
 * Calls on one communicator are made by one thread at a time; it need not always be the same thread. A second thread
 * that enters meanwhile gets ::atollInvalidUsage. Calls on different communicators are independent of one another.
 * atollCommAbort(), atollCommGetAsyncError(), atollGetLastError() and the queries of count, rank and device may be made
 * by any thread at any time before the handle is destroyed.
 *
 * @par Streams
 * The last argument of a collective says where it runs; for communicators of devices see below. On the null stream
 * (`NULL`) the call runs in the calling thread and is complete when it returns. On a stream of atollStreamCreate() the
 * arguments are checked, the call is queued, and the function returns at once; the stream's own thread runs what it is
 * given in order. Buffers then belong to Atoll until the call is complete (atollStreamSynchronize()); arrays of counts
 * and displacements are copied. Calls on one communicator run in the order in which they were made, whatever streams
 * they are on; so a call on the null stream first waits for the communicator's earlier calls on other streams.
 *
 * @anchor devices
 * @par Devices
 * A rank whose configuration names a device (atollConfig_t::device) has its buffers in that device's memory, or in
 * pinned or managed memory that the device reaches. The last argument of a collective is then a stream of the device's
 * (`cudaStream_t`; `NULL`: the device's default stream). The call is queued there and the function returns; it may be
 * captured in a graph and replayed. The first call of a kind also exchanges what links need, so it returns when the
 * other ranks have come to it. A failure on the device is found by atollCommGetAsyncError() and by the next call. All
 * ranks of a communicator work on devices, or all in host memory; user-defined operators run on hosts only. Ranks may
 * share a device; the kernels of all of them must fit on it together. The sends and receives of a group are one launch;
 * their streams, if they have several, all wait for each other.
 *
 * @par Buffers
 * Counts are in elements of `type`. Buffers need the alignment of an element, and their total size in bytes must
 * fit `ptrdiff_t`. A buffer of zero elements may be `NULL`; a call of zero elements is legal, moves nothing, and is
 * still made by all ranks. Send and receive buffers of a call do not overlap, except in the in-place form that the
 * function documents. Send buffers are never written.
 *
 * @par Agreement
 * Ranks compare what they call (collective, count, type, operator, root, order). When they disagree, each rank that
 * meets the disagreement returns ::atollMismatch with both sides named. See atollConfig_t::checkCalls.
 *
 * @par Reproducibility
 * The same algorithm, number of ranks, count and inputs give the same bits, every time: the order in which
 * contributions are reduced is fixed by the plan and never depends on which arrives first. 16- and 8-bit floats are
 * widened to float32, reduced there, and rounded to nearest even once per combining step; integers wrap. A different
 * algorithm (chosen by size, or forced by atollConfig_t::algorithms) may associate differently and so round
 * differently.
 */
#ifndef ATOLL_ATOLL_H
#define ATOLL_ATOLL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @brief Marks what the shared library makes visible. */
#if defined(__GNUC__)
#define ATOLL_API __attribute__((visibility("default")))
#else
#define ATOLL_API
#endif

/**
 * @defgroup version Version, results and error texts
 * @{
 */

/** @brief Major version of this header: changes when programs must be changed or recompiled. */
#define ATOLL_MAJOR 0
/** @brief Minor version of this header: grows when something is added. */
#define ATOLL_MINOR 1
/** @brief Patch level of this header. */
#define ATOLL_PATCH 0
/** @brief The version as one number, as atollGetVersion() gives it: 10000·major + 100·minor + patch. */
#define ATOLL_VERSION_CODE (ATOLL_MAJOR * 10000 + ATOLL_MINOR * 100 + ATOLL_PATCH)

/** @brief How a call ended. Values 0–7 are those of NCCL. */
typedef enum {
  atollSuccess = 0,            /**< Done; for a call on a stream: accepted. */
  atollUnhandledCudaError = 1, /**< A CUDA function failed; the text names it. Not returned by host communicators. */
  atollSystemError = 2,        /**< The operating system refused something; the text carries its reason. */
  atollInternalError = 3,      /**< Atoll broke a rule of its own; please report it with the text. */
  atollInvalidArgument = 4,    /**< An argument's value is wrong. */
  atollInvalidUsage = 5,       /**< The arguments are right, the moment or the combination is not. */
  atollRemoteError = 6,        /**< A peer died or left, or the network to it failed. */
  atollInProgress = 7,         /**< Not an error: still under way, ask again. */
  atollTimeout = 8,            /**< The time limit passed; the text names the rank that was waited for. */
  atollAborted = 9,            /**< The communicator was aborted, here or by another rank. */
  atollMismatch = 10,          /**< Ranks disagree on what they call; the text names both sides. */
  atollUnsupported = 11        /**< A valid request that this build or this machine cannot serve. */
} atollResult_t;

/**
 * @brief Tells the version of the library that is loaded.
 * @param[out] version an ATOLL_VERSION_CODE; compare it with the header's to find a mixed installation.
 * @return ::atollSuccess, or ::atollInvalidArgument when `version` is `NULL`.
 */
ATOLL_API atollResult_t atollGetVersion(int* version);

/**
 * @brief Gives a short English name for a result.
 * @param result any value, also one that is not an ::atollResult_t.
 * @return A constant text, never `NULL`, that lives as long as the library.
 */
ATOLL_API const char* atollGetErrorString(atollResult_t result);

/** @brief One rank's hold on a communicator. Opaque; a handle that was destroyed is recognised and refused, not
 * followed. */
typedef struct atollComm* atollComm_t;

/**
 * @brief Gives the sentence that belongs to the last error.
 * @param comm the communicator whose last error is asked for, also one that happened on a stream; or `NULL` (or a
 *   handle that is no longer live) for the last error of the calling thread, on whatever communicator.
 * @return The text, empty if there was none; never `NULL`. It stays valid until the thread calls this function again.
 *   Success does not clear it.
 */
ATOLL_API const char* atollGetLastError(atollComm_t comm);

/** @} */

/**
 * @defgroup types Datatypes and reductions
 * @{
 */

/**
 * @brief Types of elements, with NCCL's values.
 *
 * All of them work with every collective and every operator. `float8e4m3` and `float8e5m2` follow the OCP 8-bit
 * specification; on overflow they saturate (±448 and ±57344), and NaN stays NaN.
 */
typedef enum {
  atollInt8 = 0,        /**< 8-bit signed integer. */
  atollChar = 0,        /**< The same as ::atollInt8. */
  atollUint8 = 1,       /**< 8-bit unsigned integer. */
  atollInt32 = 2,       /**< 32-bit signed integer. */
  atollInt = 2,         /**< The same as ::atollInt32. */
  atollUint32 = 3,      /**< 32-bit unsigned integer. */
  atollInt64 = 4,       /**< 64-bit signed integer. */
  atollUint64 = 5,      /**< 64-bit unsigned integer. */
  atollFloat16 = 6,     /**< IEEE 754 binary16. */
  atollHalf = 6,        /**< The same as ::atollFloat16. */
  atollFloat32 = 7,     /**< IEEE 754 binary32. */
  atollFloat = 7,       /**< The same as ::atollFloat32. */
  atollFloat64 = 8,     /**< IEEE 754 binary64. */
  atollDouble = 8,      /**< The same as ::atollFloat64. */
  atollBfloat16 = 9,    /**< The upper half of a binary32: 8 bits of exponent, 7 of fraction. */
  atollFloat8e4m3 = 10, /**< 8-bit float, 4 bits of exponent and 3 of fraction. */
  atollFloat8e5m2 = 11  /**< 8-bit float, 5 bits of exponent and 2 of fraction. */
} atollDataType_t;

/** @brief A reduction: one of the built-in ones, or a handle of atollRedOpCreatePreMulSum() or atollRedOpCreateUser().
 */
typedef int atollRedOp_t;

/** @brief The built-in reductions, with NCCL's values. */
enum {
  atollSum = 0,  /**< Sum. */
  atollProd = 1, /**< Product. */
  atollMax = 2,  /**< Largest; a NaN of any rank is the result. */
  atollMin = 3,  /**< Smallest; a NaN of any rank is the result. */
  atollAvg = 4   /**< Sum divided by the number of ranks; integers truncate towards zero. */
};

/** @brief Where the scalar of atollRedOpCreatePreMulSum() lies. On host communicators both are host memory. */
typedef enum {
  atollScalarDevice = 0,       /**< In memory of the communicator's device. */
  atollScalarHostImmediate = 1 /**< In host memory. */
} atollScalarResidence_t;

/** @} */

/**
 * @defgroup streams Host streams
 * @{
 */

/**
 * @brief A stream: a queue of calls that run in order beside the caller. Layout-compatible with `cudaStream_t`.
 *
 * Host communicators take `NULL` and the streams of atollStreamCreate(); any other value is an error.
 */
typedef struct CUstream_st* atollStream_t;

/**
 * @brief Makes a host stream with a worker thread of its own.
 * @param[out] stream the new stream, to be given back with atollStreamDestroy().
 * @return ::atollSuccess; ::atollInvalidArgument when `stream` is `NULL`; ::atollSystemError when no thread can be
 * started.
 */
ATOLL_API atollResult_t atollStreamCreate(atollStream_t* stream);

/**
 * @brief Waits until everything queued on the stream before this call is complete.
 * @param stream a host stream; or `NULL`, where there is never anything to wait for.
 * @return ::atollSuccess, or the error of the first queued call that failed since the last time one was reported. After
 * an error the stream stays usable. May be called by any thread, but not by a function that runs on the stream.
 */
ATOLL_API atollResult_t atollStreamSynchronize(atollStream_t stream);

/**
 * @brief Asks, without waiting, how far a stream is.
 * @param stream a host stream, or `NULL`.
 * @return ::atollInProgress while calls are queued or running; otherwise ::atollSuccess, or an error as
 *   atollStreamSynchronize() would report it. The error is kept for that function to report.
 */
ATOLL_API atollResult_t atollStreamQuery(atollStream_t stream);

/**
 * @brief Waits for what is queued, ends the worker thread and frees the stream.
 * @param stream a host stream, or `NULL`, for which nothing is done.
 * @return As atollStreamSynchronize(). The stream is gone also when an error is returned, unless that is
 * ::atollInvalidArgument or ::atollInvalidUsage about the stream itself.
 */
ATOLL_API atollResult_t atollStreamDestroy(atollStream_t stream);

/** @} */

/**
 * @defgroup lifecycle Making and ending communicators
 * @{
 */

/** @brief Size of an ::atollUniqueId. */
#define ATOLL_UNIQUE_ID_BYTES 128

/**
 * @brief The name of a group of ranks: where they meet, and the secret that admits them. 128 bytes, passed by value.
 *
 * It is made once, by atollGetUniqueId(), and reaches the other ranks by means of the user's own (a file, MPI, a
 * socket). Treat it as a password: whoever has it can join.
 */
typedef struct {
  char internal[ATOLL_UNIQUE_ID_BYTES]; /**< Opaque; copy it as a whole. */
} atollUniqueId;

/** @brief Value of an `int` in ::atollConfig_t that leaves the choice to Atoll. */
#define ATOLL_CONFIG_UNDEF_INT (-2147483647 - 1)

/**
 * @brief How a communicator should behave. Begin with ::ATOLL_CONFIG_INITIALIZER and change what you need.
 *
 * The structure grows at its end in later versions. The library reads it only as far as `size` says, so that a program
 * compiled with an older header goes on working; fields of a newer header that the library does not know are passed
 * over. What is left undefined comes from the environment (`ATOLL_…` variables, see the settings page), then from the
 * defaults. Give every rank the same values, but for `name`. Texts need to live only as long as the call that takes the
 * configuration.
 */
typedef struct {
  size_t size;             /**< `sizeof(atollConfig_t)` of the program; set by the initializer. */
  unsigned int version;    /**< ::ATOLL_VERSION_CODE of the program; set by the initializer. */
  int blocking;            /**< 1 (default): making the communicator waits until it is ready. 0: it returns
                                ::atollInProgress and goes on in the background; poll with atollCommGetAsyncError(). */
  double timeout;          /**< Seconds that a wait inside a call may last. 0: no limit. Negative: ATOLL_TIMEOUT. */
  double bootstrapTimeout; /**< Seconds for all ranks to come. 0: no limit. Negative: ATOLL_BOOTSTRAP_TIMEOUT. */
  int checkCalls;          /**< 1: ranks compare what they call; 0: they do not. Undefined: ATOLL_CHECK. */
  const char* algorithms;  /**< Forces algorithms: "ring", or "allreduce:ring,broadcast:chain". `NULL`: ATOLL_ALGO. */
  const char* transports;  /**< Transports that may be used: "inproc,shm,tcp". `NULL`: ATOLL_TRANSPORT. */
  const char* interfaces;  /**< Network interfaces for TCP. `NULL`: ATOLL_SOCKET_IFNAME. */
  const char* name;        /**< A name for error texts, such as "data-parallel". `NULL`: none. */
  int device; /**< The device whose memory this rank's buffers lie in, by its CUDA number; see @ref devices.
                   −1 or undefined: host memory. */
} atollConfig_t;

/** @brief The configuration that leaves everything to Atoll. */
#define ATOLL_CONFIG_INITIALIZER                                                                                       \
  {                                                                                                                    \
    sizeof(atollConfig_t), ATOLL_VERSION_CODE, ATOLL_CONFIG_UNDEF_INT, -1.0, -1.0, ATOLL_CONFIG_UNDEF_INT, NULL, NULL, \
        NULL, NULL, ATOLL_CONFIG_UNDEF_INT                                                                             \
  }

/**
 * @brief Opens a meeting point in this process and gives its id.
 *
 * Called once per communicator, by one process; the meeting point lives in that process until all ranks have joined
 * and left again, or the process ends.
 * @param[out] id what every rank then gives to atollCommInitRank() or its siblings.
 * @return ::atollSuccess; ::atollInvalidArgument when `id` is `NULL`; ::atollSystemError when no socket can be opened.
 */
ATOLL_API atollResult_t atollGetUniqueId(atollUniqueId* id);

/**
 * @brief Joins a communicator as one of its ranks. Returns when all ranks have come.
 *
 * Every rank calls it: each in a thread of its own, or one thread for several of them between atollGroupStart() and
 * atollGroupEnd(), where they join concurrently in atollGroupEnd().
 * @param[out] comm the new handle; `NULL` after an error. In a group it is set at once and usable after
 * atollGroupEnd().
 * @param nranks number of ranks, at least 1, the same on every rank.
 * @param id the id of atollGetUniqueId(), the same on every rank.
 * @param rank this rank, 0 … `nranks`−1, each exactly once.
 * @return ::atollSuccess; ::atollInvalidArgument; ::atollTimeout naming the ranks that did not come; ::atollMismatch
 * when ranks came twice or disagree on `nranks` or the version; ::atollRemoteError when the meeting point cannot be
 * reached.
 */
ATOLL_API atollResult_t atollCommInitRank(atollComm_t* comm, int nranks, atollUniqueId id, int rank);

/**
 * @brief As atollCommInitRank(), with a configuration.
 * @param[out] comm the new handle.
 * @param nranks number of ranks.
 * @param id the id of atollGetUniqueId().
 * @param rank this rank.
 * @param config the configuration, or `NULL` for the default one.
 * @return As atollCommInitRank(). With `blocking` 0 and right arguments: ::atollInProgress; until
 * atollCommGetAsyncError() gives something else, the handle takes only that function, atollGetLastError(),
 * atollCommDestroy() (which waits for the end of the attempt) and atollCommAbort() (which gives it up). Collectives are
 * not affected by `blocking`.
 */
ATOLL_API atollResult_t atollCommInitRankConfig(atollComm_t* comm, int nranks, atollUniqueId id, int rank,
                                                const atollConfig_t* config);

/**
 * @brief As atollCommInitRankConfig(), with several ids, so that the ranks of a large communicator arrive at several
 * doors.
 * @param[out] comm the new handle.
 * @param nranks number of ranks.
 * @param rank this rank.
 * @param nids number of ids, 1 … `nranks`.
 * @param ids the ids, each from a call of atollGetUniqueId(), best in different processes; the same list on every rank.
 * @param config the configuration, or `NULL`.
 * @return As atollCommInitRankConfig().
 */
ATOLL_API atollResult_t atollCommInitRankScalable(atollComm_t* comm, int nranks, int rank, int nids,
                                                  const atollUniqueId* ids, const atollConfig_t* config);

/**
 * @brief Makes a communicator whose ranks all live in this process. Needs no id, no network and no waiting.
 * @param[out] comms `nranks` handles, rank i in `comms[i]`. All `NULL` after an error.
 * @param nranks number of ranks, at least 1.
 * @return ::atollSuccess, ::atollInvalidArgument or ::atollSystemError.
 */
ATOLL_API atollResult_t atollCommInitAll(atollComm_t* comms, int nranks);

/**
 * @brief Joins the communicator of all processes of a job, one rank a process.
 *
 * Rank, size and meeting point come from what started the job: `atoll run`, MPI, Slurm, or a
 * torchrun-style environment. A process that nothing of this kind started becomes a communicator of one rank.
 * @param[out] comm the new handle.
 * @param config the configuration, or `NULL`.
 * @return As atollCommInitRankConfig(), and ::atollInvalidArgument for an environment that contradicts itself.
 */
ATOLL_API atollResult_t atollCommInitEnv(atollComm_t* comm, const atollConfig_t* config);

/**
 * @brief Gives one id that all processes of a job share, for programs with several ranks in each process.
 *
 * Every process calls it once per communicator, in the same order. It serves with atollCommInitRankConfig() and any
 * distribution of ranks, provided that some rank lives in process 0.
 * @param[out] id the id, the same in every process of the job.
 * @param[out] process number of this process, 0 … `*processes`−1. May be `NULL`.
 * @param[out] processes number of processes of the job; 1 when nothing known started it. May be `NULL`.
 * @return ::atollSuccess; ::atollInvalidArgument when `id` is `NULL` or the environment contradicts itself;
 * ::atollTimeout when process 0 does not say where to meet.
 */
ATOLL_API atollResult_t atollGetUniqueIdFromEnv(atollUniqueId* id, int* process, int* processes);

/**
 * @brief Joins a communicator whose ranks meet through a file that all of them can see.
 *
 * Rank 0 opens the meeting point, writes its id to the file in place of whatever was there, and removes the file when
 * all have joined. A file left by an earlier job that was killed is passed over by age; a name of the job's own is
 * safer.
 * @param[out] comm the new handle.
 * @param nranks number of ranks.
 * @param rank this rank.
 * @param path the file; its directory exists and is writable by rank 0. Not two communicators at a time.
 * @param config the configuration, or `NULL`.
 * @return As atollCommInitRankConfig(); ::atollTimeout when the file does not come; ::atollSystemError when it cannot
 * be written or read.
 */
ATOLL_API atollResult_t atollCommInitFile(atollComm_t* comm, int nranks, int rank, const char* path,
                                          const atollConfig_t* config);

/**
 * @brief Declares that this rank makes no more calls: waits for what it has queued, then refuses everything but
 * queries, atollCommDestroy() and atollCommAbort(). Does not wait for other ranks.
 * @param comm the communicator.
 * @return ::atollSuccess, or the error that ended the communicator.
 */
ATOLL_API atollResult_t atollCommFinalize(atollComm_t comm);

/**
 * @brief Waits for what this rank has queued, then frees all that it holds. Does not wait for other ranks.
 *
 * Registrations and reduction handles of the communicator end with it. The handle is invalid afterwards.
 * @param comm the communicator; `NULL` is allowed and does nothing.
 * @return ::atollSuccess; ::atollInvalidArgument when the handle is not live; ::atollInvalidUsage when another thread
 * is in a call on it.
 */
ATOLL_API atollResult_t atollCommDestroy(atollComm_t comm);

/**
 * @brief Ends every call under way on the communicator, here and on all other ranks, with ::atollAborted, then frees
 * what this rank holds.
 *
 * May be called by any thread, also while another one is in a call on the communicator, which then returns. The
 * handle is invalid afterwards; other ranks keep theirs until they destroy or abort them.
 * @param comm the communicator; `NULL` is allowed and does nothing.
 * @return ::atollSuccess, or ::atollInvalidArgument when the handle is not live.
 */
ATOLL_API atollResult_t atollCommAbort(atollComm_t comm);

/**
 * @brief Asks for the state of a communicator, without waiting. For polling, and for watchdog threads.
 * @param comm the communicator.
 * @param[out] error ::atollInProgress while it is being made; ::atollSuccess while it is good; otherwise the error that
 * ended it (or kept it from being made), whose text atollGetLastError() then gives.
 * @return ::atollSuccess, or ::atollInvalidArgument.
 */
ATOLL_API atollResult_t atollCommGetAsyncError(atollComm_t comm, atollResult_t* error);

/** @brief The color of a rank that takes part in atollCommSplit() but joins no new communicator. */
#define ATOLL_SPLIT_NOCOLOR (-1)

/**
 * @brief Divides a communicator into new ones. All its ranks call it.
 *
 * The parent stays as it is. One thread that holds several ranks makes these calls in a group.
 * @param comm the communicator to divide.
 * @param color ranks of equal color ≥ 0 come together; ::ATOLL_SPLIT_NOCOLOR joins none.
 * @param key orders the ranks of the new communicator; equal keys keep the parent's order.
 * @param[out] newcomm the new handle; `NULL` for ::ATOLL_SPLIT_NOCOLOR and after an error.
 * @param config the configuration of the new communicator; `NULL` for that of the parent. With `blocking` 0 the call
 * returns
 *   ::atollInProgress, and the parent's next call waits until the division is done.
 * @return ::atollSuccess, ::atollInProgress, ::atollInvalidArgument for a color below −1, or an error that ended the
 * parent.
 */
ATOLL_API atollResult_t atollCommSplit(atollComm_t comm, int color, int key, atollComm_t* newcomm,
                                       const atollConfig_t* config);

/** @brief atollCommShrink() of a communicator that is well. */
#define ATOLL_SHRINK_DEFAULT 0
/** @brief atollCommShrink() ends every call under way first, as atollCommAbort() does, and shrinks a failed one too. */
#define ATOLL_SHRINK_ABORT 1

/**
 * @brief Makes a communicator of all ranks but some, which may be dead. The others call it, with the same list.
 *
 * The ranks keep their order. The parent stays as it is; after ::ATOLL_SHRINK_ABORT that is aborted: it takes no more
 * calls, and is yet to be destroyed. One thread that holds several ranks makes these calls in a group.
 * @param comm the communicator to shrink.
 * @param excluded the ranks that are left out, each once; they do not call.
 * @param count number of them, at least 1.
 * @param[out] newcomm the new handle; `NULL` after an error.
 * @param config the configuration of the new communicator; `NULL` for that of the parent. With `blocking` 0 the call
 * returns ::atollInProgress.
 * @param flags ::ATOLL_SHRINK_DEFAULT or ::ATOLL_SHRINK_ABORT, the same on every rank.
 * @return ::atollSuccess, ::atollInProgress, ::atollInvalidArgument for a wrong list, ::atollTimeout when a rank that
 * is not left out does not come within `bootstrapTimeout` or left out others, or, with ::ATOLL_SHRINK_DEFAULT, the
 * error that ended the parent.
 */
ATOLL_API atollResult_t atollCommShrink(atollComm_t comm, const int* excluded, int count, atollComm_t* newcomm,
                                        const atollConfig_t* config, int flags);

/**
 * @brief Tells how many ranks a communicator has.
 * @param comm the communicator.
 * @param[out] count number of ranks.
 * @return ::atollSuccess, ::atollInvalidArgument, or ::atollInvalidUsage while the communicator is still being made.
 */
ATOLL_API atollResult_t atollCommCount(atollComm_t comm, int* count);

/**
 * @brief Tells which rank this handle is.
 * @param comm the communicator.
 * @param[out] rank 0 … count−1.
 * @return As atollCommCount().
 */
ATOLL_API atollResult_t atollCommUserRank(atollComm_t comm, int* rank);

/**
 * @brief Tells which device a communicator works on.
 * @param comm the communicator.
 * @param[out] device number of the accelerator; −1 for host memory.
 * @return As atollCommCount().
 */
ATOLL_API atollResult_t atollCommDevice(atollComm_t comm, int* device);

/** @brief What a communicator holds and has done, for this rank. Set `size` before asking; it grows as ::atollConfig_t
 * does. */
typedef struct {
  size_t size;        /**< In: `sizeof(atollCommStats_t)` of the program; the library writes only as far. */
  uint64_t bytesHeld; /**< Bytes of memory: tables, links, bounce slots, cached programs. */
  uint64_t links;     /**< Links to peers that are open. */
  uint64_t programs;  /**< Calls whose plan is lowered and cached. */
  uint64_t calls;     /**< Calls made so far. */
} atollCommStats_t;

/**
 * @brief Tells what a communicator holds and has done.
 * @param comm the communicator.
 * @param[in,out] stats `size` in, the rest out.
 * @return As atollCommCount(). A call like any other: it waits for what is queued, and one thread makes it at a time.
 */
ATOLL_API atollResult_t atollCommGetStats(atollComm_t comm, atollCommStats_t* stats);

/** @brief Who chose the algorithm of a call. */
typedef enum {
  atollChosenByModel = 0, /**< The cost model, from the prices of the communicator's links. */
  atollChosenByTable = 1, /**< The tuning table of ATOLL_TUNING. */
  atollChosenByUser = 2   /**< atollConfig_t::algorithms, ATOLL_ALGO, or a plan of the user's own. */
} atollChooser_t;

/** @brief Which algorithm a call would run, and why. Set `size` before asking; it grows as ::atollConfig_t does. */
typedef struct {
  size_t size;            /**< In: `sizeof(atollChoice_t)` of the program; the library writes only as far. */
  atollChooser_t chooser; /**< Who chose. */
  char algorithm[32];     /**< What runs: "ring". */
  char model[32];         /**< What the cost model would take, were there no table. Empty where the user chose. */
  double seconds;         /**< Time of a call: measured if a table chose, else predicted; 0 for a user's own plan. */
  int hosts;              /**< Hosts that the ranks are on. */
  char links[64];         /**< Transports between the ranks: "shm", "shm+tcp". */
} atollChoice_t;

/**
 * @brief Tells which algorithm a call would run. Runs nothing, and needs nothing of the other ranks.
 *
 * The answer is for an operator that commutes, for equal blocks, and for the root 0 where there is one.
 * @param comm the communicator.
 * @param collective name of the collective: "allreduce", "reduce", "broadcast", "allgather", "reducescatter",
 *   "alltoall", "gather", "scatter" or "barrier".
 * @param bytes the larger of a rank's send and receive buffer.
 * @param[in,out] choice `size` in, the rest out.
 * @return As atollCommGetStats(); ::atollInvalidArgument also for an unknown collective; ::atollMismatch when ranks
 * have different tuning tables; ::atollUnsupported when what the user forces cannot serve such a call.
 */
ATOLL_API atollResult_t atollCommGetChoice(atollComm_t comm, const char* collective, size_t bytes,
                                           atollChoice_t* choice);

/**
 * @brief Makes a plan of the user's own the one that a collective runs from now on. All ranks load the same file.
 *
 * The file is JSON, as `atoll plan show --json` writes it, with one plan for each rank; it is verified before it is
 * used.
 * @param comm the communicator; the plans are for its number of ranks.
 * @param path the file.
 * @return ::atollSuccess; ::atollSystemError when the file cannot be read; ::atollInvalidArgument when it is not such a
 * file, is for another number of ranks, or the plan is wrong, with the place and the reason.
 */
ATOLL_API atollResult_t atollCommLoadPlan(atollComm_t comm, const char* path);

/**
 * @brief Tells a communicator that what joins its ranks has changed: a circuit switch laid its links anew, a rail is
 * gone. Collective: every rank calls it, at the same place among its other calls.
 *
 * Work that was queued before goes by the old topology and is waited for. From then on algorithms are chosen and plans
 * made by the file (docs/topology.md); links stay. A file whose members are as many as the ranks says where each is;
 * another one describes the levels that are known, by their names. It is read anew each time. Communicators that are
 * split off afterwards inherit it.
 * @param comm the communicator.
 * @param path the topology file; its content has to be the same on every rank.
 * @return ::atollSuccess; ::atollSystemError when this rank cannot read the file and ::atollInvalidArgument when it is
 * no topology file, with line and field; ::atollMismatch on every other rank then, and on all where two have different
 * content, both named. After these errors all ranks go by the topology they had, and the communicator is as usable as
 * before. ::atollInvalidUsage inside a group, and errors as of a collective.
 */
ATOLL_API atollResult_t atollCommSetTopology(atollComm_t comm, const char* path);

/** @} */

/**
 * @defgroup collectives Collectives
 *
 * Below, n is the number of ranks and r this rank. All of them return ::atollSuccess, ::atollInvalidArgument or
 * ::atollInvalidUsage, or the error that ended the communicator; on a stream such an error shows in
 * atollStreamSynchronize() and atollCommGetAsyncError().
 * @{
 */

/**
 * @brief Reduces the ranks' buffers and gives the result to every rank.
 * @param sendbuff `count` elements.
 * @param[out] recvbuff `count` elements. In place: `recvbuff == sendbuff`.
 * @param count elements in each buffer, the same on every rank.
 * @param type type of the elements, the same on every rank.
 * @param op the reduction, the same on every rank.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return See the group's description.
 */
ATOLL_API atollResult_t atollAllReduce(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type,
                                       atollRedOp_t op, atollComm_t comm, atollStream_t stream);

/**
 * @brief Reduces the ranks' buffers and gives the result to one rank.
 * @param sendbuff `count` elements.
 * @param[out] recvbuff `count` elements on `root`; not used elsewhere, and may be `NULL` there. In place:
 *   `recvbuff == sendbuff` on `root`.
 * @param count elements in each buffer, the same on every rank.
 * @param type type of the elements, the same on every rank.
 * @param op the reduction, the same on every rank.
 * @param root the rank that gets the result, the same on every rank.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return See the group's description.
 */
ATOLL_API atollResult_t atollReduce(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type,
                                    atollRedOp_t op, int root, atollComm_t comm, atollStream_t stream);

/**
 * @brief Copies one rank's buffer to every rank.
 * @param sendbuff `count` elements on `root`; not used elsewhere, and may be `NULL` there.
 * @param[out] recvbuff `count` elements, on `root` too. In place: `recvbuff == sendbuff` on `root`.
 * @param count elements in each buffer, the same on every rank.
 * @param type type of the elements, the same on every rank.
 * @param root the rank whose buffer is copied, the same on every rank.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return See the group's description.
 */
ATOLL_API atollResult_t atollBroadcast(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type,
                                       int root, atollComm_t comm, atollStream_t stream);

/**
 * @brief Puts the ranks' buffers one after the other, in rank order, on every rank.
 * @param sendbuff `sendcount` elements.
 * @param[out] recvbuff n·`sendcount` elements, those of rank i from `i·sendcount`. In place:
 *   `sendbuff == recvbuff + r·sendcount`.
 * @param sendcount elements of each rank, the same on every rank.
 * @param type type of the elements, the same on every rank.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return See the group's description.
 */
ATOLL_API atollResult_t atollAllGather(const void* sendbuff, void* recvbuff, size_t sendcount, atollDataType_t type,
                                       atollComm_t comm, atollStream_t stream);

/**
 * @brief Reduces the ranks' buffers and leaves each rank its own block of the result.
 * @param sendbuff n·`recvcount` elements; block i is for rank i.
 * @param[out] recvbuff `recvcount` elements: block r of the result. In place: `recvbuff == sendbuff + r·recvcount`; the
 *   other blocks of `sendbuff` are then left as they were.
 * @param recvcount elements of each block, the same on every rank.
 * @param type type of the elements, the same on every rank.
 * @param op the reduction, the same on every rank.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return See the group's description.
 */
ATOLL_API atollResult_t atollReduceScatter(const void* sendbuff, void* recvbuff, size_t recvcount, atollDataType_t type,
                                           atollRedOp_t op, atollComm_t comm, atollStream_t stream);

/**
 * @brief Sends a block to every rank and receives one from every rank.
 * @param sendbuff n·`count` elements; block i goes to rank i.
 * @param[out] recvbuff n·`count` elements; block i comes from rank i. There is no in-place form.
 * @param count elements of each block, the same on every rank.
 * @param type type of the elements, the same on every rank.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return See the group's description.
 */
ATOLL_API atollResult_t atollAllToAll(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type,
                                      atollComm_t comm, atollStream_t stream);

/**
 * @brief Puts the ranks' buffers one after the other, in rank order, on one rank.
 * @param sendbuff `sendcount` elements.
 * @param[out] recvbuff n·`sendcount` elements on `root`; not used elsewhere, and may be `NULL` there. In place:
 *   `sendbuff == recvbuff + r·sendcount` on `root`.
 * @param sendcount elements of each rank, the same on every rank.
 * @param type type of the elements, the same on every rank.
 * @param root the rank that gets them, the same on every rank.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return See the group's description.
 */
ATOLL_API atollResult_t atollGather(const void* sendbuff, void* recvbuff, size_t sendcount, atollDataType_t type,
                                    int root, atollComm_t comm, atollStream_t stream);

/**
 * @brief Gives each rank its own block of one rank's buffer.
 * @param sendbuff n·`recvcount` elements on `root`, block i for rank i; not used elsewhere, and may be `NULL` there.
 * @param[out] recvbuff `recvcount` elements. In place: `recvbuff == sendbuff + r·recvcount` on `root`.
 * @param recvcount elements of each block, the same on every rank.
 * @param type type of the elements, the same on every rank.
 * @param root the rank that gives them, the same on every rank.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return See the group's description.
 */
ATOLL_API atollResult_t atollScatter(const void* sendbuff, void* recvbuff, size_t recvcount, atollDataType_t type,
                                     int root, atollComm_t comm, atollStream_t stream);

/**
 * @brief Sends a buffer to one rank, which calls atollRecv() with the same count and type.
 *
 * Sends from one rank to another are received in the order in which they were made. Outside a group the
 * call is a group of its own and may wait for the receiver; two ranks that exchange buffers call send and receive in
 * one group.
 * @param sendbuff `count` elements.
 * @param count number of elements.
 * @param type type of the elements.
 * @param peer the receiving rank. In a group it may be this rank, with an atollRecv() from itself in the same group.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return See the group's description; ::atollInvalidUsage for sending to oneself outside a group.
 */
ATOLL_API atollResult_t atollSend(const void* sendbuff, size_t count, atollDataType_t type, int peer, atollComm_t comm,
                                  atollStream_t stream);

/**
 * @brief Receives a buffer from one rank, which calls atollSend() with the same count and type.
 * @param[out] recvbuff `count` elements.
 * @param count number of elements.
 * @param type type of the elements.
 * @param peer the sending rank. In a group it may be this rank.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return As atollSend().
 */
ATOLL_API atollResult_t atollRecv(void* recvbuff, size_t count, atollDataType_t type, int peer, atollComm_t comm,
                                  atollStream_t stream);

/**
 * @brief Lets no rank go on before every rank has come.
 * @param comm the communicator.
 * @param stream where to wait; on a host stream what is queued behind it waits, not the caller.
 * @return See the group's description.
 */
ATOLL_API atollResult_t atollBarrier(atollComm_t comm, atollStream_t stream);

/**
 * @brief atollAllGather() with a count for each rank.
 * @param sendbuff `sendcount` elements.
 * @param sendcount equal to `recvcounts[r]`.
 * @param[out] recvbuff receives rank i's elements from `displs[i]`; the ranks' blocks do not overlap. In place:
 *   `sendbuff == recvbuff + displs[r]`.
 * @param recvcounts n counts, in elements, the same on every rank.
 * @param displs n displacements from `recvbuff`, in elements. May differ between ranks.
 * @param type type of the elements, the same on every rank.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return See the group's description.
 */
ATOLL_API atollResult_t atollAllGatherV(const void* sendbuff, size_t sendcount, void* recvbuff,
                                        const size_t* recvcounts, const size_t* displs, atollDataType_t type,
                                        atollComm_t comm, atollStream_t stream);

/**
 * @brief atollReduceScatter() with a count for each rank.
 * @param sendbuff the blocks of all ranks, one after the other: the sum of `counts` elements.
 * @param counts n counts, in elements, the same on every rank.
 * @param[out] recvbuff `counts[r]` elements. In place: `recvbuff == sendbuff + counts[0] + … + counts[r−1]`.
 * @param type type of the elements, the same on every rank.
 * @param op the reduction, the same on every rank.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return See the group's description.
 */
ATOLL_API atollResult_t atollReduceScatterV(const void* sendbuff, const size_t* counts, void* recvbuff,
                                            atollDataType_t type, atollRedOp_t op, atollComm_t comm,
                                            atollStream_t stream);

/**
 * @brief atollAllToAll() with a count for each pair of ranks.
 * @param sendbuff the elements for rank i lie from `sdispls[i]`.
 * @param sendcounts n counts, in elements: `sendcounts[i]` here is `recvcounts[r]` on rank i.
 * @param sdispls n displacements from `sendbuff`, in elements.
 * @param[out] recvbuff receives the elements of rank i from `rdispls[i]`; these blocks do not overlap. There is no
 * in-place form.
 * @param recvcounts n counts, in elements.
 * @param rdispls n displacements from `recvbuff`, in elements.
 * @param type type of the elements, the same on every rank.
 * @param comm the communicator.
 * @param stream where to run it.
 * @return See the group's description.
 */
ATOLL_API atollResult_t atollAllToAllV(const void* sendbuff, const size_t* sendcounts, const size_t* sdispls,
                                       void* recvbuff, const size_t* recvcounts, const size_t* rdispls,
                                       atollDataType_t type, atollComm_t comm, atollStream_t stream);

/** @} */

/**
 * @defgroup groups Groups
 * @{
 */

/**
 * @brief Begins a group: calls of this thread are checked and kept until the matching atollGroupEnd().
 *
 * Groups nest; only the outermost one counts. Calls on several communicators may be mixed.
 * @return ::atollSuccess.
 */
ATOLL_API atollResult_t atollGroupStart(void);

/**
 * @brief Ends a group; at the outermost end, runs what was kept.
 *
 * First the communicators begun in the group (atollCommInitRank() and its siblings, atollCommSplit()) are made, all at
 * once. Then the calls run: on each communicator in order, sends and receives that follow one another as one exchange,
 * so that they cannot block each other; and different communicators side by side. The group is one unit for streams:
 * - all calls on the null stream: the group runs here and is complete on return;
 * - all calls on host streams: the function returns at once; the group begins when every stream involved has come to
 * it, and they go on together when it is complete;
 * - both kinds: the function waits for the streams involved, and the group runs here.
 *
 * If a call of the group returned an error, nothing of the group is run and this function returns that error. If
 * running fails, the first error is returned and the rest of the group is dropped.
 * @return ::atollSuccess; ::atollInProgress when a communicator of the group is being made in the background;
 *   ::atollInvalidUsage without a matching atollGroupStart(); or the group's first error.
 */
ATOLL_API atollResult_t atollGroupEnd(void);

/**
 * @brief Ends a group without running it, and tells how long it would take.
 *
 * The time is what the tuning table has or the cost model says, as for atollCommGetChoice(): of each communicator's
 * calls one after the other, and of several communicators the longest. Sends and receives are priced as if all went by
 * the slowest link between the ranks, and plans of the user's own as nothing. An inner group's end tells 0.
 * @param[out] seconds the time; 0 after an error.
 * @return ::atollSuccess; as atollGroupEnd() where a call of the group was refused or none is open;
 * ::atollInvalidUsage, and nothing is made, for a group that makes communicators; ::atollInvalidArgument when `seconds`
 * is `NULL`. The group is closed in any case.
 */
ATOLL_API atollResult_t atollGroupSimulateEnd(double* seconds);

/** @} */

/**
 * @defgroup memory Memory
 * @{
 */

/**
 * @brief Allocates memory that is good for communication: zeroed host memory, at a page's boundary. Calls work with
 * any memory, but this kind can be mapped by the other processes of the host, which then read it in place where other
 * memory is copied first. From 2 MiB on it is of huge pages where the system has some (Linux 6.1 and newer), which are
 * taken at once, near the calling thread; other pages are placed by the thread that touches them first. After a fork()
 * the child shares it with its parent.
 * @param[out] ptr the memory, to be given back with atollMemFree(); `NULL` for size 0.
 * @param size bytes.
 * @return ::atollSuccess; ::atollInvalidArgument when `ptr` is `NULL`; ::atollSystemError when there is not that much
 * memory.
 */
ATOLL_API atollResult_t atollMemAlloc(void** ptr, size_t size);

/**
 * @brief Frees memory of atollMemAlloc().
 * @param ptr the memory; `NULL` is allowed and does nothing.
 * @return ::atollSuccess, or ::atollInvalidArgument when it is not such memory.
 */
ATOLL_API atollResult_t atollMemFree(void* ptr);

/**
 * @brief Declares memory that will be used often with a communicator.
 *
 * Between hosts that RDMA joins, messages then go from this memory and to it without being copied, as they do with
 * memory of atollMemAlloc(). It must stay where it is until atollCommDeregister(). Elsewhere it changes nothing: ranks
 * of one process reach each other's buffers directly in any case, other processes of the host through bounce slots.
 * @param comm the communicator.
 * @param buff the memory, not `NULL`.
 * @param size its bytes, at least 1.
 * @param[out] handle for atollCommDeregister().
 * @return ::atollSuccess, ::atollInvalidArgument or ::atollInvalidUsage.
 */
ATOLL_API atollResult_t atollCommRegister(atollComm_t comm, void* buff, size_t size, void** handle);

/**
 * @brief Takes back atollCommRegister().
 * @param comm the communicator on which it was registered.
 * @param handle the handle.
 * @return ::atollSuccess; ::atollInvalidArgument when the handle is not live on this communicator.
 */
ATOLL_API atollResult_t atollCommDeregister(atollComm_t comm, void* handle);

/** @} */

/**
 * @defgroup operators Reductions of the user's own
 * @{
 */

/**
 * @brief Makes a reduction that multiplies each rank's input by a scalar before summing.
 *
 * All ranks make it, in the same order among their reductions; the scalars may differ.
 * @param[out] op the handle, for calls with elements of `type` on this communicator.
 * @param scalar one element of `type`. It is copied before the function returns.
 * @param type type of the scalar.
 * @param residence where the scalar lies.
 * @param comm the communicator.
 * @return ::atollSuccess, ::atollInvalidArgument or ::atollInvalidUsage.
 */
ATOLL_API atollResult_t atollRedOpCreatePreMulSum(atollRedOp_t* op, void* scalar, atollDataType_t type,
                                                  atollScalarResidence_t residence, atollComm_t comm);

/**
 * @brief A reduction written by the user: for every i < `count`, `inout[i] = in[i] ∘ inout[i]`, where ∘ is associative.
 *
 * `in` holds the contribution of lower ranks than `inout` does when the reduction was declared not commutative. It runs
 * in the thread that runs the call, must not call Atoll, throw or jump out, and gets `count` ≥ 1 elements, as many as
 * suits the algorithm.
 * @param in elements to combine, not to be changed.
 * @param inout elements to combine, and the result.
 * @param count number of elements.
 * @param type type of the elements.
 * @param context what was given to atollRedOpCreateUser().
 */
typedef void (*atollReduceFunction_t)(const void* in, void* inout, size_t count, atollDataType_t type, void* context);

/**
 * @brief Makes a reduction of a function of the user's. All ranks make it, with the same meaning.
 * @param[out] op the handle, for calls with elements of any type that the function knows, on this communicator.
 * @param function the function.
 * @param context given to the function as it is; must live until the calls that use the reduction are complete.
 * @param commutative 0 if the order of operands matters: contributions are then combined in rank order. Otherwise 1.
 * @param comm the communicator.
 * @return ::atollSuccess, ::atollInvalidArgument or ::atollInvalidUsage.
 */
ATOLL_API atollResult_t atollRedOpCreateUser(atollRedOp_t* op, atollReduceFunction_t function, void* context,
                                             int commutative, atollComm_t comm);

/**
 * @brief Frees a reduction of the user's own. Calls that were made before, and are still queued, are not affected.
 * @param op the handle.
 * @param comm the communicator on which it was made.
 * @return ::atollSuccess; ::atollInvalidArgument for a built-in reduction, or a handle that is not live on this
 * communicator.
 */
ATOLL_API atollResult_t atollRedOpDestroy(atollRedOp_t op, atollComm_t comm);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
