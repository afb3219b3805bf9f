// SPDX-License-Identifier: Apache-2.0
// What Atoll sees of this machine and this build, as lines for people.
#pragma once

#include <string>

#include "src/base/settings.h"

namespace atl::tools {

/// Version, compiler, and what is on or why it is off.
std::string describeBuild();

/// Packages, cores, caches, and how many CPUs this process may use.
std::string describeHost(const Settings& settings);

/// Every interface address, with those marked that peers would be offered, and why these.
std::string describeNetwork(const Settings& settings);

/// The launcher that the environment speaks of.
std::string describeLaunch();

}  // namespace atl::tools
