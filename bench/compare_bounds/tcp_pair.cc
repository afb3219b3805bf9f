// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_bounds/tcp_pair.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <thread>

namespace atl::perf {
namespace {

UniqueFd streamSocket() {
  return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

Status enter(const std::string& name) {
  if (name.empty()) return success();
  const std::string path = "/run/netns/" + name;
  const UniqueFd space(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!space || ::setns(space.get(), CLONE_NEWNET) != 0) {
    return systemError(errno, fmt::format("cannot enter the network namespace {}", path));
  }
  return success();
}

Status configure(const UniqueFd& socket, const std::string& congestionControl) {
  const int on = 1;
  if (::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
    return systemError(errno, "cannot set TCP_NODELAY");
  }
  if (!congestionControl.empty() && ::setsockopt(socket.get(), IPPROTO_TCP, TCP_CONGESTION, congestionControl.data(),
                                                 static_cast<socklen_t>(congestionControl.size())) != 0) {
    return systemError(errno, fmt::format("cannot use the congestion control '{}'", congestionControl));
  }
  return success();
}

/// Runs in a thread of its own, which moves to the namespaces and then ends.
Result<TcpPair> connectHere(const TcpRoute& route, const std::string& congestionControl) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (::inet_pton(AF_INET, route.address.c_str(), &address.sin_addr) != 1) {
    return makeError(ErrorCode::invalidArgument, "'{}' is not an IPv4 address", route.address);
  }
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);

  ATOLL_TRY(enter(route.to));
  const UniqueFd listener = streamSocket();
  if (!listener || ::bind(listener.get(), generic, length) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), generic, &length) != 0) {
    return systemError(errno, fmt::format("cannot listen on {}", route.address));
  }
  ATOLL_TRY(enter(route.from));
  TcpPair pair;
  pair.from = streamSocket();
  if (!pair.from || ::connect(pair.from.get(), generic, length) != 0) {
    return systemError(errno, fmt::format("cannot connect to {}", route.address));
  }
  pair.to = UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!pair.to) return systemError(errno, fmt::format("cannot accept a connection on {}", route.address));
  ATOLL_TRY(configure(pair.from, congestionControl));
  ATOLL_TRY(configure(pair.to, congestionControl));
  return pair;
}

}  // namespace

Result<TcpPair> connectPair(const TcpRoute& route, const std::string& congestionControl) {
  std::optional<Result<TcpPair>> pair;
  std::thread([&] { pair = connectHere(route, congestionControl); }).join();
  return std::move(*pair);
}

Result<std::vector<std::string>> congestionControls() {
  std::ifstream available("/proc/sys/net/ipv4/tcp_available_congestion_control");
  std::vector<std::string> names;
  for (std::string name; available >> name;) names.push_back(name);
  std::ifstream system("/proc/sys/net/ipv4/tcp_congestion_control");
  std::string own;
  system >> own;
  const auto at = std::find(names.begin(), names.end(), own);
  if (at == names.end()) {
    return makeError(ErrorCode::systemError, "the kernel does not say which congestion control is the system's");
  }
  std::rotate(names.begin(), at, at + 1);
  return names;
}

}  // namespace atl::perf
