// SPDX-License-Identifier: Apache-2.0
// Sockets as the bootstrap uses them: non-blocking, close-on-exec, quick to notice a vanished host.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "src/base/result.h"
#include "src/base/unique_fd.h"
#include "src/bootstrap/directory.h"

namespace atl {

/// Where to connect to: a network address, or a name in the abstract Unix namespace.
struct Endpoint {
  NetAddress address;
  std::string localName;  ///< not empty: this instead of the address
  [[nodiscard]] std::string text() const;
};

/// Listens on one address of this host; port 0: any. Returns the socket; boundPort() tells the port.
Result<UniqueFd> listenOn(const NetAddress& address);
/// Listens on a port on every address of this host, IPv6 and IPv4.
Result<UniqueFd> listenEverywhere(std::uint16_t port);
Result<UniqueFd> listenLocally(const std::string& name);
Result<std::uint16_t> boundPort(int fd);

/// Begins to connect; writable when that is decided (see connectResult).
Result<UniqueFd> beginConnect(const Endpoint& endpoint);
/// errno's value of the attempt, 0 for success.
int connectResult(int fd);

/// No delay of small messages; an idle stream to a host that vanished fails after about four seconds. No effect on
/// local sockets.
void tuneStream(int fd);
/// For streams that the other end always reads at once: unacknowledged data, too, fails after four seconds. Not for a
/// transport's, whose reader may be busy for longer.
void expectPromptReader(int fd);

/// The other end, for logs: "10.0.0.1:4000", "a process of this host".
std::string peerText(int fd);

/// "atoll-" and the number in hexadecimal: the name of a process's abstract Unix socket.
std::string localSocketName(std::uint64_t number);

}  // namespace atl
