// SPDX-License-Identifier: Apache-2.0
// The desk of a rendezvous: what openRendezvous and rendezvousAt open in their process. It takes newcomers and hands
// them to the session that is forming.
#pragma once

#include <cstdint>
#include <memory>

#include "src/base/result.h"
#include "src/bootstrap/channel.h"
#include "src/bootstrap/reception.h"
#include "src/bootstrap/unique_id.h"

namespace atl {

class Forming;

class Desk final : public ChannelOwner, public std::enable_shared_from_this<Desk> {
 public:
  /// Opens the desk of an id in this process, listening on `port` too unless it is 0. One that is open is used again.
  static Status open(const IdFields& id, std::uint16_t port, const Settings& settings);
  /// The desk of a group, if this process has it. It stays open until everybody who claimed it has let go.
  static std::shared_ptr<Desk> claim(std::uint64_t group);

  Desk(IdFields id, std::uint16_t port, Settings settings);
  ~Desk() override;
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  Status onFrame(const std::shared_ptr<Channel>& channel, MessageType type, std::span<const std::byte> body) override;
  void onClosed(const std::shared_ptr<Channel>& channel, const Error& why) override;

  /// The session that newcomers of another protocol version spoil. On the service thread.
  void follow(const std::shared_ptr<Forming>& forming) { latest_ = forming; }

 private:
  void onNewcomer(Reception::Newcomer newcomer);
  Result<std::shared_ptr<Forming>> formingFor(const Enrol& enrol);

  IdFields id_;
  std::uint16_t port_;
  Settings settings_;
  GroupRegistration registration_;
  std::vector<std::shared_ptr<Channel>> newcomers_;  ///< have not enrolled yet; service thread
  std::weak_ptr<Forming> latest_;                    ///< service thread
};

}  // namespace atl
