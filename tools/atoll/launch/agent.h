// SPDX-License-Identifier: Apache-2.0
// The agent: starts the ranks of one host, carries their output, input and signals, and leaves nothing behind. This
// host's agent is a fork of `atoll run`; the others are `atoll run --agent`, started there by ssh.
#pragma once

#include "tools/atoll/launch/frames.h"

namespace atl::launch {

/// Serves one job and returns the process's exit code. When the launcher closes the conversation, every rank is ended.
/// The process must have one thread.
int serveAgent(FramePipe pipe);

}  // namespace atl::launch
