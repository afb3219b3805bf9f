// SPDX-License-Identifier: Apache-2.0
// Events: a point in a stream that others wait for.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <vector>

#include "tests/fakecuda/runtime/completion.h"

namespace fakecuda {

struct Capture;
struct Node;

struct Event {
  int device = 0;
  unsigned flags = cudaEventDefault;

  // Under submission():
  CompletionPtr recorded;            ///< null until it is recorded
  std::shared_ptr<Capture> capture;  ///< recorded last in a stream under capture, which may be over by now
  std::vector<Node*> captured;       ///< the nodes that it stands for there
};

std::size_t liveEvents();
void forgetEvents();

std::shared_ptr<Event> eventOf(cudaEvent_t handle);

}  // namespace fakecuda
