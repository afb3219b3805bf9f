// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/rdma_link.h"

#include <chrono>
#include <cstring>
#include <utility>

namespace atl::rdma {
namespace {

/// For what is on its way when the peer leaves: what it sent, and answers of its device, which take another way than
/// the stream's end. So many looks at the queues find nothing, and so long.
constexpr int kPollsAfterTheEnd = 64;
constexpr auto kGraceAfterTheEnd = std::chrono::milliseconds(250);

}  // namespace

RdmaLink::RdmaLink(std::shared_ptr<Worker> worker, LinkNames names, double patience)
    : worker_(std::move(worker)),
      names_(std::move(names)),
      paths_(*worker_, *this, patience),
      notes_(*worker_, paths_),
      out_(*worker_, paths_, notes_),
      in_(*worker_, notes_, names_.me, names_.peer) {}

RdmaLink::~RdmaLink() {
  shut();
}

Result<bool> RdmaLink::meet() {
  ATOLL_TRY(worker_->poll());
  return paths_.meet();
}

void RdmaLink::post(SendPiece& piece) {
  out_.pieces.push(piece);
  if (!state_.ok()) return;
  if (auto pumped = out_.pump(); !pumped.ok()) return fail(std::move(pumped).error());
  retire(out_.pieces);
}

void RdmaLink::post(ReceivePiece& piece) {
  in_.pieces.push(piece);
  if (!state_.ok()) return;
  // The sooner the sender has its grants, the better. Pieces that are through are told by progress().
  if (auto delivered = in_.deliver(); !delivered.ok()) fail(std::move(delivered).error());
}

Result<bool> RdmaLink::progress() {
  if (!state_.ok()) return state_.error();
  if (idle()) {
    // Nothing is wanted here, but the peer may want to know what has come.
    ATOLL_TRY(worker_->progress());
    return false;
  }
  auto moved = moveAll();
  if (moved.ok()) return moved;
  fail(std::move(moved).error());
  return state_.error();
}

Result<bool> RdmaLink::moveAll() {
  ATOLL_ASSIGN(bool moved, worker_->progress());
  if (!state_.ok()) return state_.error();
  ATOLL_ASSIGN(const bool delivered, in_.deliver());
  ATOLL_ASSIGN(const bool pumped, out_.pump());
  if (notes_.owesCredit() && notes_.hasRoom()) ATOLL_TRY(notes_.sendCredit());
  moved |= delivered || pumped;
  moved |= retire(in_.pieces);
  moved |= retire(out_.pieces);
  // A peer that has left may have sent all that is wanted of it.
  if (idle()) return moved;
  if (!paths_.sound() && !paths_.peerHasLeft()) {
    ATOLL_ASSIGN(const bool mended, paths_.mend());
    moved |= mended;
  }
  if (moved) {
    idlePolls_ = 0;
  } else {
    ATOLL_TRY(whileNothingMoves());
  }
  return moved;
}

// What the peer still waits for needs this end's progress, which it gets only while pieces are there: credit, and what
// was sent, until it is known to have arrived, since a path that fails has it sent again.
template <class Piece>
bool RdmaLink::retire(PieceList<Piece>& pieces) {
  const bool owing = !paths_.peerHasLeft() && (notes_.owesCredit() || paths_.creditsUnderWay());
  bool moved = false;
  while (pieces.through() != nullptr) {
    if (pieces.endsMessage() && owing) break;
    pieces.retire();
    moved = true;
  }
  return moved;
}

// What it sent before it left was complete before the stream ended, and is found after that.
Status RdmaLink::whileNothingMoves() {
  if (!paths_.peerHasLeft()) return success();
  if (++idlePolls_ == 1) idleSince_ = Clock::now();
  if (idlePolls_ < kPollsAfterTheEnd || Clock::now() - idleSince_ < kGraceAfterTheEnd) return success();
  idlePolls_ = 0;
  return makeError(ErrorCode::remoteError, "the peer has closed the connection");
}

void RdmaLink::onNote(Buffer& note, std::uint32_t bytes) {
  bool kept = false;
  if (auto status = read(note, bytes, kept); !status.ok() && state_.ok()) fail(std::move(status).error());
  if (!kept) note.giveBack();
}

Status RdmaLink::read(Buffer& note, std::uint32_t bytes, bool& kept) {
  NoteHeader header;
  if (bytes >= sizeof header) std::memcpy(&header, note.data(), sizeof header);
  if (header.bytes != bytes || header.reserved != 0) {
    return makeError(ErrorCode::remoteError, "protocol: a note of {} bytes came that is not what it says", bytes);
  }
  if (header.kind == NoteHeader::Kind::probe && bytes == sizeof header) return success();
  ATOLL_TRY(out_.credit(header.taken));
  switch (header.kind) {
    case NoteHeader::Kind::fragment:
      kept = in_.hold(note, bytes);
      if (kept) return success();
      return makeError(ErrorCode::remoteError, "protocol: a fragment came twice, out of order or without credit");
    case NoteHeader::Kind::grant: {
      GrantNote grant;
      if (bytes != sizeof grant) break;
      std::memcpy(&grant, note.data(), sizeof grant);
      return out_.grant(grant);
    }
    case NoteHeader::Kind::credit:
      if (bytes != sizeof header) break;
      return success();
    case NoteHeader::Kind::probe: break;
  }
  return makeError(ErrorCode::remoteError, "protocol: a note of kind {} and {} bytes came, which there is not",
                   static_cast<int>(header.kind), bytes);
}

void RdmaLink::onWritten(const Arrival& arrival) {
  if (in_.arrive(arrival) || !state_.ok()) return;
  fail(makeError(ErrorCode::remoteError, "protocol: {} bytes came for a place that was not granted", arrival.bytes));
}

void RdmaLink::fail(Error error) {
  state_ = std::move(error).within(fmt::format("{} by {}", names_.peerName, describe()));
}

void RdmaLink::wanted(std::vector<pollfd>& fds) const {
  if (!idle()) worker_->wanted(fds);
}

std::string RdmaLink::describe() const {
  return "rdma " + paths_.describe();
}

void RdmaLink::cancel() {
  if (state_.ok()) fail(makeError(ErrorCode::aborted, "the link was cancelled"));
  shut();
}

// Afterwards no device reads or writes what was posted, nor what was granted.
void RdmaLink::shut() {
  out_.pieces.clear();
  in_.forgetPieces();
  paths_.halt();
  in_.releaseBuffers();
}

}  // namespace atl::rdma
