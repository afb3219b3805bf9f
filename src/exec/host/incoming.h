// SPDX-License-Identifier: Apache-2.0
// What a message in a mailbox refers to, checked: a peer may be of another mind about the call, or of another program.
#pragma once

#include <algorithm>
#include <cstddef>

#include "src/base/result.h"
#include "src/exec/host/bounce_copy.h"
#include "src/exec/host/link_end.h"
#include "src/exec/host/step_context.h"

namespace atl::exec {

/// Payload that lies together where this rank can read it, until the message is released.
struct Window {
  const std::byte* data = nullptr;
  std::size_t bytes = 0;
  CopyMarks marks;             ///< a bounced message's
  std::byte* offer = nullptr;  ///< where the peer wants as many bytes of …
  std::uint64_t answer = 0;    ///< … this message; see MailSlot
};

/// The payload of a message that is there. `expected` is what may at most come of the present step; `home` is where it
/// lies if it is delivered, null where no place was offered. Says who disagrees if the message is of another call or is
/// longer, and takes nothing away: asked again, it says the same.
Result<Window> windowOf(const MailSlot& slot, LinkEnd& from, const Label& label, Rank me, std::size_t expected,
                        const std::byte* home = nullptr);

/// Does `fold`, and notes for the senders of timed messages among the operands what reading `bytes` of each cost: the
/// time is shared evenly among the operands that came from peers. `marksOf(operand)` are a message's marks.
template <class Operands, class Fold, class MarksOf>
void timeReading(const Operands& operands, std::size_t bytes, Fold fold, MarksOf marksOf) {
  const auto begin = Clock::now();
  fold();
  const Duration spent = Clock::now() - begin;
  const auto remote = std::ranges::count_if(operands, [](const auto& operand) { return operand.link != nullptr; });
  for (const auto& operand : operands) {
    const CopyMarks marks = marksOf(operand);
    if (marks.timed) noteReading(*operand.link->memory.in, marks, spent / remote, bytes);
  }
}

}  // namespace atl::exec
