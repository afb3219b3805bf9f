// SPDX-License-Identifier: Apache-2.0
// One rank's process, as its agent holds it.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <csignal>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/base/unique_fd.h"

namespace atl::launch {

/// How to start a process.
struct ChildSpec {
  std::vector<std::string> command;
  std::string directory;                 ///< empty: where the parent is
  std::vector<std::string> environment;  ///< NAME=VALUE on top of the parent's; a bare NAME removes it
  std::string channelVariable;           ///< variable that tells the child its channel's descriptor
  bool wantsInput = false;               ///< standard input is a pipe; otherwise it is empty
  sigset_t signalMask{};                 ///< that the child starts with
  rlim_t openFiles = 0;                  ///< its soft limit of descriptors; 0: the parent's
};

struct Child {
  pid_t pid = -1;  ///< also the number of its process group
  UniqueFd input;  ///< invalid when not wanted; non-blocking, as the others
  UniqueFd output;
  UniqueFd errors;
  UniqueFd channel;  ///< our end of the launcher channel
};

/// Starts a process in a group of its own that the kernel kills when this process dies. What the child fails at (no
/// such program, no such directory) is returned here, as errors with code unsupported; everything else that can fail is
/// a systemError.
Result<Child> startChild(const ChildSpec& spec);

}  // namespace atl::launch
