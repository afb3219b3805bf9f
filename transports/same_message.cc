// SPDX-License-Identifier: Apache-2.0
#include "transports/same_message.h"

namespace atl {

Status sameMessage(const MessageSide& mine, const MessageSide& theirs) {
  const bool checked = mine.call.sequence != 0 && theirs.call.sequence != 0;
  if (checked && mine.call != theirs.call) return mismatch(mine.rank, mine.call, theirs.rank, theirs.call);
  if (mine.bytes == theirs.bytes) return success();
  return mismatch(mine.rank, mine.call, theirs.rank, theirs.call)
      .within(fmt::format("rank {} sent a message of {} bytes where rank {} expects {}", theirs.rank, theirs.bytes,
                          mine.rank, mine.bytes));
}

}  // namespace atl
