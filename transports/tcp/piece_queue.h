// SPDX-License-Identifier: Apache-2.0
// The pieces under way in one direction of a TCP link, and how far each connection has come in them.
//
// One queue serves both directions: which bytes are a connection's next is the same question for the sender and for the
// receiver. The caller moves them; the queue only says where they lie and takes note.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "transports/tcp/wire.h"

namespace atl::tcp {

inline constexpr std::size_t kBatchParts = 8;

/// Memory of one connection's next bytes, all of one message.
struct Batch {
  std::array<iovec, kBatchParts> parts{};
  std::size_t count = 0;
  std::size_t bytes = 0;
  bool endsShare = false;  ///< the connection has nothing more of this message after these

  /// Lengthens the last part where the new one begins at its end. False: no room for another part.
  bool add(std::byte* data, std::size_t length) {
    if (count > 0 && static_cast<std::byte*>(parts[count - 1].iov_base) + parts[count - 1].iov_len == data) {
      parts[count - 1].iov_len += length;
    } else if (count < parts.size()) {
      parts[count++] = {data, length};
    } else {
      return false;
    }
    bytes += length;
    return true;
  }
};

/// Piece is SendPiece or ReceivePiece.
template <class Piece>
class PieceQueue {
 public:
  explicit PieceQueue(int connections) : cursors_(static_cast<std::size_t>(connections)) {
    for (std::size_t i = 0; i < cursors_.size(); ++i) cursors_[i].connection = i;
  }

  void push(Piece& piece) {
    piece.at = piece.first ? 0 : endOfTail_;
    piece.left = piece.bytes + (piece.first ? 1 : 0);
    piece.next = nullptr;
    endOfTail_ = piece.at + piece.bytes;
    (head_ == nullptr ? head_ : tail_->next) = &piece;
    tail_ = &piece;
    for (auto& cursor : cursors_) {
      if (cursor.piece != nullptr) continue;
      stepTo(cursor, &piece);
      settle(cursor);
    }
  }

  [[nodiscard]] bool empty() const { return head_ == nullptr; }

  /// The piece that begins the message which connection 0 is in, while the header of it has not moved; else null.
  [[nodiscard]] const Piece* headerWanted() const {
    return cursors_[0].message > headers_ ? cursors_[0].first : nullptr;
  }
  /// Number of the message whose header is wanted or was the last to move; from 1.
  [[nodiscard]] std::uint64_t message() const { return cursors_[0].message; }
  void headerMoved() {
    ++headers_;
    --cursors_[0].first->left;
    settle(cursors_[0]);
  }
  /// Whether the header of the message that the connection is in has moved.
  [[nodiscard]] bool headerHasMoved(std::size_t connection) const { return cursors_[connection].message <= headers_; }

  /// True if a piece has been posted into which the connection's next byte falls.
  [[nodiscard]] bool hasBytes(std::size_t connection) const {
    const Cursor& cursor = cursors_[connection];
    return cursor.piece != nullptr && cursor.position < cursor.messageBytes;
  }

  /// The connection's next bytes in its message: at least one if hasBytes(), about `limit` at most.
  [[nodiscard]] Batch gather(std::size_t connection, std::size_t limit) const {
    Batch batch;
    Cursor cursor = cursors_[connection];
    const auto message = cursor.message;
    while (inShare(cursor, message) && cursor.piece != nullptr && batch.bytes < limit) {
      const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(contiguous(cursor), limit - batch.bytes));
      if (!batch.add(dataAt(cursor), bytes)) break;
      move(cursor, bytes);
    }
    batch.endsShare = !inShare(cursor, message);
    return batch;
  }

  /// The first `bytes` of what gather() gave have moved.
  void advance(std::size_t connection, std::size_t bytes) {
    Cursor& cursor = cursors_[connection];
    while (bytes > 0) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(contiguous(cursor), bytes));
      cursor.piece->left -= part;
      move(cursor, part);
      bytes -= part;
    }
  }

  /// Takes out the pieces at the front that have moved whole, and marks them done.
  void retire() {
    while (head_ != nullptr && head_->left == 0) {
      Piece* const piece = head_;
      head_ = piece->next;
      piece->done = true;  // the last access: from here on it is its owner's
    }
  }

  void clear() {
    head_ = nullptr;
    for (auto& cursor : cursors_) cursor.piece = nullptr;
  }

 private:
  /// Where a connection is. `piece` holds its next byte (or, for connection 0, is where its message waits for its
  /// header); it is null while no such piece is posted. So no cursor rests on a piece that can be retired.
  struct Cursor {
    std::size_t connection = 0;
    Piece* piece = nullptr;
    Piece* first = nullptr;          ///< the piece that begins its message; may be retired once the header has moved
    std::uint64_t message = 0;       ///< number of its message
    std::uint64_t messageBytes = 0;  ///< size of it
    std::uint64_t position = 0;      ///< of the connection's next byte in it
  };

  static bool inShare(const Cursor& cursor, std::uint64_t message) {
    return cursor.message == message && cursor.position < cursor.messageBytes;
  }

  /// Bytes from the position to the end of its block, of its piece or of the message, whichever is first.
  static std::uint64_t contiguous(const Cursor& cursor) {
    const std::uint64_t endOfBlock = (cursor.position / kBlockBytes + 1) * kBlockBytes;
    return std::min({endOfBlock, cursor.piece->at + cursor.piece->bytes, cursor.messageBytes}) - cursor.position;
  }

  static std::byte* dataAt(const Cursor& cursor) {
    auto* const data = static_cast<std::byte*>(const_cast<void*>(static_cast<const void*>(cursor.piece->data)));
    return data + (cursor.position - cursor.piece->at);
  }

  void move(Cursor& cursor, std::uint64_t bytes) const {
    cursor.position += bytes;
    if (cursor.position % kBlockBytes == 0) cursor.position += (cursors_.size() - 1) * kBlockBytes;
    settle(cursor);
  }

  static void stepTo(Cursor& cursor, Piece* piece) {
    cursor.piece = piece;
    if (piece == nullptr || !piece->first) return;
    cursor.first = piece;
    ++cursor.message;
    cursor.messageBytes = piece->messageBytes;
    cursor.position = cursor.connection * kBlockBytes;
  }

  /// Walks on until the piece holds the position, and into the next message when the share in this one is complete.
  void settle(Cursor& cursor) const {
    while (cursor.piece != nullptr) {
      if (cursor.position < cursor.messageBytes) {
        if (cursor.position < cursor.piece->at + cursor.piece->bytes) return;
      } else if (cursor.connection == 0 && cursor.message > headers_) {
        return;
      }
      stepTo(cursor, cursor.piece->next);
    }
  }

  std::vector<Cursor> cursors_;
  Piece* head_ = nullptr;
  Piece* tail_ = nullptr;
  std::uint64_t endOfTail_ = 0;  ///< where in its message the last piece posted ends
  std::uint64_t headers_ = 0;    ///< messages whose header has moved
};

}  // namespace atl::tcp
