// SPDX-License-Identifier: Apache-2.0
// The wire between processes. Each takes a number, which is part of the numbers of its queue pairs, and listens at a
// Unix socket named after FAKEVERBS_NET and that number: so a packet's destination says where it goes, and the socket
// of a process that has ended is gone with it. A connection carries packets one way. The caller holds the world's lock.
#pragma once

#include <poll.h>

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "tests/fakeverbs/runtime/world.h"

namespace fakeverbs {

class Network {
 public:
  /// Queue pairs have numbers of 24 bits: these for the number within the process, the others for the process.
  static constexpr std::uint32_t kNumbersOfAProcess = 1U << 14;

  Network();

  /// Queue pairs of this process have numbers from here on.
  [[nodiscard]] std::uint32_t firstNumber() const { return process_ * kNumbersOfAProcess; }
  [[nodiscard]] bool isOfOthers(std::uint32_t qpNumber) const { return qpNumber / kNumbersOfAProcess != process_; }

  /// False if the process does not exist.
  bool send(const Packet& packet);

  /// Reads and writes what is possible now. False if that was nothing.
  bool progress(World& all);

  /// What the engine waits for.
  [[nodiscard]] std::vector<pollfd> wanted() const;

 private:
  struct Peer {
    int socket = -1;
    std::deque<std::vector<std::byte>> unsent;
  };

  void listen();
  Peer* connected(std::uint32_t process);
  bool write(Peer& peer);
  bool readAll(World& all);
  /// Processes that have ended: nothing that they have not acknowledged will be.
  bool findEnded(World& all);

  std::string word_;
  std::uint32_t process_ = 0;
  int listener_ = -1;
  std::map<std::uint32_t, Peer> peers_;  ///< to which this process sends
  std::vector<int> incoming_;
  std::vector<std::byte> buffer_;
};

}  // namespace fakeverbs
