// SPDX-License-Identifier: Apache-2.0
// A Space (space.h) of CUDA threads: a thread block.
#pragma once

#include <cstdint>

#include "src/exec/cuda/device/mail.h"
#include "src/exec/cuda/device/signals.h"

namespace atl::device {

class GpuSpace {
 public:
  explicit __device__ GpuSpace(const Signals* signals) : signals_(signals) {}

  __device__ std::uint32_t thread() const { return threadIdx.x; }
  __device__ std::uint32_t threads() const { return blockDim.x; }
  __device__ void sync() { __syncthreads(); }

  // A barrier orders what other threads of the block stored before what one of them releases after it: PTX's causality
  // order is cumulative over scopes.
  __device__ std::uint64_t acquire(const std::uint64_t* flag) {
    std::uint64_t value;
    asm volatile("ld.acquire.sys.global.u64 %0, [%1];" : "=l"(value) : "l"(flag) : "memory");
    return value;
  }
  __device__ void release(std::uint64_t* flag, std::uint64_t value) {
    asm volatile("st.release.sys.global.u64 [%0], %1;" ::"l"(flag), "l"(value) : "memory");
  }
  __device__ std::uint64_t add(std::uint64_t* word, std::uint64_t value) {
    std::uint64_t before;
    asm volatile("atom.acq_rel.sys.global.add.u64 %0, [%1], %2;" : "=l"(before) : "l"(word), "l"(value) : "memory");
    return before;
  }

  // Of global memory and of the block's own.
  __device__ std::uint64_t look(const std::uint64_t* word) {
    std::uint64_t value;
    asm volatile("ld.relaxed.sys.u64 %0, [%1];" : "=l"(value) : "l"(word) : "memory");
    return value;
  }
  __device__ void put(std::uint64_t* word, std::uint64_t value) {
    asm volatile("st.relaxed.sys.u64 [%0], %1;" ::"l"(word), "l"(value) : "memory");
  }

  __device__ Packet load(const Packet* packet) {
    Packet value;
    asm volatile("ld.relaxed.sys.global.u64 %0, [%1];" : "=l"(value) : "l"(packet) : "memory");
    return value;
  }
  __device__ void store(Packet* packet, Packet value) {
    asm volatile("st.relaxed.sys.global.u64 [%0], %1;" ::"l"(packet), "l"(value) : "memory");
  }

  // The clock is looked at only in waits that last.
  __device__ void beginWait() { since_ = 0; }
  __device__ bool interrupted() {
    if (look(&signals_->abort) != 0) return true;
    const std::uint64_t patience = look(&signals_->patience);
    if (patience == 0) return false;
    std::uint64_t now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    if (since_ == 0) since_ = now;
    return now - since_ > patience;
  }
  __device__ void pause() {}

 private:
  const Signals* signals_;
  std::uint64_t since_ = 0;  ///< of the present wait, from its first look
};

}  // namespace atl::device
