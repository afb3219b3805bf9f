// SPDX-License-Identifier: Apache-2.0
// The group that a thread has open: what it keeps until the end.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "atoll/atoll.h"
#include "src/api/host_stream.h"
#include "src/api/queued_call.h"
#include "src/api/start.h"
#include "src/base/result.h"

namespace atl::api {

/// The commonest group: sends and receives of one communicator on the null stream, and nothing else. Kept apart from
/// what else a group may hold, so that a send adds itself in a few instructions.
struct Exchange {
  atollComm_t comm = nullptr;
  std::vector<PointToPoint> operations;
};

/// A thread's group as the hot path sees it. The library's other thread-local state costs a call to find; this is two
/// words, which the reserve for libraries loaded late has room for, and one load away.
struct OpenGroup {
  int depth = 0;                 ///< of nesting; 0 when no group is open
  Exchange* exchange = nullptr;  ///< while the group is nothing but this
};
inline constinit thread_local OpenGroup openGroup __attribute__((tls_model("initial-exec")));

inline bool groupIsOpen() {
  return openGroup.depth > 0;
}

/// Adds a send or receive on the null stream to a group that is nothing but an exchange of this communicator, and stays
/// so. False if the group is not; then addToGroup() is for it.
inline bool addToExchange(atollComm_t comm, const PointToPoint& operation) {
  Exchange* const exchange = openGroup.exchange;
  if (exchange == nullptr || (exchange->comm != comm && !exchange->operations.empty())) return false;
  exchange->comm = comm;
  exchange->operations.push_back(operation);
  return true;
}

/// Keeps a checked call. A null stream pointer is the null stream.
void addToGroup(atollComm_t comm, std::shared_ptr<HostStream> stream, QueuedCall call);

/// Keeps the making of a communicator.
void addToGroup(PendingStart start);

/// Outside a group, nothing. Inside: this thread's last error, whose result this is, spoils the group: nothing of it
/// will run, and its end gives the first such error. Gives `result` back.
atollResult_t spoilGroup(atollResult_t result);

}  // namespace atl::api
