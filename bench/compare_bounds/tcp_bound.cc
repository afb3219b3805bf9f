// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_bounds/tcp_bound.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>

#include "bench/compare_bounds/cores.h"
#include "src/base/clock.h"

namespace atl::perf {
namespace {

constexpr std::size_t kCallBytes = std::size_t{256} << 10;
/// Short rounds, and several of them: some are not interrupted even on a busy machine.
constexpr int kTurns = 1000;
constexpr int kRoundsOfRepetition = 10;

/// Receives until the sender closes its side; returns the bytes.
std::uint64_t drain(const UniqueFd& socket) {
  std::vector<std::byte> buffer(kCallBytes);
  std::uint64_t received = 0;
  for (;;) {
    const ssize_t bytes = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (bytes <= 0) return received;
    received += static_cast<std::uint64_t>(bytes);
  }
}

void sendFor(const UniqueFd& socket, double seconds) {
  const std::vector<std::byte> message(kCallBytes);
  const Deadline end = Deadline::inSeconds(seconds);
  while (!end.passed()) {
    if (::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) break;
  }
  ::shutdown(socket.get(), SHUT_WR);
}

double oneWay(const TcpPair& pair, double seconds) {
  const auto start = Clock::now();
  std::thread sender([&] { sendFor(pair.from, seconds); });
  const std::uint64_t received = drain(pair.to);
  const double took = atl::seconds(Clock::now() - start);
  sender.join();
  return static_cast<double>(received) / took / 1e9;
}

/// One end of a stream each way: sends until `seconds` are over, receives until the other end has ended too. Sleeps
/// only when neither direction moves. Returns the bytes received.
std::uint64_t sendAndReceive(const UniqueFd& socket, double seconds) {
  const std::vector<std::byte> message(kCallBytes);
  std::vector<std::byte> buffer(kCallBytes);
  const Deadline end = Deadline::inSeconds(seconds);
  std::uint64_t received = 0;
  bool sending = true;
  bool receiving = true;
  while (sending || receiving) {
    if (sending && end.passed()) {
      ::shutdown(socket.get(), SHUT_WR);
      sending = false;
    }
    bool moved = false;
    if (sending) moved = ::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
    if (receiving) {
      const ssize_t bytes = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      receiving = bytes > 0 || (bytes < 0 && (errno == EAGAIN || errno == EINTR));
      if (bytes > 0) received += static_cast<std::uint64_t>(bytes);
      moved = moved || bytes > 0;
    }
    if (moved) continue;
    pollfd wanted{socket.get(), static_cast<short>((receiving ? POLLIN : 0) | (sending ? POLLOUT : 0)), 0};
    ::poll(&wanted, 1, 1);
  }
  return received;
}

double bothWays(const TcpPair& pair, double seconds) {
  const auto start = Clock::now();
  std::uint64_t there = 0;
  std::thread other([&] { there = sendAndReceive(pair.to, seconds); });
  const std::uint64_t back = sendAndReceive(pair.from, seconds);
  other.join();
  return static_cast<double>(there + back) / 2 / atl::seconds(Clock::now() - start) / 1e9;
}

/// Receives 8 bytes, by asking again and again or asleep. False: the connection is of no more use.
bool receiveWord(const UniqueFd& socket, int flags) {
  std::uint64_t word = 0;
  std::size_t have = 0;
  while (have < sizeof word) {
    const ssize_t bytes = ::recv(socket.get(), reinterpret_cast<std::byte*>(&word) + have, sizeof word - have, flags);
    if (bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (bytes > 0) have += static_cast<std::size_t>(bytes);
  }
  return true;
}

bool sendWord(const UniqueFd& socket) {
  const std::uint64_t word = 0;
  return ::send(socket.get(), &word, sizeof word, MSG_NOSIGNAL) == sizeof word;
}

/// Seconds of a turn of both ends, the best of some rounds. `first` takes a turn at the end that may speak first.
template <class First, class Second>
double bestTurn(const std::vector<int>& cores, int rounds, const First& first, const Second& second) {
  double best = 0;
  onEachCore({cores.front(), cores.back()}, [&](std::size_t side) {
    for (int r = 0; r < rounds; ++r) {
      const auto start = Clock::now();
      for (int turn = 0; turn < kTurns; ++turn) {
        if (!(side == 0 ? first() : second())) return;
      }
      const double once = seconds(Clock::now() - start) / kTurns;
      if (side == 0) best = r == 0 ? once : std::min(best, once);
    }
  });
  return best;
}

}  // namespace

Result<TcpStream> measureTcpStream(const TcpRoute& route, const std::string& congestionControl, int repetitions,
                                   double seconds) {
  TcpStream best{congestionControl};
  for (int r = 0; r < repetitions; ++r) {
    // Each on a connection of its own: what a stream has taught the kernel of the path would help the next.
    ATOLL_ASSIGN(const TcpPair one, connectPair(route, congestionControl));
    best.oneWayGBps = std::max(best.oneWayGBps, oneWay(one, seconds));
    ATOLL_ASSIGN(const TcpPair two, connectPair(route, congestionControl));
    best.bothWaysGBps = std::max(best.bothWaysGBps, bothWays(two, seconds));
  }
  return best;
}

Result<TcpTimes> measureTcpTimes(const TcpRoute& route, const std::string& congestionControl,
                                 const std::vector<int>& cores, int repetitions) {
  ATOLL_ASSIGN(const TcpPair pair, connectPair(route, congestionControl));
  const int rounds = repetitions * kRoundsOfRepetition;
  // On one core, a thread that polls would keep the other from answering.
  const int polling = cores.size() > 1 ? MSG_DONTWAIT : 0;
  const auto ask = [&](const UniqueFd& end, int flags) { return sendWord(end) && receiveWord(end, flags); };
  const auto answer = [&](const UniqueFd& end, int flags) { return receiveWord(end, flags) && sendWord(end); };
  TcpTimes times;
  times.exchange = bestTurn(
      cores, rounds, [&] { return ask(pair.from, polling); }, [&] { return ask(pair.to, polling); });
  times.roundTrip = bestTurn(
      cores, rounds, [&] { return ask(pair.from, polling); }, [&] { return answer(pair.to, polling); });
  times.blockingRoundTrip = bestTurn(
      cores, repetitions, [&] { return ask(pair.from, 0); }, [&] { return answer(pair.to, 0); });
  return times;
}

}  // namespace atl::perf
