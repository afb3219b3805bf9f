// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/incoming.h"

#include <algorithm>
#include <cstring>

namespace atl::ucx {

Incoming::Incoming(Endpoint& endpoint, Rank me, Rank peer) : endpoint_(endpoint), me_(me), peer_(peer) {
  for (Arrival& arrival : arrivals_) arrival.owner = this;
  buffering_.owner = this;
}

Incoming::~Incoming() {
  forget();
}

bool Incoming::hold(const FragmentHeader& header, void* data, std::size_t bytes, bool announced) {
  Held& held = held_[header.number % kWindow];
  // Within the window of credits, only once, and of the size that it says.
  if (header.number - next_ >= kWindow || held.data != nullptr || header.bytes != bytes) {
    malformed_ = true;
    return false;
  }
  static std::byte nothing;
  held = {header, bytes == 0 ? &nothing : static_cast<std::byte*>(data), announced};
  return bytes != 0;
}

Result<bool> Incoming::deliver() {
  bool moved = false;
  for (;;) {
    if (malformed_) {
      return makeError(ErrorCode::remoteError,
                       "protocol: a fragment came twice, unasked, or of another size than it "
                       "says, while message {} was awaited",
                       pieces.message());
    }
    if (lost_ || buffering_.busy || pieces.current() == nullptr) return moved;
    if (buffered_ > 0) {
      if (!deliverBuffered()) return moved;
      moved = true;
      continue;
    }
    Held& held = held_[next_ % kWindow];
    if (held.data == nullptr) return moved;
    if (copied_ == 0) {
      ATOLL_TRY(
          check(held.header, {me_, peer_, pieces.message(), pieces.messageBytes(), pieces.position(), pieces.call()}));
    }
    if (!(held.announced ? deliverAnnounced(held) : deliverHere(held))) return moved;
    moved = true;
  }
}

/// The next `bytes` have reached the current piece.
void Incoming::give(std::uint64_t bytes) {
  ReceivePiece& piece = *pieces.current();
  piece.left -= piece.messageBytes == 0 ? 1 : bytes;
  pieces.advance(bytes);
}

void Incoming::takeNext(Held& held) {
  held.data = nullptr;
  copied_ = 0;
  confirm_[next_ % kWindow] = held.header.confirm != 0;
  ++next_;
}

bool Incoming::deliverHere(Held& held) {
  const std::uint64_t bytes = std::min(pieces.room(), held.header.bytes - copied_);
  if (bytes > 0) std::memcpy(pieces.data(), held.data + copied_, bytes);
  copied_ += bytes;
  give(bytes);
  if (copied_ < held.header.bytes) return true;
  if (held.header.bytes > 0) endpoint_.api().amDataRelease(endpoint_.worker().handle(), held.data);
  eagerTaken_ += held.header.bytes;
  takeNext(held);
  return true;
}

bool Incoming::deliverAnnounced(Held& held) {
  if (endpoint_.failure() != UCS_OK) return false;
  if (pieces.room() < held.header.bytes) {
    if (buffer_ == nullptr) buffer_ = std::make_unique<std::byte[]>(kBlockBytes);
    return receive(held, buffering_, buffer_.get(), nullptr);
  }
  Arrival& arrival = arrivals_[next_ % kWindow];
  if (arrival.busy) return false;
  ReceivePiece* const piece = pieces.current();
  void* const to = pieces.data();
  pieces.advance(held.header.bytes);
  return receive(held, arrival, to, piece);
}

bool Incoming::receive(Held& held, Arrival& arrival, void* to, ReceivePiece* piece) {
  arrival.piece = piece;
  arrival.number = held.header.number;
  arrival.bytes = held.header.bytes;
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA;
  param.cb.recv_am = &Incoming::onReceived;
  param.user_data = &arrival;
  void* const description = held.data;
  takeNext(held);
  const ucs_status_ptr_t request = endpoint_.api().amRecvDataNbx(endpoint_.worker().handle(), description, to,
                                                                 static_cast<std::size_t>(arrival.bytes), &param);
  if (UCS_PTR_IS_ERR(request)) {
    lost_ = true;
    endpoint_.fail(UCS_PTR_STATUS(request));
  } else if (UCS_PTR_IS_PTR(request)) {
    arrival.busy = true;
    ++underWay_;
  } else {
    finish(arrival);
  }
  return true;
}

void Incoming::onReceived(void* request, ucs_status_t status, std::size_t /*bytes*/, void* arrivalOf) {
  Arrival& arrival = *static_cast<Arrival*>(arrivalOf);
  Incoming& self = *arrival.owner;
  self.endpoint_.api().requestFree(request);
  arrival.busy = false;
  --self.underWay_;
  if (status == UCS_OK) {
    self.finish(arrival);
  } else {
    self.lost_ = true;
    self.endpoint_.fail(status);
  }
}

void Incoming::finish(Arrival& arrival) {
  if (&arrival == &buffering_) {
    buffered_ = arrival.bytes;
  } else if (arrival.piece != nullptr) {
    arrival.piece->left -= arrival.bytes;
    arrival.piece = nullptr;
  }
}

bool Incoming::deliverBuffered() {
  const std::uint64_t bytes = std::min(pieces.room(), buffered_ - copied_);
  std::memcpy(pieces.data(), buffer_.get() + copied_, bytes);
  copied_ += bytes;
  give(bytes);
  if (copied_ == buffered_) buffered_ = copied_ = 0;
  return true;
}

// What is lost is counted too, and never told: the endpoint has failed then.
void Incoming::countArrived() {
  const auto isAwaited = [this](const Arrival& arrival) { return arrival.busy && arrival.number == arrived_; };
  while (arrived_ < next_ && !isAwaited(arrivals_[arrived_ % kWindow]) && !isAwaited(buffering_)) {
    confirming_ |= confirm_[arrived_++ % kWindow];
  }
}

void Incoming::sendCredits() {
  countArrived();
  const bool due = confirming_ || next_ - credit_.taken >= kWindow / 2 || eagerTaken_ >= kEagerAhead / 2;
  if (!due || crediting_ || endpoint_.failure() != UCS_OK) return;
  credit_.taken = next_;
  credit_.arrived = arrived_;
  confirming_ = false;
  eagerTaken_ = 0;
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA;
  param.cb.send = &Incoming::onCreditSent;
  param.user_data = this;
  const ucs_status_ptr_t request =
      endpoint_.api().amSendNbx(endpoint_.handle(), kCreditId, &credit_, sizeof credit_, nullptr, 0, &param);
  if (UCS_PTR_IS_ERR(request)) return endpoint_.fail(UCS_PTR_STATUS(request));
  crediting_ = UCS_PTR_IS_PTR(request);
  if (crediting_) ++underWay_;
}

void Incoming::onCreditSent(void* request, ucs_status_t status, void* self) {
  auto& incoming = *static_cast<Incoming*>(self);
  incoming.endpoint_.api().requestFree(request);
  incoming.crediting_ = false;
  --incoming.underWay_;
  if (status != UCS_OK) incoming.endpoint_.fail(status);
}

void Incoming::forget() {
  pieces.clear();
  for (Arrival& arrival : arrivals_) arrival.piece = nullptr;
  for (Held& held : held_) {
    if (held.data != nullptr && held.header.bytes > 0) {
      endpoint_.api().amDataRelease(endpoint_.worker().handle(), held.data);
    }
    held.data = nullptr;
  }
}

}  // namespace atl::ucx
