// SPDX-License-Identifier: Apache-2.0
#include "transports/ncclnet/registrations.h"

#include "src/base/log.h"

namespace atl::ncclnet {

Registrations& Registrations::instance() {
  static auto* const registrations = new Registrations;  // never destroyed: memory may be freed while the process ends
  return *registrations;
}

Registrations::Registrations() {
  whenAreasEnd([this](std::uint64_t area) { forget(area); });
}

std::optional<Registration> Registrations::of(Comm& comm, const DeclaredArea& area) {
  const std::scoped_lock lock(mutex_);
  const auto [entry, isNew] = known_.try_emplace({area.id, &comm});
  if (!isNew) return entry->second;
  const Context& context = comm.context();
  Registration registration = nullptr;
  const Code code = context.net().regMr(comm.handle(), area.begin, area.bytes, &registration);
  if (code == Code::success) {
    entry->second = registration;
  } else {
    log::warn("{}; messages in these {} bytes are copied instead",
              context.plugin().failure(ErrorCode::systemError, "regMr", code).text, area.bytes);
  }
  return entry->second;
}

void Registrations::deregister(const Comm& comm, Registration registration) {
  comm.warnIfFailed("deregMr", comm.context().net().deregMr(comm.handle(), registration));
}

void Registrations::drop(Comm& comm) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(known_, [&comm](const auto& entry) {
    if (entry.first.second != &comm) return false;
    if (entry.second) deregister(comm, *entry.second);
    return true;
  });
}

void Registrations::forget(std::uint64_t area) {
  const std::scoped_lock lock(mutex_);
  auto entry = known_.lower_bound({area, nullptr});
  while (entry != known_.end() && entry->first.first == area) {
    if (entry->second) deregister(*entry->first.second, *entry->second);
    entry = known_.erase(entry);
  }
}

}  // namespace atl::ncclnet
