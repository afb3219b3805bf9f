// SPDX-License-Identifier: Apache-2.0
#include "bench/micro/blocking_end.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <utility>
#include <variant>

#include "kernels/host/kernels.h"
#include "src/exec/host/mail.h"

namespace atl::bench {
namespace {

/// Polls until `ready`; yields after a while, for machines with fewer cores than ends.
template <class Ready>
void await(Ready&& ready) {
  constexpr int kPolls = 2000;
  for (int polls = 0; !ready(); ++polls) {
    if (polls >= kPolls) std::this_thread::yield();
  }
}

class MemoryEnd final : public BlockingEnd {
 public:
  MemoryEnd(MemoryLink link, Outbox& outbox) : link_(std::move(link)), outbox_(outbox) {}

  void send(const std::byte* data, std::size_t bytes) override {
    if (bytes <= kInlineBytes) {
      await([&] { return exec::canPost(link_); });
      exec::postInline(link_, 0, data, bytes);
    } else if (link_.sameProcess) {
      await([&] { return exec::canPost(link_); });
      exec::postDirect(link_, 0, data, bytes);
    } else {
      bounce(data, bytes);
    }
  }

  void receive(std::byte* data, std::size_t bytes) override {
    for (std::size_t received = 0; received < bytes;) {
      const MailSlot* slot = nullptr;
      await([&] { return (slot = exec::peek(link_)) != nullptr; });
      received += take(*slot, data + received);
      exec::release(link_);
    }
  }

 private:
  void bounce(const std::byte* data, std::size_t bytes) {
    for (std::size_t sent = 0; sent < bytes;) {
      std::byte* slot = nullptr;
      await([&] { return exec::canPost(link_) && (slot = outbox_.tryAcquire()) != nullptr; });
      const std::size_t now = std::min(bytes - sent, outbox_.slotBytes());
      kernels::streamBytes(slot, data + sent, now);
      outbox_.readBy(link_, exec::postBounced(link_, 0, outbox_.offsetOf(slot), now));
      sent += now;
    }
  }

  std::size_t take(const MailSlot& slot, std::byte* to) const {
    const std::uint64_t flag = slot.flag.load(std::memory_order_relaxed);
    const auto kind = static_cast<MailKind>(flag >> 24 & 0xff);
    if (kind == MailKind::inlined) {
      const std::size_t bytes = flag & exec::kInlineLengthMask;
      std::memcpy(to, slot.payload.bytes, bytes);
      return bytes;
    }
    const auto& reference = slot.payload.reference;
    const auto* const from = kind == MailKind::direct ? reinterpret_cast<const std::byte*>(reference.where)
                                                      : link_.peerOutbox + reference.where;
    kernels::copyBytes(to, from, reference.bytes);
    return reference.bytes;
  }

  MemoryLink link_;
  Outbox& outbox_;
};

class MessageEnd final : public BlockingEnd {
 public:
  explicit MessageEnd(std::unique_ptr<MessageLink> link) : link_(std::move(link)) {}

  void send(const std::byte* data, std::size_t bytes) override {
    SendPiece piece;
    piece.data = data;
    move(piece, bytes);
  }

  void receive(std::byte* data, std::size_t bytes) override {
    ReceivePiece piece;
    piece.data = data;
    move(piece, bytes);
  }

 private:
  template <class Piece>
  void move(Piece& piece, std::size_t bytes) {
    piece.bytes = piece.messageBytes = bytes;
    piece.first = true;
    link_->post(piece);
    await([&] {
      if (piece.done) return true;
      if (const auto moved = link_->progress(); !moved.ok()) throw std::runtime_error(moved.error().text);
      return piece.done;
    });
  }

  std::unique_ptr<MessageLink> link_;
};

}  // namespace

std::unique_ptr<BlockingEnd> makeBlockingEnd(Link link, Outbox& outbox) {
  if (auto* const memory = std::get_if<MemoryLink>(&link)) {
    return std::make_unique<MemoryEnd>(std::move(*memory), outbox);
  }
  return std::make_unique<MessageEnd>(std::get<std::unique_ptr<MessageLink>>(std::move(link)));
}

}  // namespace atl::bench
