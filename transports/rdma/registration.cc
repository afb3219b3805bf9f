// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/registration.h"

#include <cerrno>
#include <utility>

#include "transports/rdma/nic.h"

namespace atl::rdma {

namespace {

constexpr unsigned kAccess = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE;

}  // namespace

Result<std::optional<Registration>> Registration::make(Nic& nic, void* memory, std::size_t bytes, WriteOrder order) {
  ibv_mr* region = order == WriteOrder::free ? makeFree(nic, memory, bytes) : nullptr;
  if (region == nullptr) region = nic.api().regMr(nic.protectionDomain(), memory, bytes, static_cast<int>(kAccess));
  if (region != nullptr) return std::optional(Registration(nic.api(), region));
  const int error = errno;
  nic.hearEvents();
  if (nic.isLost()) return std::optional<Registration>();
  return failure(error, fmt::format("{} cannot register {} bytes", nic.name(), bytes));
}

// By the call that knows of optional flags: it leaves them out where the kernel does not know them. A device that knows
// the flag and cannot do it says so each time, and is asked once.
ibv_mr* Registration::makeFree(Nic& nic, void* memory, std::size_t bytes) {
  if (nic.keepsOrder()) return nullptr;
  const auto address = reinterpret_cast<std::uint64_t>(memory);
  ibv_mr* const region =
      nic.api().regMrIova2(nic.protectionDomain(), memory, bytes, address, kAccess | IBV_ACCESS_RELAXED_ORDERING);
  if (region == nullptr && (errno == EINVAL || errno == EOPNOTSUPP)) nic.keepOrder();
  return region;
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
