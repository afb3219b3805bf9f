// SPDX-License-Identifier: Apache-2.0
// The receiving half of a link over a plug-in: asks for headers and blocks as far as there are places for them, and
// brings what comes into the pieces.
//
// A block that lies in one piece, in registered memory, comes straight there. Others come into buffers: several at a
// time where each has its piece; one, from where it is copied as pieces are posted, where it lies in several.
#pragma once

#include <cstdint>
#include <memory>

#include "transports/link.h"
#include "transports/ncclnet/buffer_pool.h"
#include "transports/ncclnet/under_way.h"
#include "transports/ncclnet/wire.h"
#include "transports/piece_list.h"

namespace atl::ncclnet {

class Incoming {
 public:
  /// `me` and `peer`: for the texts of mismatches.
  Incoming(std::unique_ptr<Comm> comm, std::uint64_t blockBytes, Rank me, Rank peer);
  /// The plug-in then writes nothing any more.
  ~Incoming() { pieces.clear(); }

  PieceList<ReceivePiece> pieces;

  /// Takes what has come and asks for what can be. True if anything moved.
  Result<bool> deliver();

 private:
  struct Receiving {
    Request request = nullptr;
    bool header = false;
    std::uint64_t bytes = 0;     ///< of the block
    BufferPool* pool = nullptr;  ///< null: it comes to its place
    Buffer* buffer = nullptr;
    ReceivePiece* piece = nullptr;  ///< that it lies in; null: in several
    std::byte* to = nullptr;        ///< where in that
  };
  /// What is here and has no place yet.
  struct Spill {
    BufferPool* pool = nullptr;
    Buffer* buffer = nullptr;  ///< null: there is none
    std::uint64_t at = 0;
    std::uint64_t end = 0;
  };
  Result<bool> settle();
  Status take(const Receiving& received, std::size_t came);
  Status takeHeader(const Receiving& received, std::size_t came);
  bool pour();
  Result<bool> ask();
  Result<bool> askForHeader();
  Result<bool> askForBlock();
  Result<bool> receive(Receiving receiving, void* to, std::uint64_t bytes, Registration registration);

  std::unique_ptr<Comm> comm_;
  std::uint64_t blockBytes_;
  BufferPool slots_;
  BufferPool blocks_;
  Rank me_;
  Rank peer_;
  std::uint64_t opened_ = 0;  ///< messages whose header has been found right
  Expectation awaited_;       ///< of the header that is under way
  bool headerUnderWay_ = false;
  bool splitUnderWay_ = false;  ///< a block that lies in several pieces
  Spill spill_;
  UnderWay<Receiving> underWay_;
};

}  // namespace atl::ncclnet
