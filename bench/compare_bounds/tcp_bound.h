// SPDX-License-Identifier: Apache-2.0
// How fast one raw TCP connection carries bytes, and how soon: what a TCP transport starts from.
#pragma once

#include <string>

#include "bench/compare_bounds/tcp_pair.h"
#include "src/base/result.h"

namespace atl::perf {

struct TcpStream {
  std::string congestionControl;
  double oneWayGBps = 0;    ///< in 1e9 bytes a second, from one thread to another
  double bothWaysGBps = 0;  ///< each way, when each of two threads sends and receives at once
};

/// Of 8 bytes, between two threads that stay on two cores and poll, where there are two; seconds.
struct TcpTimes {
  double exchange = 0;           ///< both send and then receive: the least that an all-reduce of two ranks takes
  double roundTrip = 0;          ///< there and back
  double blockingRoundTrip = 0;  ///< the same, with the threads asleep in recv(2) meanwhile
};

/// The best of `repetitions` rounds, each of about `seconds`, with 256 KiB a call, in buffers that stay in the cache.
Result<TcpStream> measureTcpStream(const TcpRoute& route, const std::string& congestionControl, int repetitions,
                                   double seconds);

/// The best of `repetitions` times some short rounds.
Result<TcpTimes> measureTcpTimes(const TcpRoute& route, const std::string& congestionControl,
                                 const std::vector<int>& cores, int repetitions);

}  // namespace atl::perf
