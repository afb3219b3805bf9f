// SPDX-License-Identifier: Apache-2.0
#include "transports/transport.h"

#include <algorithm>

#include "src/base/log.h"
#include "transports/registry.h"

namespace atl {

std::vector<std::unique_ptr<Transport>> makeTransports(const TransportContext& context, std::uint32_t among) {
  std::vector<std::unique_ptr<Transport>> transports;
  for (const auto name : kTransportPreference) {
    if ((transportBit(name) & among) == 0) continue;
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

namespace {

/// Why this process does not have a transport that there is, or nothing.
std::string whyAbsent(std::string_view name) {
  for (const auto& registered : registeredTransports()) {
    if (registered.name == name) return registered.whyAbsent == nullptr ? "" : registered.whyAbsent();
  }
  return "this build does not have it";
}

}  // namespace

Result<std::string> transportsAtHand(const std::string& names) {
  Settings settings;
  settings.transports = names;
  const auto allowed = allowedTransports(settings);
  // A wrong name is reported where the list is put to use.
  if (!allowed.ok() || names.find_first_not_of(", ") == std::string::npos) return names;
  std::string atHand;
  std::string reasons;
  for (const auto name : kTransportNames) {
    if ((*allowed & transportBit(name)) == 0) continue;
    const std::string reason = whyAbsent(name);
    std::string& list = reason.empty() ? atHand : reasons;
    list += list.empty() ? "" : reason.empty() ? "," : "; ";
    list += reason.empty() ? std::string(name) : fmt::format("{}: {}", name, reason);
  }
  if (atHand.empty()) {
    return makeError(ErrorCode::unsupported, "this process has none of the transports '{}' (ATOLL_TRANSPORT): {}",
                     names, reasons);
  }
  if (!reasons.empty()) log::warn("of the transports '{}' this process uses {} only: {}", names, atHand, reasons);
  return atHand;
}

Result<Transport*> agree(const std::vector<std::unique_ptr<Transport>>& transports, const ProcessInfo& a,
                         const ProcessInfo& b, std::uint32_t among) {
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
  for (const auto name : kTransportPreference) {
    const bool built =
        std::ranges::any_of(transports, [&](const auto& transport) { return transport->name() == name; });
    if (!built && ((a.transports | b.transports) & among & transportBit(name)) != 0)
      reasons += fmt::format("; {}: this build does not have it", name);
  }
  return makeError(ErrorCode::unsupported, "no transport joins host {} (pid {}) and host {} (pid {}): {}", a.hostName,
                   a.pid, b.hostName, b.pid, reasons);
}

}  // namespace atl
