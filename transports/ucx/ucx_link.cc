// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/ucx_link.h"

#include <chrono>
#include <utility>

#include "src/base/log.h"

namespace atl::ucx {
namespace {

/// For UCX to let go of an endpoint that is closed by force: it has nobody to wait for.
constexpr auto kClosing = std::chrono::seconds(5);
/// Each takes at least one message, and UCX's queues in shared memory have a few hundred (UCX_MM_FIFO_SIZE, 256).
constexpr int kMostRoundsAfterFailure = 4096;

}  // namespace

UcxLink::UcxLink(std::shared_ptr<Worker> worker, LinkNames names)
    : worker_(std::move(worker)),
      names_(std::move(names)),
      ends_(std::make_shared<Ends>(*worker_, names_)),
      number_(worker_->enrol(*this)) {}

UcxLink::~UcxLink() {
  shut();
}

Status UcxLink::open(std::span<const std::byte> peerAddress, std::uint32_t peerNumber) {
  ends_->meeting.addressTo(peerNumber);
  ends_->out.addressTo(peerNumber);
  ends_->in.addressTo(peerNumber);
  return ends_->endpoint.open(peerAddress);
}

Result<bool> UcxLink::meet() {
  const Endpoint& endpoint = ends_->endpoint;
  const bool moved = worker_->progress();
  const bool met = ends_->meeting.advance();
  if (met || !isOver(moved)) return met;
  return ucx::failure(endpoint.api(), ErrorCode::remoteError, "the two cannot be joined", endpoint.failure());
}

void UcxLink::post(SendPiece& piece) {
  ends_->out.pieces.push(piece);
  if (!state_.ok()) return;
  ends_->out.pump();
  retire(ends_->out.pieces);
}

void UcxLink::post(ReceivePiece& piece) {
  ends_->in.pieces.push(piece);
}

Result<bool> UcxLink::progress() {
  if (!state_.ok()) return state_.error();
  if (idle()) return false;
  auto moved = moveAll();
  if (!moved.ok()) return fail(std::move(moved).error());
  return moved;
}

Result<bool> UcxLink::moveAll() {
  const Endpoint& endpoint = ends_->endpoint;
  bool moved = worker_->progress();
  ATOLL_ASSIGN(const bool delivered, ends_->in.deliver());
  ends_->in.sendCredits();
  moved |= delivered;
  if (!ends_->out.creditIsSound())
    return makeError(ErrorCode::remoteError, "protocol: credits came for fragments that were not sent");
  moved |= ends_->out.pump();
  moved |= retire(ends_->in.pieces);
  moved |= retire(ends_->out.pieces);
  if (!idle() && isOver(moved)) {
    return ucx::failure(endpoint.api(), ErrorCode::remoteError, "the connection is lost", endpoint.failure());
  }
  return moved;
}

// A peer that has left may have sent before all that is wanted of it, and UCX can know of the end while that still
// waits in this process: in a queue in shared memory, which UCX reads on after the failure of an endpoint. So the
// failure counts when nothing more comes. Other links of the worker may go on forever, and are waited for only as long
// as such a queue may need.
bool UcxLink::isOver(bool moved) {
  if (ends_->endpoint.failure() == UCS_OK) return false;
  return !moved || ++roundsAfterFailure_ > kMostRoundsAfterFailure;
}

template <class Piece>
bool UcxLink::retire(PieceList<Piece>& pieces) {
  bool moved = false;
  while (pieces.through() != nullptr) {
    if (ends_->in.crediting()) break;
    pieces.retire();
    moved = true;
  }
  return moved;
}

Result<bool> UcxLink::fail(Error error) {
  state_ = std::move(error).within(fmt::format("{} by {}", names_.peerName, describe()));
  return state_.error();
}

void UcxLink::wanted(std::vector<pollfd>& fds) const {
  if (!idle()) worker_->wanted(fds);
}

std::string UcxLink::describe() const {
  const Endpoint& endpoint = ends_->endpoint;
  const std::string lanes = endpoint.handle() != nullptr ? endpoint.lanes() : "";
  return fmt::format("ucx {}{}{}", endpoint.api().getVersionString(), lanes.empty() ? "" : " ", lanes);
}

void UcxLink::cancel() {
  if (state_.ok()) static_cast<void>(fail(makeError(ErrorCode::aborted, "the link was cancelled")));
  shut();
}

bool UcxLink::onFragment(const FragmentHeader& header, void* data, std::size_t bytes, bool announced) {
  return ends_->in.hold(header, data, bytes, announced);
}

void UcxLink::onCredit(const CreditHeader& credit) {
  ends_->out.credit(credit);
}

void UcxLink::onHello(HelloHeader::Word word) {
  ends_->meeting.hear(word);
}

// Afterwards UCX neither reads nor writes what was posted.
void UcxLink::shut() {
  worker_->dismiss(number_);
  ends_->out.forget();
  ends_->in.forget();
  ends_->endpoint.close();
  const Deadline deadline = Deadline::in(kClosing);
  while (!ends_->atRest() && !deadline.passed()) worker_->progress();
  if (ends_->atRest()) return;
  log::warn("UCX has not let go of a link to {} {} s after it was closed", names_.peerName,
            std::chrono::seconds(kClosing).count());
  worker_->keep(ends_);
}

}  // namespace atl::ucx
