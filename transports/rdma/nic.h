// SPDX-License-Identifier: Apache-2.0
// An open device: its context and protection domain, which all links of the process share.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "transports/declared_memory.h"
#include "transports/rdma/registration.h"

namespace atl::rdma {

/// The keys by which a device takes memory for registered.
struct KeyPair {
  std::uint32_t local = 0;   ///< for its own requests
  std::uint32_t remote = 0;  ///< for those of peers
};

class Nic {
 public:
  /// All devices of the machine, opened, but for those of names that are not wanted. Those that cannot be are left out,
  /// with a line in `refused` for each. One that was lost and has come back is another. Any thread.
  static Result<std::vector<std::shared_ptr<Nic>>> openAll(
      std::vector<std::string>& refused,
      const std::function<bool(std::string_view name)>& isWanted = [](std::string_view) { return true; });

  ~Nic();
  Nic(const Nic&) = delete;
  Nic& operator=(const Nic&) = delete;

  [[nodiscard]] const Api& api() const { return api_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] ibv_context* context() const { return context_; }
  [[nodiscard]] ibv_pd* protectionDomain() const { return domain_; }
  [[nodiscard]] const ibv_device_attr& attributes() const { return attributes_; }
  /// Takes note of what the device has said of its ports since. Any thread; one that finds another at it leaves it to
  /// that.
  void hearEvents();
  /// It has said that it is gone for good.
  [[nodiscard]] bool isLost() const { return lost_.load(std::memory_order_relaxed); }
  /// It has said that the port, from 1, is down. Port::isUp() asks it.
  [[nodiscard]] bool saidDown(std::uint8_t port) const;
  /// Another number whenever it has said anything of one of its ports, or of their addresses.
  [[nodiscard]] unsigned news() const { return news_.load(std::memory_order_acquire); }

  /// The keys of declared memory, which is registered at the first time, until the area ends. Any thread.
  /// The order is what the first wants.
  Result<KeyPair> keysOf(const DeclaredArea& area, WriteOrder order);
  void forget(std::uint64_t area);

  /// It has refused relaxed ordering.
  [[nodiscard]] bool keepsOrder() const { return keepsOrder_.load(std::memory_order_relaxed); }
  void keepOrder();

  /// Of the card, in /sys ("/sys/devices/pci0000:00/…/0000:1b:00.0"); empty: it is on no bus.
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  Nic(const Api& api, std::string name) : api_(api), name_(std::move(name)) {}
  static Result<std::shared_ptr<Nic>> open(const Api& api, ibv_device* device);
  Status open(ibv_device* device);

  const Api& api_;
  std::string name_;
  ibv_context* context_ = nullptr;
  ibv_pd* domain_ = nullptr;
  ibv_device_attr attributes_{};
  std::string folder_;
  std::mutex events_;
  std::atomic<bool> lost_{false};
  std::array<std::atomic<bool>, 8> down_{};  ///< by port; devices have one or two
  std::atomic<unsigned> news_{0};
  std::atomic<bool> keepsOrder_{false};
  std::mutex mutex_;
  std::map<std::uint64_t, Registration> declared_;  ///< by area
};

}  // namespace atl::rdma
