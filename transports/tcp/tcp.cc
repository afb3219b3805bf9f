// SPDX-License-Identifier: Apache-2.0
#include "transports/tcp/tcp.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "transports/link_stream.h"
#include "transports/pending_message_link.h"
#include "transports/tcp/socket_options.h"
#include "transports/tcp/tcp_link.h"
#include "transports/tcp/wire.h"

namespace atl {
namespace {

bool wouldBlock(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/// Opens as many connections as this end would use, and once the greeting tells what the other end would use, keeps the
/// smaller number. No wait depends on an earlier one, so a link takes one round trip after the connections are there.
class PendingTcpLink : public PendingMessageLink {
 public:
  PendingTcpLink(const TransportContext& context, Rank peer, int lane)
      : PendingMessageLink(context, "tcp", peer, lane),
        agreed_(std::clamp(context.settings->socketsPerPeer, 1, tcp::kMaxConnections)),
        connections_(static_cast<std::size_t>(agreed_)) {
    for (int i = 0; i < agreed_; ++i) {
      streams_.push_back(
          openStream(context, peer, lane, Switchboard::Via::tcp, deadline(), static_cast<std::uint16_t>(i)));
    }
    mine_.connections = static_cast<std::uint16_t>(agreed_);
  }

 private:
  Result<bool> advance() override {
    ATOLL_TRY(openConnections());
    if (!connections_.front()) return false;
    ATOLL_ASSIGN(const bool greeted, greet());
    return greeted && allThere();
  }

  [[nodiscard]] std::string_view awaited() const override { return "come"; }

  std::unique_ptr<MessageLink> finish() override {
    tcp::LinkNames names{context().rank, peer(), peerName(), tcp::describe(connections_)};
    return std::make_unique<tcp::TcpLink>(std::move(connections_), std::move(names), context().settings->paths.eager);
  }

  [[nodiscard]] bool allThere() const {
    return std::all_of(connections_.begin(), connections_.end(), [](const UniqueFd& c) { return c.valid(); });
  }

  Status openConnections() {
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      if (connections_[i]) continue;
      ATOLL_ASSIGN(const bool ready, streams_[i]->poll());
      if (!ready) continue;
      connections_[i] = streams_[i]->take();
      ATOLL_TRY(tcp::configure(connections_[i].get(), context().settings->congestionControl));
    }
    return success();
  }

  Result<bool> greet() {
    const int socket = connections_.front().get();
    if (!greetingSent_) {
      const ssize_t sent = ::send(socket, &mine_, sizeof mine_, MSG_NOSIGNAL | MSG_DONTWAIT);
      // The first bytes on a connection, and few: the kernel takes them whole or not at all.
      if (sent == sizeof mine_) greetingSent_ = true;
      if (sent < 0 && !wouldBlock(errno)) return systemError(errno, "cannot greet the other end");
    }
    while (greetingReceived_ < sizeof theirs_) {
      const ssize_t got = ::recv(socket, reinterpret_cast<std::byte*>(&theirs_) + greetingReceived_,
                                 sizeof theirs_ - greetingReceived_, MSG_DONTWAIT);
      if (got < 0 && wouldBlock(errno)) return false;
      if (got < 0 && errno != ECONNRESET) return systemError(errno, "cannot receive the other end's greeting");
      if (got <= 0) return makeError(ErrorCode::remoteError, "the other end closed the connection before its greeting");
      greetingReceived_ += static_cast<std::size_t>(got);
      if (greetingReceived_ < sizeof theirs_) continue;
      ATOLL_ASSIGN(agreed_, tcp::connectionsAgreed(theirs_, agreed_));
      connections_.resize(static_cast<std::size_t>(agreed_));
      streams_.resize(static_cast<std::size_t>(agreed_));
    }
    return greetingSent_;
  }

  int agreed_;  ///< number of connections: what this end would use, then what both do
  std::vector<std::unique_ptr<PendingStream>> streams_;
  std::vector<UniqueFd> connections_;
  tcp::Greeting mine_;
  bool greetingSent_ = false;
  tcp::Greeting theirs_;
  std::size_t greetingReceived_ = 0;
};

class Tcp : public Transport {
 public:
  explicit Tcp(const TransportContext& context) : context_(context) {}

  [[nodiscard]] std::string_view name() const override { return "tcp"; }

  [[nodiscard]] std::string whyNot(const ProcessInfo& a, const ProcessInfo& b) const override {
    return whyNoTcpStream(a, b);
  }

  [[nodiscard]] plan::LinkModel model() const override {
    // Loopback: medians of link_benchmark, and of reduce_benchmark's float32 sum in the cache, on two cores of an AMD
    // EPYC. The incast is set so that pairwise is taken for an all-to-all of 4 ranks from some MiB on, where `atoll
    // tune` found it ahead of direct. A tuning table replaces these.
    return {.latency = 6.6e-6, .perMessage = 5.5e-6, .perByte = 1 / 2e9, .perReducedByte = 1 / 65e9, .incast = 0.02};
  }

  std::unique_ptr<PendingLink> connect(Rank peer, int lane) override {
    return std::make_unique<PendingTcpLink>(context_, peer, lane);
  }

 private:
  TransportContext context_;
};

}  // namespace

std::unique_ptr<Transport> makeTcp(const TransportContext& context) {
  return std::make_unique<Tcp>(context);
}

}  // namespace atl
