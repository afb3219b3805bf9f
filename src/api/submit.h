// SPDX-License-Identifier: Apache-2.0
// The one way of a call from the API to the communicator: claim the handle, check the arguments, then run here, queue
// on a stream, or keep for the group.
//
// The common case (null stream, no group) takes no lock and allocates nothing; everything else is out of line.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "atoll/atoll.h"
#include "src/api/entry.h"
#include "src/api/group.h"
#include "src/api/operators.h"
#include "src/api/queued_call.h"
#include "src/api/report.h"
#include "src/base/result.h"
#include "src/exec/execution.h"

namespace atl::api {

/// A call whose handle is not good for it.
atollResult_t refuse(const char* name, atollComm_t comm);

/// A call whose arguments are wrong.
atollResult_t reject(const char* name, Entry& entry, const Error& error);

/// Keeps a checked call for the open group, or queues it on its stream.
atollResult_t defer(const char* name, atollComm_t comm, Entry& entry, atollStream_t stream, QueuedCall call);

inline Status runNow(Communicator& communicator, const Call& call) {
  return communicator.run(call);
}

/// Outside a group a send or receive is a group of its own.
inline Status runNow(Communicator& communicator, const PointToPoint& operation) {
  return communicator.run(std::span(&operation, 1));
}

inline bool joinsExchange(atollComm_t, const Call&) {
  return false;
}
inline bool joinsExchange(atollComm_t comm, const PointToPoint& operation) {
  return addToExchange(comm, operation);
}

/// A call of a communicator that works on a device: the stream is the device's, `NULL` its default stream.
template <class Operation>
void placeOnDevice(Operation& operation, atollStream_t stream) {
  operation.onDevice = true;
  operation.stream = stream;
}

inline QueuedCall queued(const Entry& entry, const Call& call, std::shared_ptr<const CustomOperator> custom) {
  return QueuedCall(call, entry.ranks, std::move(custom));
}
inline QueuedCall queued(const Entry&, const PointToPoint& operation, const std::shared_ptr<const CustomOperator>&) {
  return QueuedCall(operation);
}

/// A call whose communicator is claimed.
template <class Operation, class Fill>
atollResult_t submitTo(Entry& entry, const char* name, atollComm_t comm, atollStream_t stream, Fill&& fill) {
  Operation operation;
  std::shared_ptr<const CustomOperator> custom;
  if (const Status checked = fill(entry, operation, custom); !checked.ok()) return reject(name, entry, checked.error());
  if (entry.device >= 0) placeOnDevice(operation, std::exchange(stream, nullptr));
  if (stream != nullptr || groupIsOpen()) {
    if (stream == nullptr && joinsExchange(comm, operation)) return atollSuccess;
    return defer(name, comm, entry, stream, queued(entry, operation, std::move(custom)));
  }
  entry.turns.drain();
  const Status status = runNow(*entry.communicator, operation);
  return status.ok() ? atollSuccess : entry.fail(name, status.error());
}

/// Operation is Call or PointToPoint. `fill(entry, operation, custom)` checks the arguments, fills in the operation,
/// and sets `custom` to what must live as long as it.
template <class Operation, class Fill>
atollResult_t submit(const char* name, atollComm_t comm, atollStream_t stream, Fill&& fill) noexcept {
  return guarded(name, [&]() -> atollResult_t {
    const Claim claim(comm);
    if (!claim) return refuse(name, comm);
    return submitTo<Operation>(claim.entry(), name, comm, stream, fill);
  });
}

/// The same for a collective that `arguments` say all of. Where it is the one that the communicator ran last, nothing
/// of it is checked or looked up again.
template <class Fill>
atollResult_t submitRepeatable(const char* name, atollComm_t comm, atollStream_t stream,
                               const CollectiveArguments& arguments, Fill&& fill) noexcept {
  return guarded(name, [&]() -> atollResult_t {
    const Claim claim(comm);
    if (!claim) return refuse(name, comm);
    Entry& entry = claim.entry();
    const bool atOnce = stream == nullptr && !groupIsOpen();
    if (atOnce && entry.last.arguments == arguments) {
      entry.turns.drain();
      const auto again = entry.communicator->runAgain(entry.last.number);
      if (!again.ok()) return entry.fail(name, again.error());
      entry.last.number = *again;
      if (*again != 0) return atollSuccess;
    }
    const atollResult_t result = submitTo<Call>(entry, name, comm, stream, fill);
    if (atOnce && result == atollSuccess) entry.last = {arguments, entry.communicator->repeatable()};
    return result;
  });
}

}  // namespace atl::api
