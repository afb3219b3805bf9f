// SPDX-License-Identifier: Apache-2.0
// How fast one plain TCP connection over the loopback interface carries bytes: what a TCP transport starts from.
#pragma once

#include <string>

#include "src/base/result.h"

namespace atl::perf {

struct TcpRate {
  double gigabytesPerSecond = 0;  ///< in 1e9 bytes
  std::string congestionControl;  ///< "cubic", "bbr", …: the system's default, which this does not change
};

/// The best of `repetitions` streams of about `seconds` each, sent by one thread and received by another.
Result<TcpRate> measureTcpStream(int repetitions, double seconds);

}  // namespace atl::perf
