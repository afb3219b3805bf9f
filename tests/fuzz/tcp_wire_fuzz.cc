// SPDX-License-Identifier: Apache-2.0
// What a peer may send on a TCP link: the input says what this end expects, then every byte that arrives. Whatever
// comes, the link must keep to the memory it was given, and either be satisfied or say what is wrong.
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "transports/tcp/tcp_link.h"
#include "transports/tcp/wire.h"

namespace {

using namespace atl;

/// A well-formed header is hard to guess: half of the inputs begin with one, so that the rest is reached too.
void prepareHeader(std::uint8_t choice, std::uint64_t bytes, int socket) {
  if ((choice & 1) == 0) return;
  tcp::Header header;
  header.message = 1;
  header.bytes = bytes;
  static_cast<void>(::send(socket, &header, sizeof header, MSG_NOSIGNAL));
}

void runLink(std::uint8_t choice, std::uint16_t expected, const std::uint8_t* data, std::size_t size) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  const UniqueFd peer(ends[0]);
  std::vector<UniqueFd> mine;
  mine.emplace_back(ends[1]);
  tcp::TcpLink link(std::move(mine), {0, 1, "the peer", "tcp"});

  prepareHeader(choice, expected, peer.get());
  const ssize_t sent = ::send(peer.get(), data, size, MSG_NOSIGNAL);
  if (sent >= 0 && (choice & 2) != 0) ::shutdown(peer.get(), SHUT_WR);

  constexpr int kMessages = 3;
  std::vector<std::byte> room[kMessages];
  ReceivePiece pieces[kMessages];
  for (int i = 0; i < kMessages; ++i) {
    room[i].resize(expected);
    pieces[i].data = room[i].data();
    pieces[i].bytes = pieces[i].messageBytes = expected;
    pieces[i].first = true;
    pieces[i].call.sequence = choice >> 2;
    link.post(pieces[i]);
  }
  // Every call that moves nothing ends the loop, and the input is finite.
  while (true) {
    const auto moved = link.progress();
    if (!moved.ok() && moved.error().text.empty()) std::abort();
    if (!moved.ok() || !*moved) break;
  }
}

void runParsers(const std::uint8_t* data, std::size_t size) {
  if (size >= sizeof(tcp::Greeting)) {
    tcp::Greeting greeting;
    std::memcpy(&greeting, data, sizeof greeting);
    const auto agreed = tcp::connectionsAgreed(greeting, tcp::kMaxConnections);
    if (agreed.ok() && (*agreed < 1 || *agreed > tcp::kMaxConnections)) std::abort();
  }
  if (size >= sizeof(tcp::Header)) {
    tcp::Header header;
    std::memcpy(&header, data, sizeof header);
    static_cast<void>(tcp::check(header, {0, 1, 1, 64, CallRecord{}}));
    // Past the magic, so that every kind of record is put into words.
    header.magic = tcp::Header::kMagic;
    header.reserved = 0;
    CallRecord call;
    call.sequence = 1;
    if (tcp::check(header, {0, 1, header.message, header.bytes, call}).ok() && header.call.sequence != 0 &&
        header.call != call) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  runParsers(data, size);
  if (size < 3) return 0;
  std::uint16_t expected = 0;
  std::memcpy(&expected, data + 1, sizeof expected);
  runLink(data[0], expected, data + 3, size - 3);
  return 0;
}
