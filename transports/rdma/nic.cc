// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/nic.h"

#include <cerrno>
#include <fstream>
#include <map>
#include <mutex>
#include <utility>

namespace atl::rdma {
namespace {

int nodeOf(const std::string& device) {
  std::ifstream file("/sys/class/infiniband/" + device + "/device/numa_node");
  int node = -1;
  return file >> node ? node : -1;
}

}  // namespace

Result<std::vector<std::shared_ptr<Nic>>> Nic::openAll(std::vector<std::string>& refused) {
  ATOLL_ASSIGN(const Api* const api, rdma::api());
  int count = 0;
  ibv_device** const list = api->getDeviceList(&count);
  if (list == nullptr) return failure(errno, "libibverbs cannot list the machine's devices");
  std::vector<std::shared_ptr<Nic>> nics;
  for (int i = 0; i < count; ++i) {
    auto nic = open(*api, list[i]);
    if (nic.ok()) {
      nics.push_back(std::move(nic).value());
    } else {
      refused.push_back(nic.error().text);
    }
  }
  api->freeDeviceList(list);
  return nics;
}

Result<std::shared_ptr<Nic>> Nic::open(const Api& api, ibv_device* device) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Nic>> open;
  const std::scoped_lock lock(mutex);
  std::string name = api.getDeviceName(device);
  auto& shared = open[name];
  if (auto nic = shared.lock()) return nic;
  std::shared_ptr<Nic> nic(new Nic(api, std::move(name)));
  ATOLL_TRY(nic->open(device));
  shared = nic;
  return nic;
}

Status Nic::open(ibv_device* device) {
  context_ = api_.openDevice(device);
  if (context_ == nullptr) {
    const int error = errno;
    return failure(error, fmt::format("{} cannot be opened{}", name_,
                                      error == ENOENT || error == EACCES || error == EPERM
                                          ? " (does this container have /dev/infiniband?)"
                                          : ""));
  }
  if (const int error = api_.queryDevice(context_, &attributes_); error != 0) {
    return failure(error, fmt::format("{} does not say what it can do", name_));
  }
  domain_ = api_.allocPd(context_);
  if (domain_ == nullptr) return failure(errno, fmt::format("{} gives no protection domain", name_));
  node_ = nodeOf(name_);
  return success();
}

Nic::~Nic() {
  if (domain_ != nullptr) api_.deallocPd(domain_);
  if (context_ != nullptr) api_.closeDevice(context_);
}

Result<Registration> Registration::make(std::shared_ptr<Nic> nic, void* memory, std::size_t bytes) {
  Registration registration;
  registration.region_ =
      nic->api().regMr(nic->protectionDomain(), memory, bytes, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
  if (registration.region_ == nullptr) {
    return failure(errno, fmt::format("{} cannot register {} bytes", nic->name(), bytes));
  }
  registration.nic_ = std::move(nic);
  return registration;
}

Registration::Registration(Registration&& other) noexcept
    : nic_(std::move(other.nic_)), region_(std::exchange(other.region_, nullptr)) {}

Registration& Registration::operator=(Registration&& other) noexcept {
  std::swap(nic_, other.nic_);
  std::swap(region_, other.region_);
  return *this;
}

Registration::~Registration() {
  if (region_ != nullptr) nic_->api().deregMr(region_);
}

}  // namespace atl::rdma
