// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_bounds/tcp_bound.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <vector>

#include "src/base/clock.h"

namespace atl::perf {
namespace {

constexpr std::size_t kMessageBytes = std::size_t{1} << 20;

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

struct Connection {
  Socket sender;
  Socket receiver;
};

Result<Connection> connectToSelf() {
  const Socket listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (listener.get() < 0 || ::bind(listener.get(), generic, length) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), generic, &length) != 0) {
    return systemError(errno, "cannot listen on 127.0.0.1");
  }
  Socket sender(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (sender.get() < 0 || ::connect(sender.get(), generic, length) != 0) {
    return systemError(errno, "cannot connect to 127.0.0.1");
  }
  Socket receiver(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (receiver.get() < 0) return systemError(errno, "cannot accept a connection on 127.0.0.1");
  return Connection{std::move(sender), std::move(receiver)};
}

/// Receives until the sender closes its side; returns the bytes.
std::uint64_t drain(const Socket& socket) {
  std::vector<std::byte> buffer(kMessageBytes);
  std::uint64_t received = 0;
  for (;;) {
    const ssize_t bytes = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (bytes <= 0) return received;
    received += static_cast<std::uint64_t>(bytes);
  }
}

void sendFor(const Socket& socket, double seconds) {
  const std::vector<std::byte> message(kMessageBytes);
  const Deadline end = Deadline::inSeconds(seconds);
  while (!end.passed()) {
    if (::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) break;
  }
  ::shutdown(socket.get(), SHUT_WR);
}

}  // namespace

Result<TcpRate> measureTcpStream(int repetitions, double seconds) {
  TcpRate best;
  for (int r = 0; r < repetitions; ++r) {
    ATOLL_ASSIGN(const Connection connection, connectToSelf());
    char name[16] = {};
    socklen_t length = sizeof name - 1;
    if (::getsockopt(connection.sender.get(), IPPROTO_TCP, TCP_CONGESTION, name, &length) == 0) {
      best.congestionControl = name;
    }
    const auto start = Clock::now();
    std::thread sender([&] { sendFor(connection.sender, seconds); });
    const std::uint64_t received = drain(connection.receiver);
    const double took = atl::seconds(Clock::now() - start);
    sender.join();
    best.gigabytesPerSecond = std::max(best.gigabytesPerSecond, static_cast<double>(received) / took / 1e9);
  }
  return best;
}

}  // namespace atl::perf
