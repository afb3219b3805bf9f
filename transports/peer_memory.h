// SPDX-License-Identifier: Apache-2.0
// Shareable memory of another process of this host, mapped here when a message first refers to it. Mapped to be written
// too: the owner may offer a place for what it is to receive.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>

#include "src/base/result.h"
#include "transports/shareable_memory.h"
#include "transports/shared_memory.h"

namespace atl {

/// Shared by all links to the process. Thread-safe.
class PeerMemory {
 public:
  /// The memory of a process: `process` is its random number, `pid` what the kernel calls it here. It has open, as
  /// number `descriptor`, the file that `sample` is open on here. Null if this process may not open that one's files:
  /// then its memory cannot be mapped without its help.
  static std::shared_ptr<PeerMemory> of(std::uint64_t process, pid_t pid, int descriptor, int sample);

  explicit PeerMemory(pid_t pid) : pid_(pid) {}

  /// The whole area in which `place` lies, which stays mapped as long as this lives. An error if the peer does not have
  /// that memory, or not any more.
  Result<std::span<std::byte>> area(const SharedPlace& place);

 private:
  pid_t pid_;
  std::mutex mutex_;
  std::map<std::uint64_t, SharedMemory> areas_;
};

}  // namespace atl
