// SPDX-License-Identifier: Apache-2.0
// ATOLL_RDMA_DEVICES: which ports may be used.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace atl::rdma {

/// A list such as "mlx5_0,mlx5_1:2": devices whose names begin so, and of which port. In front of all of it, = asks for
/// whole names, ^ for all but these, ^= for both.
class DeviceFilter {
 public:
  static Result<DeviceFilter> parse(std::string_view text);

  [[nodiscard]] bool allows(std::string_view device, int port) const;
  /// Whether it may allow one of the device's ports, of which nobody knows yet how many there are.
  [[nodiscard]] bool mayAllow(std::string_view device) const;

 private:
  struct Item {
    std::string device;
    int port = 0;  ///< 0: each
  };
  bool exclude_ = false;
  bool whole_ = false;
  std::vector<Item> items_;  ///< none: all are allowed
};

}  // namespace atl::rdma
