// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/device_filter.h"

#include <algorithm>
#include <charconv>

namespace atl::rdma {

Result<DeviceFilter> DeviceFilter::parse(std::string_view text) {
  DeviceFilter filter;
  std::string_view rest = text;
  const auto takeSign = [&rest](char sign) {
    const bool there = rest.starts_with(sign);
    rest.remove_prefix(there ? 1 : 0);
    return there;
  };
  filter.exclude_ = takeSign('^');
  filter.whole_ = takeSign('=');
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    const std::string_view part = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const auto colon = std::min(part.find(':'), part.size());
    Item item{std::string(part.substr(0, colon)), 0};
    const std::string_view digits = part.substr(std::min(colon + 1, part.size()));
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), item.port);
    const bool numbered = ec == std::errc() && end == digits.data() + digits.size() && item.port > 0;
    if (item.device.empty() || (colon < part.size() && !numbered)) {
      return makeError(ErrorCode::invalidArgument,
                       "ATOLL_RDMA_DEVICES: '{}' is not a device or device:port in '{}', such as mlx5_0 or mlx5_0:1",
                       part, text);
    }
    filter.items_.push_back(std::move(item));
  }
  if (filter.items_.empty() && !text.empty()) {
    return makeError(ErrorCode::invalidArgument, "ATOLL_RDMA_DEVICES: '{}' names no device", text);
  }
  return filter;
}

bool DeviceFilter::allows(std::string_view device, int port) const {
  if (items_.empty()) return true;
  const bool named = std::ranges::any_of(items_, [&](const Item& item) {
    return (whole_ ? device == item.device : device.starts_with(item.device)) && (item.port == 0 || item.port == port);
  });
  return named != exclude_;
}

bool DeviceFilter::mayAllow(std::string_view device) const {
  constexpr int kMostPorts = 255;  // of verbs: a port's number is a byte
  for (int port = 1; port <= kMostPorts; ++port) {
    if (allows(device, port)) return true;
  }
  return false;
}

}  // namespace atl::rdma
