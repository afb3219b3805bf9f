// SPDX-License-Identifier: Apache-2.0
// A place for a queue pair in a link: what has become of the one that is there, and of the peer's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "src/base/clock.h"
#include "transports/rdma/confidence.h"
#include "transports/rdma/path.h"

namespace atl::rdma {

struct Place {
  enum class State : std::uint8_t {
    empty,    ///< to be tried at `nextTry`
    joining,  ///< the queue pair is there, and offered
    good,
    lost,  ///< halted; the peer has been told, and is to say the same, and then what it received
  };

  explicit Place(double pause) : confidence(pause) {}

  State state = State::empty;
  bool connected = false;  ///< this end of it
  bool readyThere = false;
  bool leaving = false;    ///< a stand-in by which nothing more is sent, since its home is relied on again
  bool leaveSaid = false;  ///< the peer has been told, and everything has arrived
  bool peerLeaves = false;
  int tries = 0;  ///< since it was good for a while
  std::unique_ptr<Path> path;
  std::uint32_t generation = 0;              ///< of the path, or of the next while it is empty
  std::optional<PathOffer> offer;            ///< the peer's, of this generation
  std::optional<std::uint64_t> arrivedHere;  ///< the peer has halted it too, and knows that so many requests arrived
  Clock::time_point nextTry;
  Clock::time_point goodSince;
  Clock::time_point lostSince;
  Confidence confidence;  ///< in a home

  [[nodiscard]] bool isGood() const { return state == State::good && path->state().ok(); }
};

}  // namespace atl::rdma
