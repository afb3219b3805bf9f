// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/declared_keys.h"

#include "src/base/log.h"

namespace atl::rdma {

const Keys* DeclaredKeys::find(const void* memory, std::size_t bytes) {
  const auto area = findDeclared(memory, bytes);
  if (!area) return nullptr;
  auto found = byDeclaration_.find(area->id);
  if (found == byDeclaration_.end()) {
    std::erase_if(byDeclaration_, [](const auto& entry) { return !isDeclared(entry.first); });
    found = byDeclaration_.emplace(area->id, registered(*area)).first;
  }
  return found->second ? &*found->second : nullptr;
}

std::optional<Keys> DeclaredKeys::registered(const DeclaredArea& area) const {
  Keys keys;
  for (std::size_t device = 0; device < nics_.size(); ++device) {
    const auto pair = nics_[device]->keysOf(area, order_);
    if (!pair.ok()) {
      log::warn("{}: messages there are copied instead", pair.error().text);
      return std::nullopt;
    }
    keys.local[device] = pair->local;
    keys.remote[device] = pair->remote;
  }
  return keys;
}

}  // namespace atl::rdma
