// SPDX-License-Identifier: Apache-2.0
#include "transports/tcp/tcp_link.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace atl::tcp {
namespace {

/// Bytes that one system call moves at most: enough to make the call's own cost vanish, and few enough that sending and
/// receiving take turns and that what one end copies in is still in the cache when the other copies it out. Between two
/// ends that both send, four times as much is a third slower.
constexpr std::size_t kCallBytes = 256 << 10;

/// A piece up to this size is sent by post() itself when nothing is queued before it.
constexpr std::size_t kAtOnceBytes = 16 << 10;

/// The scattered memory of one system call: perhaps a header, a batch of payload, perhaps another header.
class Scatter {
 public:
  void add(iovec part) {
    if (part.iov_len == 0) return;
    parts_[count_++] = part;
    bytes_ += part.iov_len;
  }
  void add(const Batch& batch) {
    for (std::size_t i = 0; i < batch.count; ++i) add(batch.parts[i]);
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  msghdr message() {
    msghdr header{};
    header.msg_iov = parts_.data();
    header.msg_iovlen = count_;
    return header;
  }

 private:
  std::array<iovec, kBatchParts + 2> parts_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

bool wouldBlock(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

Error lost(int error) {
  if (error == ECONNRESET || error == EPIPE)
    return makeError(ErrorCode::remoteError, "the peer ended or dropped the connection");
  return makeError(ErrorCode::remoteError, "the connection failed: {}", std::strerror(error));
}

/// Takes up to `limit` from `bytes` and says how much.
std::size_t takeFrom(std::size_t& bytes, std::size_t limit) {
  const std::size_t taken = std::min(bytes, limit);
  bytes -= taken;
  return taken;
}

}  // namespace

TcpLink::TcpLink(std::vector<UniqueFd> connections, LinkNames names, Path eager)
    : connections_(std::move(connections)),
      names_(std::move(names)),
      eager_(eager),
      outgoing_(static_cast<int>(connections_.size())),
      incoming_(static_cast<int>(connections_.size())) {}

void TcpLink::post(SendPiece& piece) {
  const bool wanted = eager_ == Path::automatic ? piece.bytes <= kAtOnceBytes : eager_ == Path::on;
  const bool atOnce = wanted && outgoing_.empty() && state_.ok();
  outgoing_.push(piece);
  if (!atOnce) return;
  for (std::size_t i = 0; i < connections_.size() && state_.ok(); ++i) {
    if (!wantsToSend(i)) continue;
    auto sent = sendOn(i);
    if (!sent.ok()) static_cast<void>(fail(std::move(sent).error()));
  }
  outgoing_.retire();
}

void TcpLink::post(ReceivePiece& piece) {
  incoming_.push(piece);
}

Result<bool> TcpLink::progress() {
  if (!state_.ok()) return state_.error();
  auto moved = moveAll();
  if (!moved.ok()) return fail(std::move(moved).error());
  outgoing_.retire();
  incoming_.retire();
  return moved;
}

Result<bool> TcpLink::moveAll() {
  bool moved = false;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    if (wantsToSend(i)) {
      ATOLL_ASSIGN(const bool sent, sendOn(i));
      moved = moved || sent;
    }
    if (wantsToReceive(i)) {
      ATOLL_ASSIGN(const bool received, receiveOn(i));
      moved = moved || received;
    }
  }
  return moved;
}

Result<bool> TcpLink::fail(Error error) {
  state_ = std::move(error).within(fmt::format("{} by {}", names_.peerName, names_.description));
  return state_.error();
}

bool TcpLink::wantsToSend(std::size_t connection) const {
  return outgoing_.hasBytes(connection) || (connection == 0 && outgoing_.headerWanted() != nullptr);
}

bool TcpLink::wantsToReceive(std::size_t connection) const {
  if (connection == 0) return incoming_.hasBytes(0) || incoming_.headerWanted() != nullptr;
  // Nothing is written to the caller's memory before the header has been found right, but what comes right behind it.
  return incoming_.hasBytes(connection) && incoming_.headerHasMoved(connection);
}

Result<bool> TcpLink::sendOn(std::size_t connection) {
  Scatter scatter;
  const SendPiece* const beginning = connection == 0 ? outgoing_.headerWanted() : nullptr;
  if (beginning != nullptr) {
    if (outHeader_.have == 0) {
      outHeader_.header.message = outgoing_.message();
      outHeader_.header.bytes = beginning->messageBytes;
      outHeader_.header.call = beginning->call;
    }
    scatter.add(outHeader_.rest());
  }
  scatter.add(outgoing_.gather(connection, kCallBytes));

  const msghdr message = scatter.message();
  const ssize_t result = ::sendmsg(connections_[connection].get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (result < 0) {
    if (wouldBlock(errno)) return false;
    return lost(errno);
  }
  auto sent = static_cast<std::size_t>(result);
  if (beginning != nullptr) {
    outHeader_.have += takeFrom(sent, outHeader_.rest().iov_len);
    if (outHeader_.complete()) {
      outHeader_.have = 0;
      outgoing_.headerMoved();
    }
  }
  outgoing_.advance(connection, sent);
  return true;
}

Status TcpLink::checkHeader() {
  const ReceivePiece& beginning = *incoming_.headerWanted();
  ATOLL_TRY(
      check(inHeader_.header, {names_.me, names_.peer, incoming_.message(), beginning.messageBytes, beginning.call}));
  inHeader_.have = 0;
  incoming_.headerMoved();
  return success();
}

Result<bool> TcpLink::receiveOn(std::size_t connection) {
  const bool headerWanted = connection == 0 && incoming_.headerWanted() != nullptr;
  if (headerWanted && inHeader_.complete()) {  // it came along with the message before
    ATOLL_TRY(checkHeader());
    return true;
  }

  // One call for a header, the payload right behind it, and the header after that. If the first header turns out wrong,
  // what was received on its trust does no harm: the link is finished. Behind the last byte of a message there can only
  // be a header.
  const Batch batch = incoming_.gather(connection, kCallBytes);
  Header ahead;
  Scatter scatter;
  if (headerWanted) scatter.add(inHeader_.rest());
  scatter.add(batch);
  if (connection == 0 && batch.endsShare) scatter.add(iovec{&ahead, sizeof ahead});

  msghdr message = scatter.message();
  const ssize_t result = ::recvmsg(connections_[connection].get(), &message, MSG_DONTWAIT);
  if (result == 0) {
    return makeError(ErrorCode::remoteError, "the peer closed the connection while message {} was awaited",
                     incoming_.message());
  }
  if (result < 0) {
    if (wouldBlock(errno)) return false;
    return lost(errno);
  }
  auto received = static_cast<std::size_t>(result);
  if (headerWanted) {
    inHeader_.have += takeFrom(received, inHeader_.rest().iov_len);
    if (!inHeader_.complete()) return true;
    ATOLL_TRY(checkHeader());
  }
  incoming_.advance(connection, takeFrom(received, batch.bytes));
  if (received > 0) {
    inHeader_.header = ahead;
    inHeader_.have = received;
  }
  return true;
}

void TcpLink::wanted(std::vector<pollfd>& fds) const {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    const int events = (wantsToSend(i) ? POLLOUT : 0) | (wantsToReceive(i) ? POLLIN : 0);
    if (events != 0) fds.push_back({connections_[i].get(), static_cast<short>(events), 0});
  }
}

void TcpLink::cancel() {
  outgoing_.clear();
  incoming_.clear();
  if (state_.ok()) static_cast<void>(fail(makeError(ErrorCode::aborted, "the link was cancelled")));
}

}  // namespace atl::tcp
