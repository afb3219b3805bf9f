// SPDX-License-Identifier: Apache-2.0
// A transport of Atoll's as connections of NCCL's use it. To the transport this process is rank 0, and each
// connection's other end a rank of its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "integrations/nccl-net/devices.h"
#include "src/bootstrap/switchboard.h"
#include "transports/transport.h"

namespace atl::netplugin {

/// How the two ends of a connection find each other. The sender is rank 0 there, as the one that dials.
struct Route {
  std::uint64_t connection = 0;
  Secret secret{};
  bool sends = false;
  ProcessInfo peer;
};

/// Links of a domain may share queues and memory, and threads of NCCL's come to them as they like: so whatever is done
/// with one, or with the domain, is done while its mutex is held.
class Domain {
 public:
  /// The error says why the transport cannot be had.
  static Result<std::shared_ptr<Domain>> create(const Device& device, ProcessInfo self);
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  std::mutex mutex;

  /// This process, as peers reach it. It never changes.
  [[nodiscard]] const ProcessInfo& self() const { return self_; }

  /// A link on its way, and the rank by which it goes until forget().
  std::pair<Rank, std::unique_ptr<PendingLink>> connect(Route route);
  void forget(Rank peer);

 private:
  /// Streams of all connections, each with the secret and by the names of its own.
  class Streams : public Switchboard {
   public:
    explicit Streams(Domain& domain) : domain_(domain) {}
    std::unique_ptr<PendingStream> open(const StreamKey& key, Rank me, const Directory& directory, Via via,
                                        Deadline deadline) override;

   private:
    Domain& domain_;
  };

  Domain(const Device& device, ProcessInfo self);

  const ProcessInfo self_;
  Settings settings_;
  Directory directory_;  ///< rank 0 is this process
  Streams streams_;
  TransportContext context_;
  std::map<Rank, Route> routes_;
  std::vector<Rank> unused_;
  std::unique_ptr<Transport> transport_;
};

}  // namespace atl::netplugin
