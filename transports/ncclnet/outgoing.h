// SPDX-License-Identifier: Apache-2.0
// The sending half of a link over a plug-in: headers and blocks, in the order in which the receiver asks for them.
//
// A block that lies in one piece, in registered memory, leaves from there; all others are copied into buffers that are.
// A piece is done when what it is in has left. But one whose bytes are all copied, into a block that is not complete
// yet, is done at once: its owner may post the rest only then.
#pragma once

#include <cstdint>
#include <memory>

#include "transports/link.h"
#include "transports/ncclnet/buffer_pool.h"
#include "transports/ncclnet/under_way.h"
#include "transports/piece_list.h"

namespace atl::ncclnet {

class Outgoing {
 public:
  Outgoing(std::unique_ptr<Comm> comm, std::uint64_t blockBytes);
  /// The plug-in then reads nothing any more.
  ~Outgoing() { pieces.clear(); }

  PieceList<SendPiece> pieces;

  /// Takes note of what has left and hands over what it can. True if anything moved.
  Result<bool> pump();

 private:
  /// What is being put together for the next send, or waits for the plug-in to take it.
  struct Unit {
    std::uint64_t bytes = 0;   ///< in all; 0: there is none
    std::uint64_t filled = 0;  ///< of those
    const std::byte* data = nullptr;
    Registration registration = nullptr;
    BufferPool* pool = nullptr;  ///< null: it leaves from the piece
    Buffer* buffer = nullptr;
    SendPiece* last = nullptr;  ///< the piece in which it ends; null: it has nothing of any
    std::uint64_t inLast = 0;   ///< what that piece counts for it
    [[nodiscard]] bool complete() const { return bytes > 0 && filled == bytes; }
  };
  struct Sending {
    Request request = nullptr;
    BufferPool* pool = nullptr;
    Buffer* buffer = nullptr;
    SendPiece* last = nullptr;
    std::uint64_t inLast = 0;
  };
  Result<bool> settle();
  Status build();
  Status beginHeader();
  Status beginBlock();
  Result<bool> useBuffer(BufferPool& pool, std::uint64_t bytes);
  void fill();
  Result<bool> launch();

  std::unique_ptr<Comm> comm_;
  std::uint64_t blockBytes_;
  BufferPool slots_;
  BufferPool blocks_;
  std::uint64_t headers_ = 0;  ///< messages whose header has been put together
  Unit unit_;
  UnderWay<Sending> underWay_;
};

}  // namespace atl::ncclnet
