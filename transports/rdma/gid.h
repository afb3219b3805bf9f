// SPDX-License-Identifier: Apache-2.0
// GIDs, a port's addresses: which of them to use.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace atl::rdma {

using Gid = std::array<std::uint8_t, 16>;

/// One row of a port's table.
struct GidEntry {
  enum class Type : std::uint8_t { infiniband, roceV1, roceV2 };
  int index = 0;
  Type type = Type::infiniband;
  Gid gid{};
};

/// "gid 3, RoCEv2 10.77.0.1".
std::string describe(const GidEntry& entry);
/// The address as people write it: "10.77.0.1" of a mapped IPv4 one, else as IPv6.
std::string textOf(const Gid& gid);

/// In the order in which to try them: RoCEv2 (which routers know) before RoCEv1, addresses mapped from IPv4 before
/// other global ones, and those before link-local ones, which reach no other network. Rows without an address are
/// dropped.
std::vector<GidEntry> inOrderOfUse(std::vector<GidEntry> table);

}  // namespace atl::rdma
