// SPDX-License-Identifier: Apache-2.0
// Memory of one rank's device as another rank's device reaches it: by its address within a process, by CUDA IPC between
// processes of a host.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "src/base/result.h"

namespace atl::p2p {

/// What a rank publishes of an allocation of its own. Plain bytes, sent to peers.
struct Exported {
  std::uint64_t process = 0;  ///< of its owner (ProcessInfo::id)
  std::uint64_t host = 0;     ///< of its owner (ProcessInfo::host)
  std::uint64_t address = 0;  ///< in the owner's address space, of the allocation
  std::int32_t device = 0;    ///< the owner's number for it
  std::int32_t exported = 0;  ///< not 0: `handle` is valid
  std::array<char, 16> uuid{};
  std::array<char, 64> handle{};  ///< a cudaIpcMemHandle_t
};

/// Describes an allocation (its beginning) of this process on `device`.
Result<Exported> exportMemory(const std::byte* allocation, int device, std::uint64_t process, std::uint64_t host);

/// Memory of peers that is mapped here, each allocation once. Not thread-safe.
class Imports {
 public:
  /// `device` is this rank's; `process` and `host` are its own too.
  Imports(int device, std::uint64_t process, std::uint64_t host) : device_(device), process_(process), host_(host) {}
  ~Imports();
  Imports(const Imports&) = delete;
  Imports& operator=(const Imports&) = delete;

  /// Where this rank's device finds a peer's allocation. An error says why it cannot: no peer access between the
  /// devices, other hosts.
  Result<std::byte*> reach(const Exported& memory);

  /// Whether a peer on this device of this process reads every allocation of mine where it is.
  [[nodiscard]] bool sharesAllWith(const Exported& memory) const {
    return memory.process == process_ && memory.device == device_;
  }

 private:
  int device_;
  std::uint64_t process_;
  std::uint64_t host_;
  std::map<std::array<char, 64>, void*> opened_;  ///< by handle
};

}  // namespace atl::p2p
