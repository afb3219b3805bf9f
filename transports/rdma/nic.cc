// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/nic.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>

#include "src/base/log.h"
#include "src/topology/device_order.h"

namespace atl::rdma {
namespace {

/// Those of the process, as long as somebody uses them.
struct OpenNics {
  /// Never destroyed: declarations may end while the process ends.
  static OpenNics& instance() {
    static auto* const nics = [] {
      auto* const made = new OpenNics;
      whenAreasEnd([made](std::uint64_t area) { made->forget(area); });
      return made;
    }();
    return *nics;
  }

  void forget(std::uint64_t area) {
    std::vector<std::shared_ptr<Nic>> nics;
    {
      const std::scoped_lock lock(mutex);
      for (const auto& nic : all) nics.push_back(nic.lock());
    }
    for (const auto& nic : nics) {
      if (nic != nullptr) nic->forget(area);
    }
  }

  std::shared_ptr<Nic> find(std::string_view name) const {
    for (const auto& each : all) {
      auto nic = each.lock();
      if (nic != nullptr && nic->name() == name && !nic->isLost()) return nic;
    }
    return nullptr;
  }

  std::mutex mutex;
  std::vector<std::weak_ptr<Nic>> all;
};

}  // namespace

Result<std::vector<std::shared_ptr<Nic>>> Nic::openAll(std::vector<std::string>& refused,
                                                       const std::function<bool(std::string_view)>& isWanted) {
  ATOLL_ASSIGN(const Api* const api, rdma::api());
  int count = 0;
  ibv_device** const list = api->getDeviceList(&count);
  if (list == nullptr && errno == ENOSYS) {
    return makeError(ErrorCode::unsupported,
                     "the kernel of this machine has no RDMA (its module ib_uverbs is not loaded)");
  }
  if (list == nullptr) return failure(errno, "libibverbs cannot list the machine's devices");
  std::vector<std::shared_ptr<Nic>> nics;
  for (int i = 0; i < count; ++i) {
    if (!isWanted(api->getDeviceName(list[i]))) continue;
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
  OpenNics& open = OpenNics::instance();
  const std::scoped_lock lock(open.mutex);
  std::string name = api.getDeviceName(device);
  if (auto nic = open.find(name)) return nic;
  std::shared_ptr<Nic> nic(new Nic(api, std::move(name)));
  ATOLL_TRY(nic->open(device));
  std::erase_if(open.all, [](const auto& each) { return each.expired(); });
  open.all.push_back(nic);
  return nic;
}

Status Nic::open(ibv_device* device) {
  folder_ = folderBehind(std::string(device->ibdev_path) + "/device");
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
  const int flags = ::fcntl(context_->async_fd, F_GETFL);
  if (flags < 0 || ::fcntl(context_->async_fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    return systemError(errno, fmt::format("{}'s events cannot be polled", name_));
  }
  return success();
}

void Nic::hearEvents() {
  const std::unique_lock lock(events_, std::try_to_lock);
  if (!lock) return;
  ibv_async_event event{};
  while (api_.getAsyncEvent(context_, &event) == 0) {
    const bool ofPort = event.event_type == IBV_EVENT_PORT_ERR || event.event_type == IBV_EVENT_PORT_ACTIVE;
    const auto port = static_cast<std::size_t>(ofPort ? event.element.port_num : 0);
    if (ofPort && port < down_.size()) down_[port].store(event.event_type == IBV_EVENT_PORT_ERR);
    if (event.event_type == IBV_EVENT_DEVICE_FATAL) {
      lost_.store(true);
      std::ranges::for_each(down_, [](auto& down) { down.store(true); });
    }
    api_.ackAsyncEvent(&event);
    news_.fetch_add(1, std::memory_order_release);
  }
}

bool Nic::saidDown(std::uint8_t port) const {
  return port < down_.size() && down_[port].load(std::memory_order_relaxed);
}

Nic::~Nic() {
  declared_.clear();
  if (domain_ != nullptr) api_.deallocPd(domain_);
  if (context_ != nullptr) api_.closeDevice(context_);
}

void Nic::keepOrder() {
  if (keepsOrder_.exchange(true)) return;
  log::line(log::Subject::link, kNoRank, "{} refuses relaxed ordering: its writes to memory keep their order", name_);
}

Result<KeyPair> Nic::keysOf(const DeclaredArea& area, WriteOrder order) {
  const std::scoped_lock lock(mutex_);
  auto found = declared_.find(area.id);
  if (found == declared_.end()) {
    ATOLL_ASSIGN(auto registration, Registration::make(*this, area.begin, area.bytes, order));
    if (!registration) return KeyPair();
    found = declared_.emplace(area.id, *std::move(registration)).first;
  }
  return KeyPair{found->second.localKey(), found->second.remoteKey()};
}

void Nic::forget(std::uint64_t area) {
  const std::scoped_lock lock(mutex_);
  declared_.erase(area);
}

}  // namespace atl::rdma
