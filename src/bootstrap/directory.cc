// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/directory.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace atl {

std::string NetAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  const bool mapped =
      std::all_of(ip.begin(), ip.begin() + 10, [](auto b) { return b == 0; }) && ip[10] == 0xff && ip[11] == 0xff;
  const char* const done = mapped ? ::inet_ntop(AF_INET, &ip[12], buffer.data(), buffer.size())
                                  : ::inet_ntop(AF_INET6, ip.data(), buffer.data(), buffer.size());
  if (done == nullptr) return "?";
  return mapped ? fmt::format("{}:{}", done, port) : fmt::format("[{}]:{}", done, port);
}

std::size_t Directory::placeOnHost(Rank rank) const {
  const ProcessInfo& mine = process(rank);
  std::size_t place = 0;
  for (const ProcessInfo& other : processes) {
    if (other.id == mine.id) break;
    if (other.host == mine.host) ++place;
  }
  return place;
}

std::string Directory::name(Rank rank) const {
  const auto& owner = process(rank);
  return fmt::format("rank {} (host {}, pid {})", rank, owner.hostName, owner.pid);
}

}  // namespace atl
