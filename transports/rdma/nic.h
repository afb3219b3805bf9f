// SPDX-License-Identifier: Apache-2.0
// An open device: its context and protection domain, which all links of the process share.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "transports/rdma/api.h"

namespace atl::rdma {

class Nic {
 public:
  /// All devices of the machine, opened. Those that cannot be are left out, with a line in `refused` for each. Any
  /// thread.
  static Result<std::vector<std::shared_ptr<Nic>>> openAll(std::vector<std::string>& refused);

  ~Nic();
  Nic(const Nic&) = delete;
  Nic& operator=(const Nic&) = delete;

  [[nodiscard]] const Api& api() const { return api_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] ibv_context* context() const { return context_; }
  [[nodiscard]] ibv_pd* protectionDomain() const { return domain_; }
  [[nodiscard]] const ibv_device_attr& attributes() const { return attributes_; }
  /// NUMA node that it hangs on; −1: not known.
  [[nodiscard]] int node() const { return node_; }

 private:
  Nic(const Api& api, std::string name) : api_(api), name_(std::move(name)) {}
  static Result<std::shared_ptr<Nic>> open(const Api& api, ibv_device* device);
  Status open(ibv_device* device);

  const Api& api_;
  std::string name_;
  ibv_context* context_ = nullptr;
  ibv_pd* domain_ = nullptr;
  ibv_device_attr attributes_{};
  int node_ = -1;
};

/// Memory that a device may read and write, for as long as this lives.
class Registration {
 public:
  Registration() = default;
  /// Of memory that stays where it is. Peers may write to it.
  static Result<Registration> make(std::shared_ptr<Nic> nic, void* memory, std::size_t bytes);
  Registration(Registration&& other) noexcept;
  Registration& operator=(Registration&& other) noexcept;
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration();

  [[nodiscard]] std::uint32_t localKey() const { return region_->lkey; }
  [[nodiscard]] std::uint32_t remoteKey() const { return region_->rkey; }

 private:
  std::shared_ptr<Nic> nic_;
  ibv_mr* region_ = nullptr;
};

}  // namespace atl::rdma
