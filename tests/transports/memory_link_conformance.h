// SPDX-License-Identifier: Apache-2.0
// What every memory link must do, whatever transport made it. The mailbox is worked by hand here, step by step as
// link.h describes it, with each end in a thread of its own.
#pragma once

#include "transports/link.h"
#include "transports/outbox.h"

namespace atl::test {

/// The two ends of one lane. `outbox` is each end's own; null where the end sends direct references instead.
struct LinkedPair {
  MemoryLink lower;
  MemoryLink higher;
  Outbox* lowerOutbox = nullptr;
  Outbox* higherOutbox = nullptr;
};

/// Messages of mixed kinds cross in both directions at once, in order and whole.
void carriesMixedMessages(LinkedPair& pair, std::uint64_t messages);

/// So many small messages that every slot is used over and over again, with a sender that is always as far ahead as it
/// may be.
void wrapsAround(LinkedPair& pair, std::uint64_t messages);

/// A sender that has filled every slot finds them taken until the receiver consumes one.
void holdsAtMostItsSlots(LinkedPair& pair);

/// What the sender says it is calling can be read by the receiver, beside a tag that differs.
void showsTheCall(LinkedPair& pair);

/// One end of carriesMixedMessages, for a link whose other end is in another process.
void exchangesAsOneEnd(MemoryLink& link, Outbox* outbox, bool lower, std::uint64_t messages);

}  // namespace atl::test
