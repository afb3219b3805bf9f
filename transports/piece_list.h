// SPDX-License-Identifier: Apache-2.0
// The pieces of one direction of a message link, in the order of posting, and where in them the link has come.
#pragma once

#include <cstdint>

#include "src/base/call_record.h"

namespace atl {

/// Piece is SendPiece or ReceivePiece. A piece's `left` counts what of it is not through yet; a message of no bytes
/// counts as one.
template <class Piece>
class PieceList {
 public:
  void push(Piece& piece) {
    if (piece.first) {
      endOfTail_ = 0;
      tailMessageBytes_ = piece.messageBytes;
    }
    piece.at = endOfTail_;
    piece.left = piece.first && piece.messageBytes == 0 ? 1 : piece.bytes;
    piece.next = nullptr;
    endOfTail_ += piece.bytes;
    piece.messageBytes = tailMessageBytes_;
    (head_ == nullptr ? head_ : tail_->next) = &piece;
    tail_ = &piece;
    if (current_ == nullptr) enter(&piece);
    skip();
  }

  /// The piece with the link's next byte in it (or the next message, if that has none); null while no such is posted.
  [[nodiscard]] Piece* current() const { return current_; }
  /// Bytes of the current piece from the next one on.
  [[nodiscard]] std::uint64_t room() const { return current_->bytes - offset_; }
  [[nodiscard]] std::byte* data() const {
    return static_cast<std::byte*>(const_cast<void*>(static_cast<const void*>(current_->data))) + offset_;
  }
  /// Of the message that the current piece is of: its number, from 1; the next byte's place; its size and its call.
  [[nodiscard]] std::uint64_t message() const { return message_; }
  [[nodiscard]] std::uint64_t position() const { return current_->at + offset_; }
  [[nodiscard]] std::uint64_t messageBytes() const { return current_->messageBytes; }
  [[nodiscard]] const CallRecord& call() const { return call_; }

  /// The next `bytes`, within the current piece, have a place in what goes on; 0 for a message of none.
  void advance(std::uint64_t bytes) {
    offset_ += bytes;
    emptyTaken_ = bytes == 0;
    skip();
  }

  [[nodiscard]] bool empty() const { return head_ == nullptr; }
  /// The oldest piece if it is through; else null.
  [[nodiscard]] Piece* through() const { return head_ != nullptr && head_->left == 0 ? head_ : nullptr; }
  /// Whether a message ends with the oldest piece.
  [[nodiscard]] bool endsMessage() const { return head_->at + head_->bytes == head_->messageBytes; }
  /// Gives the oldest piece back to its owner.
  void retire() {
    Piece* const piece = head_;
    head_ = piece->next;
    piece->done = true;  // the last access: from here on it is its owner's
  }
  void clear() { head_ = current_ = nullptr; }

 private:
  void enter(Piece* piece) {
    current_ = piece;
    offset_ = 0;
    emptyTaken_ = false;
    if (piece == nullptr || !piece->first) return;
    ++message_;
    call_ = piece->call;
  }

  /// Never rests on a piece that may be through.
  void skip() {
    while (current_ != nullptr && offset_ == current_->bytes) {
      const bool emptyMessage = current_->first && current_->messageBytes == 0;
      if (emptyMessage && !emptyTaken_) return;
      enter(current_->next);
    }
  }

  Piece* head_ = nullptr;
  Piece* tail_ = nullptr;
  Piece* current_ = nullptr;
  std::uint64_t offset_ = 0;
  bool emptyTaken_ = false;  ///< the current message, which is of no bytes, has a place
  std::uint64_t message_ = 0;
  CallRecord call_;
  std::uint64_t endOfTail_ = 0;
  std::uint64_t tailMessageBytes_ = 0;
};

}  // namespace atl
