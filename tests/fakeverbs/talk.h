// SPDX-License-Identifier: Apache-2.0
// What a test and its worker say to each other over a socket, which is the worker's standard input.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdint>

#include "tests/fakeverbs/fixture.h"

namespace fakeverbs {

template <class Value>
void tell(int socket, const Value& value) {
  EXPECT_EQ(send(socket, &value, sizeof(value), MSG_NOSIGNAL), static_cast<ssize_t>(sizeof(value)));
}

template <class Value>
Value hear(int socket) {
  Value value{};
  EXPECT_EQ(recv(socket, &value, sizeof(value), MSG_WAITALL), static_cast<ssize_t>(sizeof(value)));
  return value;
}

/// Each end tells its name. Both come back connected, and when both are prepared.
template <class Prepare>
void connectOver(int socket, const End& end, Prepare&& prepare) {
  tell(socket, end.name());
  end.connect(hear<Name>(socket));
  prepare();
  tell(socket, 'c');
  EXPECT_EQ(hear<char>(socket), 'c');
}
inline void connectOver(int socket, const End& end) {
  connectOver(socket, end, [] {});
}

/// Memory that a peer may write and read.
struct Window {
  std::uint64_t address;
  std::uint32_t key;
};

/// Many long messages in both directions: more than sockets hold.
class Flood {
 public:
  static constexpr std::size_t kMessages = 32;
  static constexpr std::size_t kBytes = 200000;

  explicit Flood(unsigned seed) : from_(end, kMessages * kBytes, seed), to_(end, kMessages * kBytes) {}

  void receive() const {
    for (std::size_t i = 0; i < kMessages; ++i) EXPECT_EQ(end.receive(i, {to_.part(i * kBytes, kBytes)}), 0);
  }
  void send() const {
    for (std::size_t i = 0; i < kMessages; ++i) {
      EXPECT_EQ(end.send(work(i, IBV_WR_SEND), {from_.part(i * kBytes, kBytes)}), 0);
    }
  }
  /// Waits for everything; `seed` is the partner's.
  void finish(unsigned seed) {
    const auto succeeded = ::testing::Field(&ibv_wc::status, IBV_WC_SUCCESS);
    EXPECT_THAT(End::await(end.receives, kMessages), ::testing::Each(succeeded));
    EXPECT_THAT(End::await(end.sends, kMessages), ::testing::Each(succeeded));
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < to_.bytes().size(); ++i) {
      wrong += to_.bytes()[i] != static_cast<unsigned char>(i * seed + seed) ? 1 : 0;
    }
    EXPECT_EQ(wrong, 0U);
  }

  End end;

 private:
  Memory from_;
  Memory to_;
};

}  // namespace fakeverbs
