// SPDX-License-Identifier: Apache-2.0
// What can be done in a stream, as data: a stream does it when its turn comes, a capture makes a node of it.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <variant>
#include <vector>

namespace fakecuda {

struct Event;
struct Graph;
struct Launch;

struct NoWork {};

struct CopyWork {
  void* to;
  const void* from;
  std::size_t bytes;
  cudaMemcpyKind kind;
  std::shared_ptr<const std::vector<std::byte>> staged;  ///< in place of `from`, when that was read at the call
};

struct FillWork {
  cudaMemsetParams parameters;
};

struct HostWork {
  cudaHostNodeParams parameters;
};

struct KernelWork {
  std::shared_ptr<const Launch> launch;
};

struct RecordWork {
  std::shared_ptr<Event> event;
  cudaEvent_t handle;
};

struct WaitWork {
  std::shared_ptr<Event> event;
  cudaEvent_t handle;
};

struct ChildWork {
  std::shared_ptr<Graph> graph;
};

using Work = std::variant<NoWork, CopyWork, FillWork, HostWork, KernelWork, RecordWork, WaitWork, ChildWork>;

/// What CUDA calls a node that does this.
cudaGraphNodeType nodeType(const Work& work);

/// Does copies, fills, host functions and kernels; the others are the business of who orders them. Nothing is done on a
/// lost device.
void perform(const Work& work, int device);

}  // namespace fakecuda
