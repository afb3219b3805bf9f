// SPDX-License-Identifier: Apache-2.0
// How many CPUs this process may keep busy: its affinity, cut by the CPU quota of its control group.
#pragma once

#include <string>
#include <string_view>

#include "src/topology/cpu_list.h"

namespace atl {

/// The CPUs that this process's affinity allows; empty if the kernel does not say.
CpuList allowedCpus();

/// At least 1.
int usableCores();

/// CPUs that a control-group tree allows, looking up from `group` to the root of `mount` and taking the least: version
/// 2 reads cpu.max, version 1 reads cpu.cfs_quota_us and cpu.cfs_period_us. 0: no quota.
double groupQuota(const std::string& mount, std::string_view group);

}  // namespace atl
