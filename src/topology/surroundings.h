// SPDX-License-Identifier: Apache-2.0
// Where in its host a process is, and what may stand between it and the truth.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

/// The package (socket) that all CPUs of this process's affinity belong to; −1 where they belong to several, or the
/// system does not say. `cpus` is sysfs's folder of CPUs.
int boundPackage(const std::string& cpus = "/sys/devices/system/cpu");

/// The NVLink fabric that this process's accelerators belong to, if they all belong to one that reaches over several
/// hosts; 0 otherwise. Asked once a process.
std::uint64_t fabricIdentity();

/// Reasons why what the system shows may not be the machine's real shape: a hypervisor, a container. One clause each.
std::vector<std::string> disguises();

}  // namespace atl
