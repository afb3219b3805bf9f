// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/declared_keys.h"

#include "src/base/log.h"

namespace atl::rdma {

const Keys* DeclaredKeys::find(const void* memory, std::size_t bytes) {
  const auto area = findDeclared(memory, bytes);
  if (!area) return nullptr;
  auto found = byArea_.find(area->id);
  if (found == byArea_.end()) {
    std::erase_if(byArea_, [](const auto& entry) { return !isDeclared(entry.first); });
    found = byArea_.emplace(area->id, Entry{*area, {}, 0, false}).first;
  }
  Entry& entry = found->second;
  complete(entry);
  return entry.refused ? nullptr : &entry.keys;
}

void DeclaredKeys::complete(const Keys& keys) {
  for (auto& [id, entry] : byArea_) {
    if (&entry.keys == &keys) complete(entry);
  }
}

void DeclaredKeys::complete(Entry& entry) const {
  for (; entry.devices < nics_.size() && !entry.refused; ++entry.devices) {
    const auto pair = nics_[entry.devices]->keysOf(entry.area, order_);
    if (!pair.ok()) {
      log::warn("{}: messages there are copied instead", pair.error().text);
      entry.refused = true;
      return;
    }
    entry.keys.local[entry.devices] = pair->local;
    entry.keys.remote[entry.devices] = pair->remote;
  }
}

}  // namespace atl::rdma
