// SPDX-License-Identifier: Apache-2.0
#include "src/base/heavy_fence.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace atl {
namespace {

long membarrier(int command) {
  return ::syscall(SYS_membarrier, command, 0, 0);
}

}  // namespace

bool joinHeavyFences() {
  static const bool joined = membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0;
  return joined;
}

void heavyFence() {
  membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
}

}  // namespace atl
