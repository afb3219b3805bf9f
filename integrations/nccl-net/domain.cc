// SPDX-License-Identifier: Apache-2.0
#include "integrations/nccl-net/domain.h"

namespace atl::netplugin {
namespace {

constexpr Rank kSelf = 0;
/// Of the two ends of a connection.
constexpr Rank kSender = 0;
constexpr Rank kReceiver = 1;

}  // namespace

Domain::Domain(const Device& device, ProcessInfo self)
    : self_(std::move(self)), settings_(device.settings), streams_(*this) {
  directory_.processes.push_back(self_);
  directory_.processOf.push_back(0);
  context_.rank = kSelf;
  context_.directory = &directory_;
  context_.settings = &settings_;
  context_.switchboard = &streams_;
}

Result<std::shared_ptr<Domain>> Domain::create(const Device& device, ProcessInfo self) {
  std::shared_ptr<Domain> domain(new Domain(device, std::move(self)));
  for (auto& transport : makeTransports(domain->context_)) {
    if (transport->name() == device.transport) domain->transport_ = std::move(transport);
  }
  if (domain->transport_ != nullptr) return domain;
  return makeError(ErrorCode::unsupported, "this build does not have the transport {}", device.transport);
}

std::pair<Rank, std::unique_ptr<PendingLink>> Domain::connect(Route route) {
  Rank peer = 0;
  if (unused_.empty()) {
    peer = directory_.ranks();
    directory_.processOf.push_back(static_cast<std::uint32_t>(directory_.processes.size()));
    directory_.processes.emplace_back();
  } else {
    peer = unused_.back();
    unused_.pop_back();
  }
  directory_.processes[static_cast<std::size_t>(peer)] = route.peer;
  routes_[peer] = std::move(route);
  return {peer, transport_->connect(peer, 0)};
}

void Domain::forget(Rank peer) {
  routes_.erase(peer);
  unused_.push_back(peer);
}

std::unique_ptr<PendingStream> Domain::Streams::open(const StreamKey& key, Rank /*me*/, const Directory& /*directory*/,
                                                     Via via, Deadline deadline) {
  const Route& route = domain_.routes_.at(key.higher);
  const ProcessInfo& self = domain_.self_;
  Directory pair;
  pair.processes = {route.sends ? self : route.peer, route.sends ? route.peer : self};
  pair.processOf = {0, 1};
  pair.secret = route.secret;
  const StreamKey named{route.connection, kSender, kReceiver, key.lane, key.index};
  return Switchboard::instance().open(named, route.sends ? kSender : kReceiver, pair, via, deadline);
}

}  // namespace atl::netplugin
