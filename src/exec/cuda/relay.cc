// SPDX-License-Identifier: Apache-2.0
#include "src/exec/cuda/relay.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <variant>

namespace atl::device {
namespace {

// The device's side of these is a Space's acquire() and release().
std::uint64_t acquire(const std::uint64_t& flag) {
  return __atomic_load_n(&flag, __ATOMIC_ACQUIRE);
}
void release(std::uint64_t& flag, std::uint64_t value) {
  __atomic_store_n(&flag, value, __ATOMIC_RELEASE);
}

}  // namespace

Relay::Relay(const Staging& staging, std::unique_ptr<PendingLink> pending)
    : staging_(staging),
      declared_{Declaration(staging.inSlots, kMails * staging.slotBytes),
                Declaration(staging.outSlots, kMails * staging.slotBytes)},
      pending_(std::move(pending)) {}

Relay::~Relay() {
  if (link_ != nullptr && (gone_ || !over())) link_->cancel();
}

Result<bool> Relay::progress() {
  moved_ = false;
  if (link_ == nullptr) {
    ATOLL_ASSIGN(const bool linked, connect());
    if (!linked) return false;
  }
  if (over()) return false;
  ATOLL_TRY(post());
  const auto moved = link_->progress();
  ATOLL_TRY(take());  // the last note may be among what came before an error
  gone_ = !moved.ok() && peerLeft_;
  if (gone_) return true;
  if (!moved.ok()) return moved.error();
  moved_ |= *moved;
  land();
  return moved_;
}

Result<bool> Relay::connect() {
  ATOLL_ASSIGN(const bool ready, pending_->poll());
  if (!ready) return false;
  atl::Link link = pending_->take();
  auto* const message = std::get_if<std::unique_ptr<MessageLink>>(&link);
  if (message == nullptr) return makeError(ErrorCode::internalError, "a relay was given a memory link");
  link_ = std::move(*message);
  pending_.reset();
  awaitNote();
  return true;
}

bool Relay::busy() const {
  if (link_ == nullptr) return true;
  if (over()) return false;
  return leaving_ || peerLeft_ || sent_ != landed_ || !credit_.landed() || announced_.number != 0;
}

void Relay::wanted(std::vector<pollfd>& fds) const {
  if (link_ != nullptr && !over()) link_->wanted(fds);
}

// ---- from the device to the peer

Status Relay::post() {
  if (farewell_.under) return success();
  for (;;) {
    const Mail& mail = staging_.out->mails[(sent_ + 1) % kMails];
    if (acquire(mail.number) != sent_ + 1) break;
    ATOLL_TRY(postPiece(mail));
  }
  if (leaving_ || peerLeft_) {
    farewell_.note.last = 1;
    send(farewell_);
  } else if (credit_.landed() && acquire(staging_.out->consumed) > toldConsumed_) {
    send(credit_);
  }
  return success();
}

Status Relay::postPiece(const Mail& mail) {
  if (mail.place != 0 || mail.bytes > staging_.slotBytes) {
    return makeError(ErrorCode::internalError, "the device posted piece {} of {} bytes, for a slot of {}", sent_ + 1,
                     mail.bytes, staging_.slotBytes);
  }
  Departure& piece = pieces_[++sent_ % kMails];
  piece.note.piece = sent_;
  piece.note.bytes = mail.bytes;
  piece.note.tag = mail.tag;
  send(piece, staging_.outSlots + sent_ % kMails * staging_.slotBytes);
  return success();
}

void Relay::send(Departure& departure, const std::byte* data) {
  Note& note = departure.note;
  toldConsumed_ = note.consumed = acquire(staging_.out->consumed);
  departure.under = true;
  departure.hasBody = note.bytes > kInlineBytes;
  if (!departure.hasBody && note.bytes > 0) std::memcpy(note.data, data, note.bytes);
  departure.head = {};
  departure.head.data = &note;
  departure.head.bytes = departure.head.messageBytes = sizeof note;
  departure.head.first = true;
  link_->post(departure.head);
  if (departure.hasBody) {
    departure.body = {};
    departure.body.data = data;
    departure.body.bytes = departure.body.messageBytes = note.bytes;
    departure.body.first = true;
    link_->post(departure.body);
  }
  moved_ = true;
}

/// Slots that both the network and the peer's device have done with are the device's again.
void Relay::land() {
  while (landed_ < sent_ && pieces_[(landed_ + 1) % kMails].landed()) ++landed_;
  const std::uint64_t consumed = std::min(peerConsumed_, landed_);
  if (consumed == toldDevice_) return;
  toldDevice_ = consumed;
  release(staging_.in->consumed, consumed);
  moved_ = true;
}

// ---- from the peer to the device

void Relay::awaitNote() {
  head_ = {};
  head_.data = &arriving_;
  head_.bytes = head_.messageBytes = sizeof arriving_;
  head_.first = true;
  link_->post(head_);
}

Status Relay::take() {
  while (!peerLeft_) {
    if (announced_.number != 0) {
      if (!body_.done) break;
      deliver();
    }
    if (!head_.done) break;
    ATOLL_TRY(takeNote());
    moved_ = true;
  }
  return success();
}

// What a stranger might have written is not written beyond a slot, nor over what the device still reads.
Status Relay::takeNote() {
  const Note note = arriving_;
  if (note.consumed < peerConsumed_ || note.consumed > sent_) {
    return makeError(ErrorCode::remoteError, "of {} pieces the peer has consumed {}, and before that {}", sent_,
                     note.consumed, peerConsumed_);
  }
  peerConsumed_ = note.consumed;
  peerLeft_ = note.last != 0;
  if (note.piece != 0) {
    const bool due = note.piece == received_ + 1 && received_ - acquire(staging_.out->consumed) < kMails;
    if (!due || note.bytes > staging_.slotBytes) {
      return makeError(ErrorCode::remoteError,
                       "the peer announces piece {} of {} bytes after piece {}, with {} slots of {} bytes", note.piece,
                       note.bytes, received_, kMails, staging_.slotBytes);
    }
    announced_ = {note.piece, 0, note.bytes, note.tag};
    std::byte* const slot = staging_.inSlots + note.piece % kMails * staging_.slotBytes;
    if (note.bytes > kInlineBytes) {
      body_ = {};
      body_.data = slot;
      body_.bytes = body_.messageBytes = note.bytes;
      body_.first = true;
      link_->post(body_);
    } else {
      std::memcpy(slot, note.data, note.bytes);
      deliver();
    }
  }
  if (!peerLeft_) awaitNote();
  return success();
}

void Relay::deliver() {
  Mail& mail = staging_.in->mails[announced_.number % kMails];
  mail.place = 0;
  mail.bytes = announced_.bytes;
  mail.tag = announced_.tag;
  release(mail.number, announced_.number);
  received_ = announced_.number;
  announced_ = {};
  moved_ = true;
}

}  // namespace atl::device
