// SPDX-License-Identifier: Apache-2.0
#include "transports/ncclnet/ncclnet_link.h"

#include <utility>

namespace atl::ncclnet {
namespace {

template <class Piece>
bool retire(PieceList<Piece>& pieces) {
  bool moved = false;
  for (; pieces.through() != nullptr; moved = true) pieces.retire();
  return moved;
}

}  // namespace

NcclNetLink::NcclNetLink(std::shared_ptr<Context> context, std::unique_ptr<Comm> send, std::unique_ptr<Comm> receive,
                         std::uint64_t blockBytes, LinkNames names)
    : context_(std::move(context)),
      blockBytes_(blockBytes),
      names_(std::move(names)),
      out_(std::make_unique<Outgoing>(std::move(send), blockBytes)),
      in_(std::make_unique<Incoming>(std::move(receive), blockBytes, names_.me, names_.peer)) {}

void NcclNetLink::post(SendPiece& piece) {
  if (out_ == nullptr) return;
  out_->pieces.push(piece);
  if (!state_.ok()) return;
  if (auto pumped = out_->pump(); !pumped.ok()) return fail(std::move(pumped).error());
  retire(out_->pieces);
}

void NcclNetLink::post(ReceivePiece& piece) {
  if (in_ == nullptr) return;
  in_->pieces.push(piece);
  if (!state_.ok()) return;
  // The sooner the plug-in knows the place, the better. Pieces that are through are told by progress().
  if (auto delivered = in_->deliver(); !delivered.ok()) fail(std::move(delivered).error());
}

Result<bool> NcclNetLink::progress() {
  if (!state_.ok()) return state_.error();
  if (idle()) return false;
  auto moved = moveAll();
  if (moved.ok()) return moved;
  fail(std::move(moved).error());
  return state_.error();
}

Result<bool> NcclNetLink::moveAll() {
  ATOLL_ASSIGN(bool moved, in_->deliver());
  moved |= retire(in_->pieces);
  ATOLL_ASSIGN(const bool pumped, out_->pump());
  moved |= pumped;
  moved |= retire(out_->pieces);
  return moved;
}

void NcclNetLink::fail(Error error) {
  state_ = std::move(error).within(fmt::format("{} by {}", names_.peerName, describe()));
}

void NcclNetLink::wanted(std::vector<pollfd>& fds) const {
  if (!idle()) context_->wanted(fds);
}

std::string NcclNetLink::describe() const {
  return fmt::format("ncclnet {} {}", context_->plugin().describe(), context_->properties().name);
}

// Afterwards the plug-in neither reads nor writes what was posted.
void NcclNetLink::cancel() {
  if (state_.ok()) fail(makeError(ErrorCode::aborted, "the link was cancelled"));
  out_.reset();
  in_.reset();
}

}  // namespace atl::ncclnet
