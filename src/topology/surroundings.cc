// SPDX-License-Identifier: Apache-2.0
#include "src/topology/surroundings.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "src/topology/nvml.h"
#include "src/topology/usable_cores.h"

namespace atl {
namespace {

int packageOf(const std::string& cpus, int cpu) {
  std::ifstream file(fmt::format("{}/cpu{}/topology/physical_package_id", cpus, cpu));
  int package = -1;
  file >> package;
  return file ? package : -1;
}

bool cpuFlag(const std::string& wanted) {
  std::ifstream file("/proc/cpuinfo");
  std::string word;
  while (file >> word) {
    if (word == wanted) return true;
    if (word == "bugs") return false;  // flags of the first CPU are enough
  }
  return false;
}

bool inContainer() {
  if (::access("/.dockerenv", F_OK) == 0 || ::access("/run/.containerenv", F_OK) == 0) return true;
  std::ifstream file("/proc/1/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    for (const char* sign : {"/docker", "/kubepods", "/lxc", "/containerd"}) {
      if (line.find(sign) != std::string::npos) return true;
    }
  }
  return false;
}

}  // namespace

int boundPackage(const std::string& cpus) {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return -1;  // more CPUs than the set has room for: bound to none
  int package = -1;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &set)) continue;
    const int mine = packageOf(cpus, cpu);
    if (mine < 0 || (package >= 0 && mine != package)) return -1;
    package = mine;
  }
  return package;
}

std::uint64_t fabricIdentity() {
  static const std::uint64_t identity = [] {
    const NvmlReading reading = readNvml();
    if (reading.devices.empty()) return std::uint64_t{0};
    const std::uint64_t first = reading.devices.front().fabric;
    const bool one = std::ranges::all_of(reading.devices, [&](const NvmlDevice& d) { return d.fabric == first; });
    return one ? first : 0;
  }();
  return identity;
}

std::vector<std::string> disguises() {
  std::vector<std::string> found;
  if (cpuFlag("hypervisor")) {
    found.emplace_back("a hypervisor runs this machine: packages, caches and PCI devices are those that it shows");
  }
  if (inContainer()) {
    found.emplace_back("this is a container: devices and interfaces that were not given to it are hidden");
  }
  return found;
}

}  // namespace atl
