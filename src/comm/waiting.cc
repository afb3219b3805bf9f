// SPDX-License-Identifier: Apache-2.0
#include "src/comm/waiting.h"

#include <algorithm>
#include <unordered_map>

namespace atl {
namespace {

/// A few microseconds of pauses.
constexpr int kSpin = 2000;
/// To wake a sleeper takes 30 to 90 µs, which a wait of this length does not notice. On shared cores those who stay
/// awake cost the others some of their time, and now and then, when there are many, as much again.
constexpr Duration kAwake = std::chrono::milliseconds(2);
constexpr Duration kAwakeCrowded = std::chrono::milliseconds(1);
/// What one more rank on a core adds to a round: sched_yield, and as much again where data has to be moved meanwhile.
constexpr double kSwitchSeconds = 0.6e-6;

struct Crowd {
  int ranks = 0;
  int cores = 1;
};

std::unordered_map<std::uint64_t, Crowd> crowds(const Directory& directory) {
  std::unordered_map<std::uint64_t, Crowd> byHost;
  for (Rank r = 0; r < directory.ranks(); ++r) {
    const ProcessInfo& process = directory.process(r);
    Crowd& crowd = byHost[process.host];
    ++crowd.ranks;
    crowd.cores = std::max(crowd.cores, process.cores);
  }
  return byHost;
}

}  // namespace

Patience patienceFor(const Directory& directory, Rank me, const Settings& settings) {
  const Crowd crowd = crowds(directory)[directory.process(me).host];
  const bool crowded = crowd.ranks > crowd.cores;
  const bool atOnce = settings.paths.sleep == Path::on;
  return {settings.spin >= 0  ? settings.spin
          : crowded || atOnce ? 0
                              : kSpin,
          atOnce    ? Duration::zero()
          : crowded ? kAwakeCrowded
                    : kAwake};
}

plan::LinkModel withContention(plan::LinkModel model, const Directory& directory) {
  double perCore = 1;
  for (const auto& [host, crowd] : crowds(directory)) {
    perCore = std::max(perCore, static_cast<double>(crowd.ranks) / crowd.cores);
  }
  if (perCore <= 1) return model;
  // Every rank of a core runs once before a message is answered, and the core's time is shared.
  model.latency += perCore * kSwitchSeconds;
  if (model.bulkLatency > 0) model.bulkLatency += perCore * kSwitchSeconds;
  model.ranksPerCore = perCore;
  return model;
}

}  // namespace atl
