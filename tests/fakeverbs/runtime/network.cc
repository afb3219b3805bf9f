// SPDX-License-Identifier: Apache-2.0
#include "tests/fakeverbs/runtime/network.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace fakeverbs {
namespace {

constexpr std::uint32_t kProcesses = 1024;

/// Packets read at once from a connection, so that none keeps the others waiting.
constexpr int kReadsInARow = 64;

/// In the abstract namespace: no file stays behind.
socklen_t nameOf(const std::string& word, std::uint32_t process, sockaddr_un& name) {
  name = {};
  name.sun_family = AF_UNIX;
  const std::string text = "fakeverbs-" + word + "-" + std::to_string(process);
  if (text.size() + 1 > sizeof(name.sun_path)) giveUp("FAKEVERBS_NET is too long");
  std::memcpy(name.sun_path + 1, text.data(), text.size());
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
}

std::vector<std::byte> encode(const Packet& packet) {
  std::vector<std::byte> bytes(sizeof(Header) + packet.payload.size());
  std::memcpy(bytes.data(), &packet.header, sizeof(Header));
  if (!packet.payload.empty()) {
    std::memcpy(bytes.data() + sizeof(Header), packet.payload.data(), packet.payload.size());
  }
  return bytes;
}

bool wouldBlock() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

Network::Network() : buffer_(std::size_t{1} << 16) {
  const char* const word = std::getenv("FAKEVERBS_NET");
  if (word == nullptr || *word == '\0') return;
  word_ = word;
  listen();
}

void Network::listen() {
  listener_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0) giveUp(std::string("no socket: ") + std::strerror(errno));
  for (process_ = 1; process_ < kProcesses; ++process_) {
    sockaddr_un name;
    const socklen_t length = nameOf(word_, process_, name);
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&name), length) == 0) break;
    if (errno != EADDRINUSE) giveUp(std::string("no name for a socket: ") + std::strerror(errno));
  }
  if (process_ == kProcesses || ::listen(listener_, SOMAXCONN) != 0) giveUp("too many processes on one wire");
}

Network::Peer* Network::connected(std::uint32_t process) {
  const auto known = peers_.find(process);
  if (known != peers_.end()) return &known->second;
  if (listener_ < 0) return nullptr;
  // Connecting waits only while the other's queue of new connections is full.
  const int made = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  sockaddr_un name;
  const socklen_t length = nameOf(word_, process, name);
  if (made < 0 || connect(made, reinterpret_cast<const sockaddr*>(&name), length) != 0) {
    if (made >= 0) close(made);
    return nullptr;
  }
  return &(peers_[process] = {made, {}});
}

bool Network::write(Peer& peer) {
  bool any = false;
  while (!peer.unsent.empty()) {
    const std::vector<std::byte>& next = peer.unsent.front();
    // A connection that has broken shows when it is read: what its end wrote before that has to be seen first.
    if (::send(peer.socket, next.data(), next.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && wouldBlock()) break;
    peer.unsent.pop_front();
    any = true;
  }
  return any;
}

bool Network::send(const Packet& packet) {
  Peer* const peer = connected(packet.header.destinationQp / kNumbersOfAProcess);
  if (peer == nullptr) return false;
  peer->unsent.push_back(encode(packet));
  write(*peer);
  return true;
}

bool Network::readAll(World& all) {
  bool any = false;
  for (int& from : incoming_) {
    for (int i = 0; i < kReadsInARow; ++i) {
      const ssize_t bytes = recv(from, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (bytes < 0 && wouldBlock()) break;
      if (bytes < static_cast<ssize_t>(sizeof(Header))) {
        close(std::exchange(from, -1));
        break;
      }
      Packet packet;
      std::memcpy(&packet.header, buffer_.data(), sizeof(Header));
      packet.payload.assign(buffer_.begin() + sizeof(Header), buffer_.begin() + bytes);
      all.inbox.push_back(std::move(packet));
      any = true;
    }
  }
  std::erase(incoming_, -1);
  return any;
}

bool Network::findEnded(World& all) {
  bool any = false;
  for (auto peer = peers_.begin(); peer != peers_.end();) {
    char nothing = 0;
    const ssize_t bytes = recv(peer->second.socket, &nothing, 1, MSG_DONTWAIT);
    if (bytes > 0 || (bytes < 0 && wouldBlock())) {
      ++peer;
      continue;
    }
    // What the process said last comes first.
    for (int i = 0; i < kReadsInARow && readAll(all); ++i) {
    }
    Packet news;
    news.header.kind = PacketKind::processEnded;
    news.header.sourceQp = peer->first * kNumbersOfAProcess;
    all.inbox.push_back(std::move(news));
    close(peer->second.socket);
    peer = peers_.erase(peer);
    any = true;
  }
  return any;
}

bool Network::progress(World& all) {
  std::vector<pollfd> looked = wanted();
  if (looked.empty() || poll(looked.data(), looked.size(), 0) <= 0) return false;
  bool any = false;
  for (int made = 0; (made = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0; any = true) {
    incoming_.push_back(made);
  }
  for (auto& [process, peer] : peers_) any |= write(peer);
  any |= readAll(all);
  any |= findEnded(all);
  return any;
}

std::vector<pollfd> Network::wanted() const {
  std::vector<pollfd> all;
  if (listener_ < 0) return all;
  all.push_back({listener_, POLLIN, 0});
  for (const int from : incoming_) all.push_back({from, POLLIN, 0});
  for (const auto& [process, peer] : peers_) {
    all.push_back({peer.socket, static_cast<short>(peer.unsent.empty() ? POLLIN : POLLIN | POLLOUT), 0});
  }
  return all;
}

}  // namespace fakeverbs
