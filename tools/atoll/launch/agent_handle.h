// SPDX-License-Identifier: Apache-2.0
// An agent as the launcher holds it: a process of ours (a fork, or ssh) and the conversation with it.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "tools/atoll/launch/frames.h"

namespace atl::launch {

struct AgentHandle {
  pid_t pid = -1;
  FramePipe pipe;
};

/// Forks an agent for this host. `signalMask` is the one that ranks are to start with. The calling process must have
/// one thread.
Result<AgentHandle> forkAgent(const sigset_t& signalMask);

/// Starts `remoteShell… host program run --agent`. What the remote shell says on standard error goes to ours.
Result<AgentHandle> remoteAgent(const std::vector<std::string>& remoteShell, const std::string& host,
                                const std::string& program, const sigset_t& signalMask);

}  // namespace atl::launch
