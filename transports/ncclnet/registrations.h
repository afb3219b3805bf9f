// SPDX-License-Identifier: Apache-2.0
// Declared memory that is registered with connections: each time with one of them, since few plug-ins know memory on
// all. It is deregistered when its declaration ends, not later, for plug-ins may take memory at the same address for
// the same memory.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "transports/declared_memory.h"
#include "transports/ncclnet/comm.h"

namespace atl::ncclnet {

/// One a process; any thread.
class Registrations {
 public:
  static Registrations& instance();

  /// Registers it at the first time. Nothing: the plug-in refuses, which is warned of once.
  std::optional<Registration> of(Comm& comm, const DeclaredArea& area);
  /// Before the connection is closed.
  void drop(Comm& comm);

 private:
  Registrations();
  void forget(std::uint64_t declaration);
  static void deregister(const Comm& comm, Registration registration);

  std::mutex mutex_;
  std::map<std::pair<std::uint64_t, Comm*>, std::optional<Registration>> known_;
};

}  // namespace atl::ncclnet
