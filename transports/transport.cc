// SPDX-License-Identifier: Apache-2.0
#include "transports/transport.h"

#include "transports/registry.h"

namespace atl {

std::vector<std::unique_ptr<Transport>> makeTransports(const TransportContext& context) {
  std::vector<std::unique_ptr<Transport>> transports;
  for (const auto name : kTransportNames) {
    for (const auto& registered : registeredTransports()) {
      if (registered.name == name) transports.push_back(registered.make(context));
    }
  }
  return transports;
}

std::uint32_t builtTransports() {
  std::uint32_t bits = 0;
  for (const auto& registered : registeredTransports()) bits |= transportBit(registered.name);
  return bits;
}

Result<Transport*> agree(const std::vector<std::unique_ptr<Transport>>& transports, const ProcessInfo& a,
                         const ProcessInfo& b) {
  std::string reasons;
  for (const auto& transport : transports) {
    const auto bit = transportBit(transport->name());
    std::string reason;
    if ((a.transports & bit) == 0 || (b.transports & bit) == 0) {
      const auto& refuser = (a.transports & bit) == 0 ? a : b;
      reason = fmt::format("not among the transports of host {} (pid {}); see ATOLL_TRANSPORT there", refuser.hostName,
                           refuser.pid);
    } else {
      reason = transport->whyNot(a, b);
    }
    if (reason.empty()) return transport.get();
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", transport->name(), reason);
  }
  if (reasons.empty()) reasons = "this build has none";
  return makeError(ErrorCode::unsupported, "no transport joins host {} (pid {}) and host {} (pid {}): {}", a.hostName,
                   a.pid, b.hostName, b.pid, reasons);
}

}  // namespace atl
