// SPDX-License-Identifier: Apache-2.0
// The streams of the bootstrap by which the two ends of a link meet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "src/bootstrap/switchboard.h"
#include "transports/transport.h"

namespace atl {

/// This rank's half of the stream between the two ends of a link; `index` tells several of a link apart.
std::unique_ptr<PendingStream> openStream(const TransportContext& context, Rank peer, int lane, Switchboard::Via via,
                                          Deadline deadline, std::uint16_t index = 0);

/// How two processes meet that may be on one host or not: within a host they need no network.
Switchboard::Via viaBetween(const ProcessInfo& a, const ProcessInfo& b);

/// Why two processes cannot meet over TCP, or nothing. `purpose` ends the text: ", at which to tell it of …".
std::string whyNoTcpStream(const ProcessInfo& a, const ProcessInfo& b, std::string_view purpose = "");

}  // namespace atl
