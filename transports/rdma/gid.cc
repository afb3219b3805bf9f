// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/gid.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace atl::rdma {
namespace {

constexpr std::size_t kMappedBytes = 12;

bool isMappedIpv4(const Gid& gid) {
  return std::all_of(gid.begin(), gid.begin() + 10, [](auto byte) { return byte == 0; }) && gid[10] == 0xff &&
         gid[11] == 0xff;
}

bool isLinkLocal(const Gid& gid) {
  return gid[0] == 0xfe && (gid[1] & 0xc0) == 0x80;
}

/// A link-local address has only zeros behind its prefix where nobody has set it yet.
bool isAbsent(const Gid& gid) {
  const auto begin = isLinkLocal(gid) ? gid.begin() + 8 : gid.begin();
  return std::all_of(begin, gid.end(), [](auto byte) { return byte == 0; });
}

int scoreOf(const GidEntry& entry) {
  const int byAddress = isMappedIpv4(entry.gid) ? 2 : (isLinkLocal(entry.gid) ? 0 : 1);
  return (entry.type == GidEntry::Type::roceV2 ? 3 : 0) + byAddress;
}

std::string_view nameOf(GidEntry::Type type) {
  switch (type) {
    case GidEntry::Type::infiniband: return "InfiniBand";
    case GidEntry::Type::roceV1: return "RoCEv1";
    case GidEntry::Type::roceV2: return "RoCEv2";
  }
  return "?";
}

}  // namespace

std::string textOf(const Gid& gid) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (isMappedIpv4(gid)) {
    ::inet_ntop(AF_INET, &gid[kMappedBytes], text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET6, gid.data(), text.data(), text.size());
  }
  return text.data();
}

std::string describe(const GidEntry& entry) {
  return fmt::format("gid {}, {} {}", entry.index, nameOf(entry.type), textOf(entry.gid));
}

std::vector<GidEntry> inOrderOfUse(std::vector<GidEntry> table) {
  std::erase_if(table, [](const GidEntry& entry) { return isAbsent(entry.gid); });
  std::ranges::stable_sort(table, std::ranges::greater{}, scoreOf);
  return table;
}

}  // namespace atl::rdma
