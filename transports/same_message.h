// SPDX-License-Identifier: Apache-2.0
// Whether the message that comes is the one that a receiver expects: the comparison that every message link makes.
#pragma once

#include <cstdint>

#include "src/base/call_record.h"
#include "src/base/result.h"

namespace atl {

/// One end's view of a message.
struct MessageSide {
  Rank rank = 0;
  std::uint64_t bytes = 0;
  const CallRecord& call;
};

/// What a receiver expects of the header of the next message.
struct ExpectedMessage {
  Rank me = 0;
  Rank peer = 0;
  std::uint64_t message = 0;  ///< its number on the link in this direction, from 1
  std::uint64_t bytes = 0;
  CallRecord call;
};

/// A mismatch that names both calls if they differ (where both ends say theirs: a sequence that is not 0), or the sizes
/// do.
Status sameMessage(const MessageSide& mine, const MessageSide& theirs);

}  // namespace atl
