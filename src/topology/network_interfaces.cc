// SPDX-License-Identifier: Apache-2.0
#include "src/topology/network_interfaces.h"

#include <arpa/inet.h>
#include <fmt/ranges.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>

namespace atl {
namespace {

using Ip = std::array<std::uint8_t, 16>;
constexpr int kMappedBits = 96;  // length of the prefix ::ffff:0:0/96

Ip mapIpv4(const in_addr& address) {
  Ip ip{};
  ip[10] = ip[11] = 0xff;
  std::memcpy(&ip[12], &address, 4);
  return ip;
}

bool isMapped(const Ip& ip) {
  return std::all_of(ip.begin(), ip.begin() + 10, [](auto b) { return b == 0; }) && ip[10] == 0xff && ip[11] == 0xff;
}

template <class Bytes>
int onesIn(const Bytes& bytes) {
  int bits = 0;
  for (const std::uint8_t b : bytes) bits += std::popcount(b);
  return bits;
}

int speedOf(const std::string& interface) {
  std::ifstream file("/sys/class/net/" + interface + "/speed");
  int speed = 0;
  file >> speed;
  return file && speed > 0 ? speed : 0;
}

bool isVirtualBridge(const std::string& interface) {
  for (const std::string_view prefix : {"docker", "virbr", "br-", "cni", "veth", "podman", "lxcbr"}) {
    // A container's own eth0 may be a veth too, but does not bear the name.
    if (interface.starts_with(prefix)) return true;
  }
  return false;
}

std::optional<InterfaceAddress> read(const ifaddrs& entry) {
  if (entry.ifa_addr == nullptr) return std::nullopt;
  InterfaceAddress result;
  if (entry.ifa_addr->sa_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, entry.ifa_addr, sizeof address);
    result.ip = mapIpv4(address.sin_addr);
    if (entry.ifa_netmask != nullptr) {
      sockaddr_in mask{};
      std::memcpy(&mask, entry.ifa_netmask, sizeof mask);
      result.prefixBits = kMappedBits + std::popcount(mask.sin_addr.s_addr);
    }
  } else if (entry.ifa_addr->sa_family == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, entry.ifa_addr, sizeof address);
    std::memcpy(result.ip.data(), &address.sin6_addr, result.ip.size());
    if (result.isLinkLocal()) result.scope = static_cast<std::uint16_t>(address.sin6_scope_id);
    if (entry.ifa_netmask != nullptr) {
      sockaddr_in6 mask{};
      std::memcpy(&mask, entry.ifa_netmask, sizeof mask);
      result.prefixBits = onesIn(mask.sin6_addr.s6_addr);
    }
  } else {
    return std::nullopt;
  }
  result.interface = entry.ifa_name;
  result.up = (entry.ifa_flags & IFF_UP) != 0 && (entry.ifa_flags & IFF_RUNNING) != 0;
  result.loopback = (entry.ifa_flags & IFF_LOOPBACK) != 0;
  result.virtualBridge = isVirtualBridge(result.interface);
  result.megabitsPerSecond = speedOf(result.interface);
  return result;
}

bool inNetwork(const Ip& ip, const Ip& network, int bits) {
  for (int i = 0; i < bits; i += 8) {
    const int left = std::min(8, bits - i);
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - left));
    if (((ip[static_cast<std::size_t>(i / 8)] ^ network[static_cast<std::size_t>(i / 8)]) & mask) != 0) return false;
  }
  return true;
}

/// One item of ATOLL_SOCKET_IFNAME.
struct Pattern {
  bool isNetwork = false;
  Ip network{};
  int bits = 0;
  bool exact = false;
  std::string name;

  [[nodiscard]] bool matches(const InterfaceAddress& address) const {
    if (isNetwork) return isMapped(network) == address.isIpv4() && inNetwork(address.ip, network, bits);
    return exact ? address.interface == name : address.interface.starts_with(name);
  }
};

Result<Pattern> parseNetwork(std::string_view text) {
  const auto slash = text.find('/');
  const std::string address(text.substr(0, slash));
  const auto digits = text.substr(slash + 1);
  Pattern pattern;
  pattern.isNetwork = true;
  in_addr v4{};
  in6_addr v6{};
  int limit = 128;
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) {
    pattern.network = mapIpv4(v4);
    limit = 32;
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6) == 1) {
    std::memcpy(pattern.network.data(), &v6, pattern.network.size());
  } else {
    return makeError(ErrorCode::invalidArgument, "ATOLL_SOCKET_IFNAME: '{}' is not an address in '{}'", address, text);
  }
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), pattern.bits);
  if (ec != std::errc() || end != digits.data() + digits.size() || pattern.bits < 0 || pattern.bits > limit) {
    return makeError(ErrorCode::invalidArgument, "ATOLL_SOCKET_IFNAME: '{}' is not a prefix length in '{}'", digits,
                     text);
  }
  if (limit == 32) pattern.bits += kMappedBits;
  return pattern;
}

struct Selection {
  bool exclude = false;
  std::vector<Pattern> patterns;

  [[nodiscard]] bool allows(const InterfaceAddress& address) const {
    const bool matched =
        std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& p) { return p.matches(address); });
    return matched != exclude;
  }
};

