// SPDX-License-Identifier: Apache-2.0
#include "transports/link_stream.h"

#include <algorithm>

namespace atl {

std::unique_ptr<PendingStream> openStream(const TransportContext& context, Rank peer, int lane, Switchboard::Via via,
                                          Deadline deadline, std::uint16_t index) {
  const auto [lower, higher] = std::minmax(context.rank, peer);
  const StreamKey key{context.communicator, lower, higher, static_cast<std::uint16_t>(lane), index};
  auto& switchboard = context.switchboard != nullptr ? *context.switchboard : Switchboard::instance();
  return switchboard.open(key, context.rank, *context.directory, via, deadline);
}

Switchboard::Via viaBetween(const ProcessInfo& a, const ProcessInfo& b) {
  const bool local = a.host == b.host && !a.localName.empty() && !b.localName.empty();
  return local ? Switchboard::Via::local : Switchboard::Via::tcp;
}

std::string whyNoTcpStream(const ProcessInfo& a, const ProcessInfo& b, std::string_view purpose) {
  for (const auto* process : {&a, &b}) {
    if (process->addresses.empty()) {
      return fmt::format("pid {} on host {} listens on no address{}", process->pid, process->hostName, purpose);
    }
  }
  return "";
}

}  // namespace atl
