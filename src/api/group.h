// SPDX-License-Identifier: Apache-2.0
// The group that a thread has open: what it keeps until the end.
#pragma once

#include <memory>
#include <string_view>

#include "atoll/atoll.h"
#include "src/api/host_stream.h"
#include "src/api/queued_call.h"
#include "src/api/start.h"
#include "src/base/result.h"

namespace atl::api {

/// Depth of nesting of this thread's groups; 0 when none is open. Plain, so that the hot path pays one load.
inline constinit thread_local int groupDepth = 0;
inline bool groupIsOpen() {
  return groupDepth > 0;
}

/// Keeps a checked call. A null stream pointer is the null stream.
void addToGroup(atollComm_t comm, std::shared_ptr<HostStream> stream, QueuedCall call);

/// Keeps the making of a communicator.
void addToGroup(PendingStart start);

/// Outside a group, nothing. Inside: this thread's last error, whose result this is, spoils the group: nothing of it
/// will run, and its end gives the first such error. Gives `result` back.
atollResult_t spoilGroup(atollResult_t result);

}  // namespace atl::api
