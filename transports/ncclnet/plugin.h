// SPDX-License-Identifier: Apache-2.0
// The plug-in that this process uses: found, opened, and asked for the newest version of the interface that both know.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/base/settings.h"
#include "transports/ncclnet/net.h"

namespace atl::ncclnet {

class Plugin {
 public:
  /// The first of those that the settings name, or else the variable NCCL_NET_PLUGIN, or else libnccl-net.so, that can
  /// be opened and finds a device. It stays open for the life of the process. An error says of each why not. Any
  /// thread.
  static Result<const Plugin*> forSettings(const NcclNetSettings& settings);

  /// "libnccl-net-ofi.so", as it was found, and what it calls itself.
  [[nodiscard]] const std::string& library() const { return library_; }
  [[nodiscard]] std::string_view name() const { return net_->name(); }
  [[nodiscard]] const Net& net() const { return *net_; }
  [[nodiscard]] std::string describe() const;  ///< "libnccl-net-ofi.so (ncclNetPlugin_v10, AWS Libfabric)"

  /// By number. Of all of them, also those that cannot be used here.
  [[nodiscard]] const std::vector<DeviceProperties>& devices() const { return devices_; }

  /// "DESCRIPTION: CALL returned 6 (ncclRemoteError)", with what the plug-in has warned of, if it has.
  [[nodiscard]] Error failure(ErrorCode error, std::string_view call, Code code) const;

  /// What it says goes to the log from here on: its warnings as warnings, the rest where links are told of.
  static void log(LogLevel level, unsigned long subjects, const char* file, int line, const char* format, ...)
      __attribute__((format(printf, 5, 6)));

 private:
  Plugin() = default;
  static Result<std::unique_ptr<Plugin>> open(const std::string& name);
  Status start();
  Status findDevices();

  std::string library_;
  std::unique_ptr<Net> net_;
  std::vector<DeviceProperties> devices_;
};

/// The libraries that stand for a name, in the order in which they are tried, as NCCL does: itself, and what it is the
/// end of, libnccl-net-NAME.so.
std::vector<std::string> librariesFor(const std::string& name);

}  // namespace atl::ncclnet
