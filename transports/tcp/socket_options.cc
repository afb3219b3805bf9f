// SPDX-License-Identifier: Apache-2.0
#include "transports/tcp/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "src/bootstrap/directory.h"

namespace atl::tcp {
namespace {

/// A host that says nothing for about 20 seconds while we wait for it is gone.
constexpr int kIdleSeconds = 10;
constexpr int kProbeSeconds = 2;
constexpr int kProbes = 5;

constexpr std::string_view kSystemCongestionControl = "system";
constexpr std::string_view kPreferredCongestionControl = "cubic";

Status setOption(int socket, int level, int option, int value, const char* name) {
  if (::setsockopt(socket, level, option, &value, sizeof value) == 0) return success();
  return systemError(errno, fmt::format("cannot set {} of a connection to {}", name, value));
}

std::string availableCongestionControls() {
  std::ifstream file("/proc/sys/net/ipv4/tcp_available_congestion_control");
  std::string names;
  std::getline(file, names);
  return names;
}

using NameCall = int (*)(int, sockaddr*, socklen_t*);

std::string addressText(int socket, NameCall call) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (call(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "?";
  NetAddress address;
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &storage, sizeof v4);
    address.ip[10] = address.ip[11] = 0xff;
    std::memcpy(&address.ip[12], &v4.sin_addr, 4);
    address.port = ntohs(v4.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &storage, sizeof v6);
    std::memcpy(address.ip.data(), &v6.sin6_addr, address.ip.size());
    address.port = ntohs(v6.sin6_port);
  } else {
    return "?";
  }
  return address.text();
}

}  // namespace

Status configure(int socket, const std::string& congestionControl) {
  ATOLL_TRY(setOption(socket, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY"));
  ATOLL_TRY(setOption(socket, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE"));
  ATOLL_TRY(setOption(socket, IPPROTO_TCP, TCP_KEEPIDLE, kIdleSeconds, "TCP_KEEPIDLE"));
  ATOLL_TRY(setOption(socket, IPPROTO_TCP, TCP_KEEPINTVL, kProbeSeconds, "TCP_KEEPINTVL"));
  ATOLL_TRY(setOption(socket, IPPROTO_TCP, TCP_KEEPCNT, kProbes, "TCP_KEEPCNT"));
  // No limit of its own on unacknowledged data: the kernel would apply it also to a peer that is alive but for long has
  // not asked for what we send. Those waits end with the caller's deadline.
  ATOLL_TRY(setOption(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 0, "TCP_USER_TIMEOUT"));
  if (congestionControl == kSystemCongestionControl) return success();
  const bool asked = !congestionControl.empty();
  const std::string_view name = asked ? std::string_view(congestionControl) : kPreferredCongestionControl;
  if (::setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(), static_cast<socklen_t>(name.size())) == 0 ||
      !asked) {
    return success();
  }
  return systemError(errno,
                     fmt::format("this host has no congestion control '{}' (ATOLL_TCP_CONGESTION; available: {})",
                                 congestionControl, availableCongestionControls()));
}

std::string congestionControlOf(int socket) {
  std::array<char, 16> name{};
  socklen_t size = name.size();
  if (::getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(), &size) != 0) return "";
  return {name.data(), ::strnlen(name.data(), size)};
}

std::string describe(const std::vector<UniqueFd>& connections) {
  const int first = connections.front().get();
  const auto here = addressText(first, [](int s, sockaddr* a, socklen_t* n) { return ::getsockname(s, a, n); });
  const auto there = addressText(first, [](int s, sockaddr* a, socklen_t* n) { return ::getpeername(s, a, n); });
  return fmt::format("tcp {} → {} ×{} {}", here, there, connections.size(), congestionControlOf(first));
}

}  // namespace atl::tcp
