// SPDX-License-Identifier: Apache-2.0
// What an agent is told to run on its host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/base/types.h"

namespace atl::launch {

struct HostJob {
  std::vector<std::string> command;
  std::string directory;                 ///< where to run it
  std::vector<std::string> environment;  ///< NAME=VALUE, on top of what the agent has
  Rank first = 0;                        ///< first of this host's ranks, which are consecutive
  Rank count = 0;                        ///< how many of them
  Rank ranks = 0;                        ///< of the whole job
  double graceSeconds = 5;               ///< between SIGTERM and SIGKILL
};

/// CBOR, because arguments and variables are bytes that need not be text, with Atoll's version in it; the inverse
/// refuses another version.
std::string encode(const HostJob& job);
Result<HostJob> decodeHostJob(std::string_view bytes);

}  // namespace atl::launch
