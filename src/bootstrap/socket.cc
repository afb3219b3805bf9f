// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/socket.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace atl {
namespace {

constexpr int kBacklog = 4096;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

bool isMapped(const NetAddress& address) {
  return std::all_of(address.ip.begin(), address.ip.begin() + 10, [](auto b) { return b == 0; }) &&
         address.ip[10] == 0xff && address.ip[11] == 0xff;
}

SocketAddress toSocketAddress(const NetAddress& address) {
  SocketAddress result;
  if (isMapped(address)) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    std::memcpy(&in.sin_addr, &address.ip[12], 4);
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    in.sin6_scope_id = address.scope;
    std::memcpy(&in.sin6_addr, address.ip.data(), address.ip.size());
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  }
  return result;
}

SocketAddress toAbstractAddress(const std::string& name) {
  SocketAddress result;
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  const auto length = std::min(name.size(), sizeof un.sun_path - 1);
  std::memcpy(un.sun_path + 1, name.data(),
              length);  // a leading zero byte makes it abstract: no file to be left behind
  std::memcpy(&result.storage, &un, sizeof un);
  result.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  return result;
}

Result<UniqueFd> listenAt(const SocketAddress& address, bool bothFamilies, const std::string& what) {
  UniqueFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return systemError(errno, fmt::format("cannot open a socket to listen on {}", what));
  if (address.storage.ss_family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.storage.ss_family == AF_INET6) {
      const int only6 = bothFamilies ? 0 : 1;
      ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof only6);
    }
  }
  if (::bind(fd.get(), address.get(), address.size) != 0)
    return systemError(errno, fmt::format("cannot listen on {}", what));
  if (::listen(fd.get(), kBacklog) != 0) return systemError(errno, fmt::format("cannot listen on {}", what));
  return fd;
}

}  // namespace

std::string Endpoint::text() const {
  return localName.empty() ? address.text() : fmt::format("local socket {}", localName);
}

Result<UniqueFd> listenOn(const NetAddress& address) {
  return listenAt(toSocketAddress(address), false, address.text());
}

Result<UniqueFd> listenEverywhere(std::uint16_t port) {
  NetAddress any;
  any.port = port;
  auto fd = listenAt(toSocketAddress(any), true, fmt::format("port {}", port));
  if (fd.ok()) return fd;
  any.ip[10] = any.ip[11] = 0xff;  // a kernel without IPv6
  auto ipv4 = listenAt(toSocketAddress(any), false, fmt::format("port {}", port));
  return ipv4.ok() ? std::move(ipv4) : std::move(fd);
}

Result<UniqueFd> listenLocally(const std::string& name) {
  return listenAt(toAbstractAddress(name), false, fmt::format("local socket {}", name));
}

Result<std::uint16_t> boundPort(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return systemError(errno, "cannot tell the port of a listening socket");
  }
  if (storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &storage, sizeof in);
    return static_cast<std::uint16_t>(ntohs(in.sin_port));
  }
  sockaddr_in6 in{};
  std::memcpy(&in, &storage, sizeof in);
  return static_cast<std::uint16_t>(ntohs(in.sin6_port));
}

Result<UniqueFd> beginConnect(const Endpoint& endpoint) {
  const auto address =
      endpoint.localName.empty() ? toSocketAddress(endpoint.address) : toAbstractAddress(endpoint.localName);
  UniqueFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return systemError(errno, fmt::format("cannot open a socket to {}", endpoint.text()));
  tuneStream(fd.get());
  if (::connect(fd.get(), address.get(), address.size) != 0 && errno != EINPROGRESS) {
    return systemError(errno, fmt::format("cannot connect to {}", endpoint.text()));
  }
  return fd;
}

int connectResult(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

void tuneStream(int fd) {
  struct Option {
    int level;
    int name;
    int value;
  };
  constexpr Option kOptions[] = {
      {IPPROTO_TCP, TCP_NODELAY, 1},   {SOL_SOCKET, SO_KEEPALIVE, 1}, {IPPROTO_TCP, TCP_KEEPIDLE, 1},
      {IPPROTO_TCP, TCP_KEEPINTVL, 1}, {IPPROTO_TCP, TCP_KEEPCNT, 3},
  };
  for (const auto& option : kOptions) ::setsockopt(fd, option.level, option.name, &option.value, sizeof option.value);
}

void expectPromptReader(int fd) {
  const int milliseconds = 4000;
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
}

std::string peerText(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "a peer that has gone";
  NetAddress address;
  if (storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &storage, sizeof in);
    address.ip[10] = address.ip[11] = 0xff;
    std::memcpy(&address.ip[12], &in.sin_addr, 4);
    address.port = ntohs(in.sin_port);
    return address.text();
  }
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &storage, sizeof in);
    std::memcpy(address.ip.data(), &in.sin6_addr, address.ip.size());
    address.port = ntohs(in.sin6_port);
    return address.text();
  }
  return "a process of this host";
}

std::string localSocketName(std::uint64_t number) {
  return fmt::format("atoll-{:016x}", number);
}

}  // namespace atl
