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

}  // namespace fakeverbs
