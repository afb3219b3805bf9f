// SPDX-License-Identifier: Apache-2.0
// The fake CUDA runtime as tests see it. The library stands in for libcudart: it has the runtime's functions under
// their own names, with devices that are not there. This header is what a test says to it besides: how many devices
// there are, what a kernel does, which call fails, and, afterwards, what went wrong.
//
// A process is told by the environment, read at the first call, or by reset():
//   FAKECUDA_DEVICES     number of devices [4]; CUDA_VISIBLE_DEVICES chooses among them by number
//   FAKECUDA_DRIVER      the driver's CUDA version, 13000, or "none" for a machine without a driver [13000]
//   FAKECUDA_MEMORY      bytes of a device [8 GiB]
//   FAKECUDA_SMS         multiprocessors of a device [132]
//   FAKECUDA_PEERS       which devices reach each other: "all", "none", or pairs "0-1,2-3" [all]
//   FAKECUDA_CORRUPT     pairs whose peer access is there and loses what is stored, without an error, or "all" []
//   FAKECUDA_FABRIC      1: memory can be exported by fabric handles [0]
//   FAKECUDA_FAIL        calls that fail: "cudaMalloc:3:2" is the third cudaMalloc with error 2; several, separated by
//   commas CUDA_MODULE_LOADING  EAGER: kernels need not be loaded before use
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#pragma GCC visibility push(default)

namespace fakecuda {

/// A machine. The members are the environment's variables above.
struct Configuration {
  int devices = 4;
  std::vector<int> visible;   ///< numbers of the devices that the process sees, in its order; empty: all
  int driverVersion = 13000;  ///< 0: no driver
  std::size_t memoryBytes = std::size_t{8} << 30;
  int multiprocessors = 132;
  std::string peers = "all";
  std::string corrupt = "none";
  bool fabric = false;
  std::string fail;
  bool eagerLoading = false;
};

Configuration configurationFromEnvironment();

/// Makes the process as new, on the machine given: waits until all streams are idle, then forgets memory, streams,
/// graphs, errors and counts, but not kernels. Nothing else may be calling. A thread's own state (current device, last
/// error) begins anew too.
void reset(Configuration configuration = configurationFromEnvironment());

// What went wrong
// ---------------------------------------------------------------------------------------------------------------

/// Things that no program under test may do and that an error code might hide: a kernel that nobody registered was
/// launched, a kernel threw, memory was written past its end, a device read memory that it has no access to.
/// Thread-safe.
std::vector<std::string> failures();

/// Adds one, as the code of a kernel may.
void reportFailure(std::string what);

/// Returns and forgets them. A process that ends by exit() with failures that nobody took prints them and exits with
/// status 70.
std::vector<std::string> takeFailures();

/// What a process still holds; all zero after a clean end.
struct LiveObjects {
  std::size_t deviceAllocations = 0;  ///< cudaMalloc, cudaMallocManaged and mapped cuMemCreate
  std::size_t hostAllocations = 0;    ///< cudaHostAlloc and cudaHostRegister
  std::size_t importedAllocations = 0;
  std::size_t streams = 0;  ///< made by the program
  std::size_t events = 0;
  std::size_t graphs = 0;
  std::size_t executables = 0;
  std::size_t userObjects = 0;
  std::size_t memoryHandles = 0;  ///< cuMemCreate, cuMulticastCreate
  friend bool operator==(const LiveObjects&, const LiveObjects&) = default;
};
LiveObjects liveObjects();

// What shall go wrong
// -----------------------------------------------------------------------------------------------------------

/// The `which`-th call of a function from now on, 1 the next, returns the error and does nothing. An error that CUDA
/// keeps, such as cudaErrorLaunchFailure, loses the calling thread's device as well.
void failCall(const std::string& function, int which, cudaError_t error);

/// How often a function of the runtime was called since the start or reset().
int callCount(const std::string& function);

/// The device disappears: what is queued there is not done, and every call that needs the device returns the error from
/// now on.
void loseDevice(int device, cudaError_t error = cudaErrorLaunchFailure);

// Kernels
// -----------------------------------------------------------------------------------------------------------------------

/// One thread block of a running kernel.
struct Block {
  dim3 grid;        ///< blocks of the grid
  dim3 threads;     ///< threads of a block
  dim3 cluster;     ///< blocks of a cluster; 1×1×1 without
  dim3 index;       ///< which block this is
  unsigned number;  ///< the same as one number, x fastest
  void* shared;     ///< dynamic shared memory, the block's own, 128-byte aligned, with arbitrary content
  std::size_t sharedBytes;
  int device;
  std::function<bool()> lost;  ///< the device has disappeared: a block that waits must give up
};

/// Does the work of one block, all its threads, in the thread it is called in; `arguments` are as for cudaLaunchKernel.
using KernelBody = std::function<void(const Block& block, void** arguments)>;

/// What a compiler would say of a kernel.
struct KernelTraits {
  int maxThreadsPerBlock = 1024;
  int registers = 32;
  std::size_t staticSharedBytes = 0;
  /// Blocks run in host threads of their own, as many at once as the device has room for, and may wait for each other.
  /// A kernel without such waits and with many blocks says false: its blocks then run one after another in one thread.
  bool concurrentBlocks = true;
};

struct Parameter {
  std::size_t bytes;
  bool pointer;  ///< checked when the kernel runs: memory that its device has no access to is a fault
};

/// Says what a launch of `symbol` does, from now on, in this process. Thread-safe. Without a symbol (null) the kernel
/// is known by the name under which code compiled by nvcc registers it (mangled).
void registerKernel(const void* symbol, std::string name, std::vector<Parameter> parameters, KernelBody body,
                    KernelTraits traits = {});

namespace detail {
template <class... P, class Body, std::size_t... I>
KernelBody unpacked(Body body, std::index_sequence<I...> /*indices*/) {
  return [body = std::move(body)](const Block& block, [[maybe_unused]] void** arguments) {
    body(block, *static_cast<std::remove_reference_t<P>*>(arguments[I])...);
  };
}
}  // namespace detail

/// The same for a kernel whose type is known: body(block, parameters…).
template <class... P, class Body>
void registerKernel(void (*symbol)(P...), std::string name, Body body, KernelTraits traits = {}) {
  registerKernel(reinterpret_cast<const void*>(symbol), std::move(name),
                 {Parameter{sizeof(P), std::is_pointer_v<P>}...},
                 detail::unpacked<P...>(std::move(body), std::index_sequence_for<P...>()), traits);
}

/// May a kernel on the device read and write all of [pointer, pointer + bytes)? False for memory that is not the
/// device's, nor a peer's to which access is enabled, nor pinned or managed. Kernels may ask for pointers that they
/// find inside their arguments.
bool mayAccess(int device, const void* pointer, std::size_t bytes);

/// Does what a kernel or copy of the device stores there arrive? Not in memory of a device with which it is one of the
/// pairs that FAKECUDA_CORRUPT names. Copies see to it themselves; kernels that stand for such stores have to ask.
bool storesArrive(int device, const void* pointer);

/// The memory behind an address that a multicast object is mapped at, one pointer for each device bound there: what
/// multimem instructions read and write. Empty for any other address.
std::vector<void*> multicastReplicas(const void* pointer);

}  // namespace fakecuda

#pragma GCC visibility pop
