// SPDX-License-Identifier: Apache-2.0
// What a data connection is set to, and what the kernel says of it.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/base/unique_fd.h"

namespace atl::tcp {

/// Sends small messages at once, notices a vanished host, and uses the congestion control named; "system" leaves the
/// host's own. Empty: cubic where the kernel lets this process use it, else the host's own. A system's default is
/// chosen for servers on the internet, often bbr, which paces what it sends and is the slower by far between hosts that
/// are near. An error if the kernel refuses a congestion control that was asked for: it names it and those there are.
Status configure(int socket, const std::string& congestionControl);

/// The congestion control in force; empty if the kernel does not say.
std::string congestionControlOf(int socket);

/// "tcp 10.0.0.1:41000 → 10.0.0.2:39000 ×2 cubic".
std::string describe(const std::vector<UniqueFd>& connections);

}  // namespace atl::tcp
