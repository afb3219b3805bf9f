// SPDX-License-Identifier: Apache-2.0
// A lowered plan: the plan of one kind of call, joined to the links and the memory layout that this rank has. Made at
// the first call of its kind and cached by the communicator; nothing of it changes from call to call but the bound
// addresses.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "src/base/call_record.h"
#include "src/exec/host/layout.h"
#include "src/exec/host/link_end.h"
#include "src/exec/host/reducer.h"
#include "src/plan/plan.h"

namespace atl::exec {

/// A place that a send may offer (deliveries.h): where the peer's message number `answer` of the lane's program goes.
struct Offer {
  Chunk place;
  std::int32_t answer = 0;
};

/// A step and the links of its peers. Where peers advance with the repetition there is one row of links for each.
struct LoweredStep {
  const Step* step = nullptr;
  std::vector<LinkEnd*> links;  ///< rows of `perRow`, in the order of the step's peers
  std::size_t perRow = 0;
  bool rowPerRepetition = false;
  bool lastTouch = false;  ///< combine: this rank does not look at the destination again in this call

  // What deliveries.h marks:
  std::optional<Offer> offer;          ///< send
  std::vector<std::int32_t> messages;  ///< send: for each peer, how many messages went to it before
  bool offered = false;                ///< combine: the only message's place is offered

  [[nodiscard]] LinkEnd* const* row(std::int32_t repetition) const {
    return links.data() + (rowPerRepetition ? perRow * static_cast<std::size_t>(repetition) : 0);
  }
};

struct LoweredRound {
  std::vector<LoweredStep> sends;
  std::vector<LoweredStep> combines;
  std::int32_t after = -1;
};

struct LoweredLoop {
  std::int32_t repeat = 1;
  std::vector<LoweredRound> rounds;
};

struct LoweredLane {
  std::int32_t share = 0;
  std::vector<LoweredLoop> loops;
};

/// A send or receive has a call of its own, numbered by its pair of ranks.
struct BlockCall {
  TaggedCall call;
  LinkEnd* link = nullptr;  ///< which numbers it; null: to or from myself
};

class FlatProgram;

struct Program {
  std::shared_ptr<const Plan> plan;
  Layout layout;
  TaggedCall call;  ///< all but the sequence
  Reducer reducer;  ///< of a built-in operator; else as the present call's operator wants it
  std::vector<LoweredLane> lanes = {};
  std::vector<LinkEnd*> connecting = {};    ///< links that this program needs and that are not ready yet
  std::vector<LinkEnd*> sending = {};       ///< every link that it sends on, once
  std::uint64_t slotsPerLink = 0;           ///< see StepContext; 0 until all links are there
  std::vector<LinkEnd*> messageLinks = {};  ///< its ready message links: they move bytes only when asked to
  std::vector<LinkEnd*> memoryLinks = {};   ///< its ready memory links
  std::size_t inputBytes = 0;               ///< of this rank's input buffer
  std::size_t bufferBytes = 0;              ///< of input and output together, about
  bool snapshotInput = false;  ///< the call is in place and the plan would overwrite input that it still needs
  std::vector<BlockCall> blockCalls[2] = {};  ///< point-to-point: of each send ([0]) and receive ([1]) block
  /// The same once more, if all of its messages are small; looked into when all links are there.
  std::unique_ptr<FlatProgram> flat;

  /// Whether its links have been looked at, all of which were there: `slotsPerLink` and `flat` hold from then on.
  [[nodiscard]] bool linked() const { return slotsPerLink != 0; }

  /// Links on which messages may take bounce slots. All links must be there.
  [[nodiscard]] std::size_t bouncingLinks() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        sending, [](const LinkEnd* link) { return link->isMemory() && !link->memory.sameProcess; }));
  }

  /// Whether a message that carries nothing is sent all the same: where it is the message that matters (a barrier), and
  /// where the two ends learn each other's counts from it (point-to-point, the v-forms).
  [[nodiscard]] bool sendsEmptyMessages() const {
    return plan->collective == Collective::barrier || plan->collective == Collective::pointToPoint ||
           (call.flags & CallRecord::kVForm) != 0;
  }

  /// The record of a block's own call, or null where the call's own is meant.
  [[nodiscard]] const TaggedCall* ownCall(const Chunk& chunk) const {
    const auto& calls = blockCalls[chunk.buffer == Buffer::input ? 0 : 1];
    return calls.empty() ? nullptr : &calls[static_cast<std::size_t>(chunk.index)].call;
  }

  Program(std::shared_ptr<const Plan> itsPlan, Layout itsLayout, const CallRecord& itsCall, const Operator& op);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
};

/// Gives the link to a peer on a lane, connecting it if there is none yet.
using LinkSource = std::function<Result<LinkEnd*>(Rank peer, std::int32_t lane)>;

/// Joins a plan to its links. `layout` is the call's; `record` its description without the sequence.
Result<std::unique_ptr<Program>> lower(const std::shared_ptr<const Plan>& plan, Layout layout, const CallRecord& record,
                                       const Operator& op, const LinkSource& links);

}  // namespace atl::exec
