// SPDX-License-Identifier: Apache-2.0
// The network interfaces of this host and the choice among them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/base/settings.h"

namespace atl {

/// One address of one interface. IPv4 addresses are IPv4-mapped IPv6 (::ffff:a.b.c.d).
struct InterfaceAddress {
  std::string interface;  ///< "eth0"
  std::array<std::uint8_t, 16> ip{};
  std::uint16_t scope = 0;  ///< interface index of a link-local IPv6 address; otherwise 0
  int prefixBits = 128;     ///< of the 128; an IPv4 /24 is 120
  bool up = false;
  bool loopback = false;
  bool virtualBridge = false;  ///< docker0, virbr0 and their like: reach guests of this host only
  int megabitsPerSecond = 0;   ///< 0: the driver does not say

  [[nodiscard]] bool isIpv4() const;
  [[nodiscard]] bool isLinkLocal() const;
  [[nodiscard]] std::string text() const;  ///< "10.0.0.1", "fe80::1"
};

/// All addresses of all interfaces, in the system's order.
Result<std::vector<InterfaceAddress>> networkInterfaces();

/// The addresses to offer to peers, best first, and why these.
struct AddressChoice {
  std::vector<InterfaceAddress> addresses;
  /// The first so many are worth using side by side: as fast as the best, of its family, each of another interface.
  std::size_t rails = 0;
  std::string reason;
};

/// Chooses by settings.interfaces and settings.addressFamily. Without them: interfaces that are up, without loopback,
/// link-local addresses and virtual bridges, faster ones first; loopback only when there is nothing else.
/// `interfaces` is a list such as "eth,ib" (prefixes), "=eth0" (exact), "^docker,lo" (all but these), "10.0.0.0/8"
/// (networks). A choice that leaves nothing is an error that names the setting and what there is.
Result<AddressChoice> chooseAddresses(std::span<const InterfaceAddress> available, const Settings& settings);

}  // namespace atl
