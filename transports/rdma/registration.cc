// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/registration.h"

#include <cerrno>
#include <utility>

#include "transports/rdma/nic.h"

namespace atl::rdma {

Result<std::optional<Registration>> Registration::make(Nic& nic, void* memory, std::size_t bytes) {
  ibv_mr* const region =
      nic.api().regMr(nic.protectionDomain(), memory, bytes, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
  if (region != nullptr) return std::optional(Registration(nic.api(), region));
  const int error = errno;
  nic.hearEvents();
  if (nic.isLost()) return std::optional<Registration>();
  return failure(error, fmt::format("{} cannot register {} bytes", nic.name(), bytes));
}

Registration::Registration(Registration&& other) noexcept
    : api_(other.api_), region_(std::exchange(other.region_, nullptr)) {}

Registration& Registration::operator=(Registration&& other) noexcept {
  std::swap(api_, other.api_);
  std::swap(region_, other.region_);
  return *this;
}

Registration::~Registration() {
  if (region_ != nullptr) api_->deregMr(region_);
}

}  // namespace atl::rdma
