// SPDX-License-Identifier: Apache-2.0
// Making a communicator: at once, in the background, or with the others of a group.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "atoll/atoll.h"
#include "src/api/config.h"
#include "src/api/entry.h"
#include "src/base/result.h"

namespace atl::api {

/// What makes it; blocks until all ranks have come. Gives null where this rank is to have none (a split without color).
using Maker = std::function<Result<std::unique_ptr<Communicator>>()>;

/// What is done at the very moment of beginning, in the thread of the caller: a split takes its turn on the parent
/// here.
using Preparation = std::function<Result<Maker>()>;

/// The preparation of what needs none.
inline Preparation prepared(Maker maker) {
  return [maker = std::move(maker)]() -> Result<Maker> { return maker; };
}

/// Settles, in the thread of the caller, that a communicator is made from another when it is that one's turn, as any
/// call on it.
Result<Maker> inTurnOf(atollComm_t parent,
                       std::function<Result<std::unique_ptr<Communicator>>(Communicator&)> makeFrom);

/// One that is yet to be begun. Its handle is `starting`.
struct PendingStart {
  std::string call;            ///< the API function
  atollComm_t* out = nullptr;  ///< holds the handle, or is null where nobody wants it
  atollComm_t handle = nullptr;
  bool blocking = true;
  Preparation prepare;
};

/// Makes a communicator as its configuration and an open group ask for: here, in the background, or at the group's end.
/// Sets *out, if there is one.
atollResult_t start(const std::string& call, atollComm_t* out, const Configuration& configuration, Preparation prepare);

/// Makes what a group kept, all at once, each in a thread of its own, and waits for the blocking ones. The first error;
/// else atollInProgress if some go on in the background.
atollResult_t startAll(std::vector<PendingStart> starts);

/// Handles for communicators that are there already: all of them, or none.
Status adoptAll(std::vector<std::unique_ptr<Communicator>> made, atollComm_t* out);

/// Takes back the handles of what will not be made.
void drop(std::vector<PendingStart> starts);

}  // namespace atl::api
