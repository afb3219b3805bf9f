// SPDX-License-Identifier: Apache-2.0
// The cost model: what a plan's work costs on links. LinkModel (link_model.h) has the formula.
#pragma once

#include "src/plan/choice.h"
#include "src/plan/link_model.h"

namespace atl::plan {

/// A predicted time in its parts, for the sum and for its explanation. Seconds.
struct Price {
  double rounds = 0;
  double messages = 0;
  double bytes = 0;
  double reduced = 0;
  bool shared = false;  ///< the work is that of all ranks on the cores that there are, not the busiest rank's

  [[nodiscard]] double work() const { return messages + bytes + reduced; }
  [[nodiscard]] double total() const { return rounds + work(); }
};

/// What the algorithm says of itself, for the call.
Cost costOf(const Algorithm& algorithm, const Choice& choice);

/// How much dearer bytes are that so many senders send to one receiver.
double crowding(const LinkModel& model, double senders);

/// The price of a rank's work, without its rounds. `meeting` as Cost::meeting; `share` is how much of the work one core
/// does.
Price priceOfWork(const Work& work, double meeting, const LinkModel& model, double share = 1);

/// Latency of a round whose messages are so large.
double roundSeconds(const LinkModel& model, double messageBytes);

/// How much dearer the bytes are to the algorithm than to one that takes them piece by piece.
double untiledFactor(const Algorithm& algorithm, const Choice& choice, const LinkModel& model);

/// Of ranks that are all joined alike.
Price priceOf(const Algorithm& algorithm, const Choice& choice, const LinkModel& model);

}  // namespace atl::plan
