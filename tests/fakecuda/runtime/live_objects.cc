// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/events.h"
#include "tests/fakecuda/runtime/graphs.h"
#include "tests/fakecuda/runtime/memory.h"
#include "tests/fakecuda/runtime/memory_handles.h"
#include "tests/fakecuda/runtime/streams.h"

namespace fakecuda {

LiveObjects liveObjects() {
  LiveObjects live;
  countMemory(live);
  live.streams = madeStreams();
  live.events = liveEvents();
  live.graphs = liveGraphs();
  live.executables = liveExecutables();
  live.userObjects = liveUserObjects();
  live.memoryHandles = liveMemoryHandles();
  return live;
}

}  // namespace fakecuda
