// SPDX-License-Identifier: Apache-2.0
#include "src/topology/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

namespace atl {
namespace {

/// One group's own quota in CPUs; 0 for none.
double quotaOf(const std::string& folder) {
  if (std::ifstream file(folder + "/cpu.max"); file) {
    std::string quota;
    double period = 0;
    file >> quota >> period;
    if (quota == "max" || period <= 0) return 0;
    return std::max(0.0, std::strtod(quota.c_str(), nullptr) / period);
  }
  std::ifstream quotaFile(folder + "/cpu.cfs_quota_us");
  std::ifstream periodFile(folder + "/cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  quotaFile >> quota;
  periodFile >> period;
  return quota > 0 && period > 0 ? quota / period : 0;
}

/// This process's group as /proc/self/cgroup names it: version 2 has an empty controller list, version 1 names "cpu".
double ownQuota() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  double least = 0;
  while (std::getline(file, line)) {
    const auto first = line.find(':');
    const auto second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    double quota = 0;
    if (controllers == ",,") {
      quota = groupQuota("/sys/fs/cgroup", group);
    } else if (controllers.find(",cpu,") != std::string::npos) {
      quota = groupQuota("/sys/fs/cgroup/cpu", group);
    }
    if (quota > 0) least = least > 0 ? std::min(least, quota) : quota;
  }
  return least;
}

CpuList listOf(const cpu_set_t* set, std::size_t bytes) {
  CpuList list;
  for (std::size_t cpu = 0; cpu < bytes * 8 && cpu <= UINT16_MAX; ++cpu) {
    if (!CPU_ISSET_S(cpu, bytes, set)) continue;
    if (list.empty() || list.back().first + list.back().count != static_cast<int>(cpu)) {
      list.push_back({static_cast<std::uint16_t>(cpu), 0});
    }
    ++list.back().count;
  }
  return list;
}

}  // namespace

CpuList allowedCpus() {
  // The kernel refuses a mask smaller than its own, so the mask grows until it fits.
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 4) {
    cpu_set_t* const set = CPU_ALLOC(static_cast<std::size_t>(cpus));
    if (set == nullptr) break;
    const auto bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus));
    CpuList list;
    if (::sched_getaffinity(0, bytes, set) == 0) list = listOf(set, bytes);
    CPU_FREE(set);
    if (!list.empty()) return list;
  }
  return {};
}

double groupQuota(const std::string& mount, std::string_view group) {
  double least = 0;
  std::string path(group);
  for (;;) {
    while (!path.empty() && path.back() == '/') path.pop_back();
    const double quota = quotaOf(mount + path);
    if (quota > 0) least = least > 0 ? std::min(least, quota) : quota;
    if (path.empty()) return least;
    const auto slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
}

int usableCores() {
  const int listed = countOf(allowedCpus());
  const int allowed = listed > 0 ? listed : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const double quota = ownQuota();
  if (quota <= 0) return allowed;
  return std::clamp(static_cast<int>(std::ceil(quota)), 1, allowed);
}

}  // namespace atl
