// SPDX-License-Identifier: Apache-2.0
// `atoll run`: starts an agent on each host, carries output, input, signals and the rendezvous between them, and turns
// the ends of all ranks into one exit code.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"
#include "tools/atoll/launch/hosts.h"

namespace atl::launch {

struct LaunchOptions {
  std::vector<std::string> command;
  std::vector<HostShare> hosts;
  std::vector<std::string> exports;  ///< NAME or NAME=VALUE, for remote hosts beside ATOLL_*
  std::string remoteShell = "ssh";   ///< words, put before HOST COMMAND
  std::string remoteProgram;         ///< path of atoll there; empty: the same as here
  double timeoutSeconds = 0;         ///< of the whole job; 0 for none
  double graceSeconds = 5;           ///< between SIGTERM and SIGKILL
  bool prefix = true;                ///< rank in front of each line
  bool keepGoing = false;            ///< a rank's failure does not end the others
};

/// Exit code of a job that ran into its time limit, as timeout(1) has it.
inline constexpr int kTimedOut = 124;

/// Runs the job and returns its exit code: 0, or that of the rank that failed first (a death by signal within a second
/// of another rank's failure counts as the first: 128 + the signal's number for one that was killed, 127 for a program
/// that could not be started), or kTimedOut. The process must have one thread. Errors are of the launcher's own making;
/// everything that happens to a rank is told on standard error.
Result<int> launch(const LaunchOptions& options);

}  // namespace atl::launch
