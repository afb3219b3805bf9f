// SPDX-License-Identifier: Apache-2.0
// The fast paths that a user, or a test, can force on or off, each by itself. Ranks need not agree on any: what a peer
// sees of one is something that it must be able to take in any case.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/base/result.h"

namespace atl {

enum class Path : std::uint8_t {
  automatic,  ///< where it is thought, or measured, to gain
  on,         ///< wherever it is possible
  off,
};

struct Paths {
  Path flat = Path::automatic;     ///< short messages run from a flat list (flat_program.h)
  Path stream = Path::automatic;   ///< copies that nobody reads soon go around the cache (bounce_copy.h)
  Path forward = Path::automatic;  ///< a chunk is passed on while it is still being made (send_action.h)
  Path deliver = Path::automatic;  ///< a slice of a result is written where the others want it (deliveries.h)
  Path eager = Path::automatic;    ///< what is posted on a socket is sent at once, not with the next progress
  Path sleep = Path::automatic;    ///< a long wait sleeps until a peer rings (drive.cc); on: at once

  /// Reads "flat=off,stream=on"; "all" names every path, and later entries override earlier ones. An error names what
  /// cannot be read, and what could be.
  static Result<Paths> parse(std::string_view text);
};

}  // namespace atl
