// SPDX-License-Identifier: Apache-2.0
// Deliveries: in an all-reduce the rank that makes a slice of the result may write it to where the others want it, if
// it can reach their memory, instead of leaving them to fetch it. Each slice is then read once from every input and
// written once to every output, which no scheme betters.
//
// A rank offers the place with the message by which its part of the slice goes to that rank. It may, if from then until
// the result comes nothing else of its program touches the place; and it says as the answer to which message the result
// is wanted, lest the two have different plans in mind.
#pragma once

#include "src/exec/host/program.h"

namespace atl::exec {

/// Finds out which sends of a lane may offer a place, which receives may find theirs delivered, and numbers messages.
/// Marks nothing where loops repeat or the program is long: such plans are for more ranks than share a memory.
void markDeliveries(const Plan& plan, LoweredLane& lane);

}  // namespace atl::exec
