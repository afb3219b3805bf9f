// SPDX-License-Identifier: Apache-2.0
// What this process says of itself to the others.
#pragma once

#include "src/base/result.h"
#include "src/base/settings.h"
#include "src/bootstrap/directory.h"

namespace atl {

/// A random number that tells this process from every other.
std::uint64_t processNumber();

/// This process as it appears in directories. Without `listening` it can be reached by nobody: for groups that live in
/// it.
ProcessInfo describeProcess(const Settings& settings, std::uint32_t transports);

/// The same, with its endpoints: begins to listen on the addresses that the settings choose and on a local socket.
Result<ProcessInfo> describeListeningProcess(const Settings& settings);

}  // namespace atl
