// SPDX-License-Identifier: Apache-2.0
// What the steps of one call share while they run.
#pragma once

#include <cstdint>

#include "src/base/call_record.h"
#include "src/base/settings.h"
#include "src/exec/host/layout.h"
#include "src/exec/host/reducer.h"
#include "transports/outbox.h"

namespace atl::exec {

/// Which call a message belongs to.
struct Label {
  const TaggedCall* call = nullptr;
  std::uint64_t tag = 0;  ///< the call's, or 0 when not checked
};

struct StepContext {
  Rank rank = 0;
  bool check = true;  ///< compare calls
  const TaggedCall* call = nullptr;
  std::uint64_t tag = 0;  ///< the call's, or 0 when not checked
  const Layout* layout = nullptr;
  const Reducer* reducer = nullptr;
  Outbox* outbox = nullptr;
  std::uint64_t slotsPerLink = 1;  ///< bounce slots that one link may hold, so that every link of the program finds one
  bool direct = true;              ///< shareable memory may be read in place
  Path stream = Path::automatic;
  Path forward = Path::automatic;
  Path deliver = Path::automatic;
  bool beyondCache = false;  ///< the call's buffers do not fit a core's own cache
  bool starving = false;     ///< nothing has moved for long: senders may trickle inline (see send_action.h)

  /// The label of a message: this call's, unless the message has a call of its own (point-to-point).
  [[nodiscard]] Label label(const TaggedCall* own) const {
    if (own == nullptr) return {call, tag};
    return {own, check ? own->tag() : 0};
  }
};

}  // namespace atl::exec
