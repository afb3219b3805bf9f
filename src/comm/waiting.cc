// SPDX-License-Identifier: Apache-2.0
#include "src/comm/waiting.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace atl {
namespace {

/// Some 100 µs of pauses.
constexpr int kSpin = 2000;
/// To wake a sleeper takes 30 to 90 µs, which a wait of this length does not notice.
constexpr Duration kAwake = std::chrono::milliseconds(2);
/// On shared cores those who stay awake take the time of those who have something to pass on, and whoever gives up his
/// core over and over is made to wait for the others later: with 16 ranks on two cores, calls of 25 ms took a third
/// longer with waits of 1 ms awake. Calls within a host, whose peers come sooner, take as long with either.
constexpr Duration kAwakeCrowded = std::chrono::microseconds(50);
/// What one more rank on a core adds to a round: sched_yield, and as much again where data has to be moved meanwhile.
constexpr double kSwitchSeconds = 0.6e-6;

/// A process, and how many ranks it has.
struct Tenant {
  const ProcessInfo* process = nullptr;
  int ranks = 0;
};

/// Those of each host; or, with `place` = &ProcessInfo::machine, of each machine.
std::unordered_map<std::uint64_t, std::vector<Tenant>> tenants(const Directory& directory,
                                                               std::uint64_t ProcessInfo::*place) {
  std::vector<Tenant> all;
  for (const ProcessInfo& process : directory.processes) all.push_back({&process, 0});
  for (const std::uint32_t process : directory.processOf) ++all[process].ranks;
  std::unordered_map<std::uint64_t, std::vector<Tenant>> byPlace;
  for (const Tenant& tenant : all) byPlace[tenant.process->*place].push_back(tenant);
  return byPlace;
}

/// Ranks for each core among those that may run on these CPUs and no others.
double ranksPerCore(const std::vector<Tenant>& host, const CpuList& cpus) {
  int ranks = 0;
  int cores = 1;
  bool underQuota = false;
  for (const auto& [process, its] : host) {
    if (!includes(cpus, process->cpus)) continue;
    ranks += its;
    cores = std::max(cores, process->cores);
    underQuota |= process->cores < countOf(process->cpus) || process->cpus.empty();
  }
  // Who shares a quota is not known: in the worst case all do.
  return static_cast<double>(ranks) / (underQuota ? cores : std::max(1, countOf(cpus)));
}

/// Likewise where it is most, among the host's ranks and any that are bound to the same CPUs.
double ranksPerCore(const std::vector<Tenant>& host) {
  CpuList all;
  for (const Tenant& tenant : host) all = unionOf(all, tenant.process->cpus);
  double most = ranksPerCore(host, all);
  const CpuList* last = nullptr;
  for (const Tenant& tenant : host) {
    // Neighbours are mostly bound alike, and then there is nothing new to find.
    if (last == nullptr || tenant.process->cpus != *last)
      most = std::max(most, ranksPerCore(host, tenant.process->cpus));
    last = &tenant.process->cpus;
  }
  return most;
}

/// Ranks for each CPU of a machine whose hosts are namespaces; where CPUs are not known, none. Quotas are not looked
/// at: hosts mostly have their own.
double ranksPerCpu(const std::vector<Tenant>& machine) {
  CpuList all;
  int ranks = 0;
  for (const auto& [process, its] : machine) {
    all = unionOf(all, process->cpus);
    ranks += its;
  }
  return all.empty() ? 0 : static_cast<double>(ranks) / countOf(all);
}

}  // namespace

Patience patienceFor(const Directory& directory, Rank me, const Settings& settings) {
  const ProcessInfo& mine = directory.process(me);
  const bool crowded = ranksPerCore(tenants(directory, &ProcessInfo::host)[mine.host]) > 1 ||
                       ranksPerCpu(tenants(directory, &ProcessInfo::machine)[mine.machine]) > 1;
  const bool atOnce = settings.paths.sleep == Path::on;
  const Duration awake = atOnce ? Duration::zero() : crowded ? kAwakeCrowded : kAwake;
  if (settings.spin >= 0) return {.polls = settings.spin, .awake = awake};
  const bool gives = crowded || atOnce;
  return {.polls = gives ? 0 : kSpin, .awake = awake, .looks = !gives};
}

plan::LinkModel withContention(plan::LinkModel model, const Directory& directory) {
  double perCore = 1;
  for (const auto& [id, host] : tenants(directory, &ProcessInfo::host)) perCore = std::max(perCore, ranksPerCore(host));
  for (const auto& [id, machine] : tenants(directory, &ProcessInfo::machine))
    perCore = std::max(perCore, ranksPerCpu(machine));
  if (perCore <= 1) return model;
  // Every rank of a core runs once before a message is answered, and the core's time is shared.
  model.latency += perCore * kSwitchSeconds;
  if (model.bulkLatency > 0) model.bulkLatency += perCore * kSwitchSeconds;
  model.ranksPerCore = perCore;
  return model;
}

}  // namespace atl
