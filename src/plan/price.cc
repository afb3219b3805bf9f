// SPDX-License-Identifier: Apache-2.0
#include "src/plan/price.h"

#include <algorithm>

namespace atl::plan {

Cost costOf(const Algorithm& algorithm, const Choice& choice) {
  const auto bytes = static_cast<double>(choice.bytes);
  return algorithm.cost(CostQuery{choice.collective, choice.ranks, bytes,
                                  static_cast<double>(tilesFor(algorithm.tileable, choice.bytes, choice.tileBytes))});
}

double crowding(const LinkModel& model, double senders) {
  return 1 + model.incast * (1 - 1 / std::max(1.0, senders));
}

Price priceOfWork(const Work& work, double meeting, const LinkModel& model, double share) {
  const double bytes = model.memory ? work.posted * model.perPostedByte + work.received * model.perByte
                                    : std::max(work.sent, work.received) * model.perByte * crowding(model, meeting);
  return {0, work.messages * model.perMessage * share, bytes * share, work.reduced * model.perReducedByte * share};
}

double roundSeconds(const LinkModel& model, double messageBytes) {
  return model.latency + (messageBytes > static_cast<double>(model.inlined) ? model.bulkLatency : 0);
}

double untiledFactor(const Algorithm& algorithm, const Choice& choice, const LinkModel& model) {
  return algorithm.tileable || choice.bytes <= LinkModel::kCachedBytes ? 1 : model.untiled;
}

Price priceOf(const Algorithm& algorithm, const Choice& choice, const LinkModel& model) {
  const Cost cost = costOf(algorithm, choice);
  const Price busiest = priceOfWork(cost.busiest, cost.meeting, model);
  Price shared = priceOfWork(cost.all, cost.meeting, model, model.ranksPerCore / choice.ranks);
  shared.shared = true;
  Price price = shared.work() > busiest.work() ? shared : busiest;
  const double dearer = untiledFactor(algorithm, choice, model);
  price.bytes *= dearer;
  price.reduced *= dearer;
  // Every message is posted once and taken once.
  const double message = cost.all.messages > 0 ? 2 * cost.all.sent / cost.all.messages : 0;
  price.rounds = cost.rounds * roundSeconds(model, message);
  return price;
}

}  // namespace atl::plan
