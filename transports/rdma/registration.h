// SPDX-License-Identifier: Apache-2.0
// Memory that a device may read and write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "transports/rdma/api.h"

namespace atl::rdma {

class Nic;

/// Of the device's writes to memory, as the bus carries them out.
enum class WriteOrder : std::uint8_t {
  kept,
  free,  ///< for data that nobody looks at before a completion says that it is there; some hosts are faster so
};

/// As long as this lives. The device outlives it.
class Registration {
 public:
  /// Of memory that stays where it is. Peers may write to it. Nothing on a device that is gone, which needs none. A
  /// device that refuses a free order keeps it.
  static Result<std::optional<Registration>> make(Nic& nic, void* memory, std::size_t bytes, WriteOrder order);
  Registration(Registration&& other) noexcept;
  Registration& operator=(Registration&& other) noexcept;
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration();

  [[nodiscard]] std::uint32_t localKey() const { return region_->lkey; }
  [[nodiscard]] std::uint32_t remoteKey() const { return region_->rkey; }

 private:
  Registration(const Api& api, ibv_mr* region) : api_(&api), region_(region) {}
  static ibv_mr* makeFree(Nic& nic, void* memory, std::size_t bytes);

  const Api* api_;
  ibv_mr* region_;
};

}  // namespace atl::rdma
