// SPDX-License-Identifier: Apache-2.0
// Which host this is, and on which machine: processes of one host share a kernel and a network namespace.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/settings.h"

namespace atl {

/// Hash of the boot id, the UTS host name and the network namespace; or of ATOLL_HOSTID where the user sets it.
/// Containers on one machine differ when they have networks of their own, and then neither abstract sockets nor
/// loopback join them.
std::uint64_t hostIdentity(const Settings& settings);

/// Hash of the boot id: equal where processes share a kernel, and so its CPUs, also as hosts of their own.
std::uint64_t machineIdentity();

/// The UTS host name, for people; "?" when the system gives none.
std::string hostName();

}  // namespace atl
