// SPDX-License-Identifier: Apache-2.0
// Addresses that are reserved first and get memory later.
#pragma once

#include <cuda.h>

#include <cstddef>
#include <optional>

#include "tests/fakecuda/runtime/memory_handles.h"

namespace fakecuda {

/// What is mapped at an address, and where in it the address lies.
struct MappedPlace {
  MemoryHandlePtr memory;
  std::size_t offset;
};
std::optional<MappedPlace> mappedPlace(CUdeviceptr pointer);

/// Unmaps and gives up everything, handles too.
void forgetVirtualMemory();

}  // namespace fakecuda
