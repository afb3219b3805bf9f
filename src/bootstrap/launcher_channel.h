// SPDX-License-Identifier: Apache-2.0
// The descriptor that `atoll run` leaves open in each process it starts (ATOLL_LAUNCHER_FD): what process 0 writes
// there, line by line, the launcher sends to all the others.
#pragma once

#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"

namespace atl {

/// Sends one line (without its end) to the launcher.
Status writeLine(int fd, std::string_view line, Deadline deadline);

/// Takes the next line, without its end and at most `maxBytes` long. Reads byte by byte, so that nothing of a later
/// line is lost; lines are short and rare.
Result<std::string> readLine(int fd, std::size_t maxBytes, Deadline deadline);

}  // namespace atl
