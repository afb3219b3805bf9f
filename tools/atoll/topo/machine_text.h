// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "src/topology/machine.h"

namespace atl::tools {

/// "eth0 at 0000:00:03.0, 12.5 GB/s".
std::string deviceText(const MachineDevice& device);

/// The machine as a tree of packages and devices, and the remarks.
std::string machineText(const Machine& machine);

}  // namespace atl::tools
