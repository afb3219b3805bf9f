// SPDX-License-Identifier: Apache-2.0
// A plan as a device walks it: flat arrays, lowered on the host for the links and the layout that a rank has.
//
// Offsets count from the start of each array. A run changes nothing of it but
// what lanes keep while they run.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/exec/chunk_cursor.h"
#include "src/exec/cuda/device/mail.h"
#include "src/exec/layout_view.h"
#include "src/plan/plan.h"

namespace atl::device {

using exec::ChunkCursor;
using exec::LayoutView;

/// One source of a combine, or one target of a send.
struct Operand {
  Chunk chunk;              ///< of a local source
  std::int32_t links = -1;  ///< into Program::linkOf, where a peer is meant; negative: local
  bool advances = false;    ///< the peer is another in each repetition: repetition k has linkOf[links + k]
};

struct Step {
  Chunk chunk;  ///< a send's source, a combine's destination
  std::int32_t firstOperand = 0;
  std::int32_t operands = 0;
  bool finish = false;    ///< combine: the operator's finishing is due
  std::uint64_t tag = 0;  ///< of its messages, where they are not the call's: sends and receives
};

struct Round {
  std::int32_t firstSend = 0;  ///< into Program::steps; the sends, and then the combines
  std::int32_t sends = 0;
  std::int32_t combines = 0;
  std::int32_t after = -1;  ///< begins when that lane has run its program for the same tile
};

struct Loop {
  std::int32_t repeat = 1;
  std::int32_t firstRound = 0;
  std::int32_t rounds = 0;
};

/// A message leaving for one peer.
struct Outgoing {
  enum class Way : std::uint8_t { packets, slot, place };
  Link* link = nullptr;
  ChunkCursor cursor;
  Way way = Way::slot;
  bool begun = false;      ///< the first piece has left
  bool posted = false;     ///< all pieces have left
  bool over = false;       ///< and the chunk may be overwritten
  std::uint64_t turn = 0;  ///< among the messages to the peer
  std::uint64_t last = 0;  ///< way place: the piece whose consumption ends it
  std::uint64_t tag = 0;
};

/// A source of a combine under way.
struct Incoming {
  Link* link = nullptr;             ///< null: local
  ChunkCursor cursor;               ///< of a local one
  const std::byte* data = nullptr;  ///< what is here of the present piece, in memory …
  const Packet* packets = nullptr;  ///< … or as packets, from this byte of the piece's data on:
  std::uint64_t offset = 0;
  std::uint64_t number = 0;  ///< of that piece
  std::uint64_t window = 0;  ///< bytes of the piece that are here and not yet folded
  std::uint64_t unseen = 0;  ///< bytes of the message in pieces to come
  std::uint64_t turn = 0;
  std::uint64_t tag = 0;
  bool over = false;
};

struct Combining {
  ChunkCursor destination;
  std::int32_t firstIncoming = 0;
  std::int32_t incoming = 0;
  bool finish = false;
  bool over = false;
};

struct Lane {
  std::int32_t share = 0;
  std::int32_t firstLoop = 0;
  std::int32_t loops = 0;
  // What it keeps while it runs.
  std::int32_t firstOutgoing = 0;
  std::int32_t firstCombining = 0;
  std::int32_t firstIncoming = 0;
};

struct Program {
  const Lane* lanes = nullptr;
  const Loop* loops = nullptr;
  const Round* rounds = nullptr;
  const Step* steps = nullptr;
  const Operand* operands = nullptr;
  const std::int32_t* linkOf = nullptr;  ///< into `links`
  Link* links = nullptr;
  Outgoing* outgoing = nullptr;  ///< by lane as many as its largest round has; likewise:
  Combining* combining = nullptr;
  Incoming* incoming = nullptr;
  LayoutView layout;  ///< without base addresses
  std::int32_t laneCount = 0;
  std::int32_t ranks = 1;
  std::int32_t scratchSlots = 0;
  bool sendsEmpty = false;        ///< messages of nothing are sent too
  std::uint64_t slotBytes = 0;    ///< of a slot of a link
  std::uint64_t packetBytes = 0;  ///< of data that the packets of a piece hold
  std::uint64_t packetsUpTo = 0;  ///< larger messages do not go as packets
  std::uint64_t tagBase = 0;      ///< of the call, without its number; 0: tags are not compared
};

/// How a run ended badly. The first lane to fail fills it; in memory that the host reads.
struct Failure {
  enum class Kind : std::uint32_t { none = 0, interrupted, mismatch };
  std::uint64_t kind;  ///< Kind; stored last
  std::int32_t lane, tile, loop, repetition, round;
  std::int32_t peer;  ///< whom the lane was waiting for, or who sent something else; −1: nobody in particular
  std::uint64_t expected, got;  ///< mismatch: tags
};

/// What the lanes of one rank share from call to call.
struct Control {
  std::uint64_t call;      ///< number of the present call, from 0
  std::uint64_t finished;  ///< blocks that have done with it
  std::uint64_t failing;   ///< not 0: a lane has failed, and the others stop
};

/// One call of one rank.
struct Run {
  const Program* program = nullptr;
  Control* control = nullptr;
  Failure* failure = nullptr;
  std::uint64_t* tilesDone = nullptr;  ///< by lane: the call's number in the high half, tiles run in the low
  const void* input = nullptr;
  void* output = nullptr;
  std::byte* scratch = nullptr;
  // What the collective reduces with, if it does.
  DataType type = DataType::uint8;
  ReduceOp op = ReduceOp::sum;
};

}  // namespace atl::device