Result<Selection> parseSelection(std::string_view text) {
  Selection selection;
  bool exact = false;
  if (text.starts_with('^')) {
    selection.exclude = true;
    text.remove_prefix(1);
  }
  if (text.starts_with('=')) {
    exact = true;
    text.remove_prefix(1);
  }
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    auto item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (item.empty()) continue;
    if (item.find('/') != std::string_view::npos) {
      ATOLL_ASSIGN(auto pattern, parseNetwork(item));
      selection.patterns.push_back(std::move(pattern));
      continue;
    }
    Pattern pattern;
    pattern.exact = exact || item.starts_with('=');
    if (item.starts_with('=')) item.remove_prefix(1);
    pattern.name = item;
    selection.patterns.push_back(std::move(pattern));
  }
  return selection;
}

std::string listOf(std::span<const InterfaceAddress> addresses) {
  std::vector<std::string> names;
  for (const auto& address : addresses) names.push_back(fmt::format("{} {}", address.interface, address.text()));
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

/// Best first, those that make rails with the best before all others.
void orderBestFirst(AddressChoice& choice) {
  auto& addresses = choice.addresses;
  std::stable_sort(addresses.begin(), addresses.end(), [](const InterfaceAddress& a, const InterfaceAddress& b) {
    if (a.megabitsPerSecond != b.megabitsPerSecond) return a.megabitsPerSecond > b.megabitsPerSecond;
    return a.isIpv4() && !b.isIpv4();
  });
  std::vector<InterfaceAddress> rails;
  std::vector<InterfaceAddress> others;
  for (auto& address : addresses) {
    const bool alike = rails.empty() || (address.megabitsPerSecond == rails.front().megabitsPerSecond &&
                                         address.isIpv4() == rails.front().isIpv4());
    const bool taken =
        std::ranges::any_of(rails, [&](const auto& rail) { return rail.interface == address.interface; });
    (alike && !taken ? rails : others).push_back(std::move(address));
  }
  choice.rails = rails.size();
  addresses = std::move(rails);
  std::ranges::move(others, std::back_inserter(addresses));
}

}  // namespace

bool InterfaceAddress::isIpv4() const {
  return isMapped(ip);
}

bool InterfaceAddress::isLinkLocal() const {
  if (isIpv4()) return ip[12] == 169 && ip[13] == 254;
  return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

std::string InterfaceAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  const char* const done = isIpv4() ? ::inet_ntop(AF_INET, &ip[12], buffer.data(), buffer.size())
                                    : ::inet_ntop(AF_INET6, ip.data(), buffer.data(), buffer.size());
  return done != nullptr ? done : "?";
}

Result<std::vector<InterfaceAddress>> networkInterfaces() {
  ifaddrs* raw = nullptr;
  if (::getifaddrs(&raw) != 0) return systemError(errno, "cannot list the network interfaces");
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> list(raw, &::freeifaddrs);
  std::vector<InterfaceAddress> result;
  for (const ifaddrs* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    if (auto address = read(*entry)) result.push_back(std::move(*address));
  }
  return result;
}

Result<AddressChoice> chooseAddresses(std::span<const InterfaceAddress> available, const Settings& settings) {
  if (!settings.addressFamily.empty() && settings.addressFamily != "4" && settings.addressFamily != "6") {
    return makeError(ErrorCode::invalidArgument, "ATOLL_SOCKET_FAMILY is '{}': use 4, 6 or nothing",
                     settings.addressFamily);
  }
  std::vector<InterfaceAddress> usable;
  for (const auto& address : available) {
    if (!address.up || (settings.addressFamily == "4" && !address.isIpv4())) continue;
    if (settings.addressFamily == "6" && address.isIpv4()) continue;
    usable.push_back(address);
  }
  AddressChoice choice;
  if (!settings.interfaces.empty()) {
    ATOLL_ASSIGN(const auto selection, parseSelection(settings.interfaces));
    std::copy_if(usable.begin(), usable.end(), std::back_inserter(choice.addresses),
                 [&](const auto& a) { return selection.allows(a); });
    if (choice.addresses.empty()) {
      return makeError(ErrorCode::invalidArgument,
                       "ATOLL_SOCKET_IFNAME is '{}', which leaves no address (there are: {})", settings.interfaces,
                       listOf(available));
    }
    choice.reason = fmt::format("ATOLL_SOCKET_IFNAME is '{}'", settings.interfaces);
    orderBestFirst(choice);
    return choice;
  }
  struct Preference {
    const char* reason;
    bool (*takes)(const InterfaceAddress&);
  };
  constexpr Preference kPreferences[] = {
      {"up, not loopback, not link-local, not a virtual bridge",
       [](const InterfaceAddress& a) { return !a.loopback && !a.isLinkLocal() && !a.virtualBridge; }},
      {"nothing but virtual bridges is up", [](const InterfaceAddress& a) { return !a.loopback && !a.isLinkLocal(); }},
      {"nothing but link-local addresses is up", [](const InterfaceAddress& a) { return !a.loopback; }},
      {"nothing but loopback is up", [](const InterfaceAddress&) { return true; }},
  };
  for (const auto& preference : kPreferences) {
    std::copy_if(usable.begin(), usable.end(), std::back_inserter(choice.addresses), preference.takes);
    if (choice.addresses.empty()) continue;
    choice.reason = preference.reason;
    orderBestFirst(choice);
    return choice;
  }
  return makeError(ErrorCode::systemError, "no network interface is up{} (there are: {})",
                   settings.addressFamily.empty() ? "" : fmt::format(" with an IPv{} address", settings.addressFamily),
                   listOf(available));
}

}  // namespace atl
