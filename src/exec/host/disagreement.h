// SPDX-License-Identifier: Apache-2.0
// What to say when a message is not the one that was expected.
#pragma once

#include "src/base/call_record.h"
#include "src/base/result.h"
#include "src/exec/host/link_end.h"

namespace atl::exec {

/// `mine` is what this rank is calling, `tag` what the peer's message on a memory link bears. Both calls are named if
/// the peer's can still be found.
inline Error disagreement(Rank me, const CallRecord& mine, const LinkEnd& link, std::uint64_t tag) {
  if (const auto theirs = link.memory.in->calls.find(tag); theirs && *theirs != mine) {
    return mismatch(me, mine, link.peer, *theirs);
  }
  return makeError(ErrorCode::mismatch, "rank {} sent another message than rank {} expects in {}", link.peer, me,
                   describe(mine));
}

}  // namespace atl::exec
