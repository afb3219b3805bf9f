// SPDX-License-Identifier: Apache-2.0
// What the links of one rank of a communicator share: the plug-in, its context of the communicator, the device.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "src/base/unique_fd.h"
#include "transports/ncclnet/plugin.h"

namespace atl::ncclnet {

class Context {
 public:
  /// `turn`: the process's place among those of its host, which take different devices.
  static Result<std::shared_ptr<Context>> create(const NcclNetSettings& settings, std::uint64_t communicator,
                                                 std::size_t turn);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  [[nodiscard]] const Plugin& plugin() const { return plugin_; }
  [[nodiscard]] const Net& net() const { return plugin_.net(); }
  [[nodiscard]] void* handle() const { return handle_; }
  [[nodiscard]] int device() const { return device_; }
  [[nodiscard]] const DeviceProperties& properties() const {
    return plugin_.devices()[static_cast<std::size_t>(device_)];
  }

  /// Adds what is readable after a moment. Plug-ins have nothing that says when something has come, so whoever waits
  /// for long looks again and again, with pauses.
  void wanted(std::vector<pollfd>& fds) const;

 private:
  explicit Context(const Plugin& plugin) : plugin_(plugin) {}
  Status open(const NcclNetSettings& settings, std::uint64_t communicator, std::size_t turn);

  const Plugin& plugin_;
  void* handle_ = nullptr;
  bool opened_ = false;
  int device_ = 0;
  UniqueFd timer_;
};

/// The device to use: the one of that name, or one of those that a link can use (host memory, not driven by a GPU),
/// the nearest, by turns. The error says what there is.
Result<int> chooseDevice(const std::vector<DeviceProperties>& devices, std::string_view name, std::size_t turn,
                         const std::vector<int>& distances);

}  // namespace atl::ncclnet
