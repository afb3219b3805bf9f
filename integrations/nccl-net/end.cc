// SPDX-License-Identifier: Apache-2.0
#include "integrations/nccl-net/end.h"

#include <utility>

namespace atl::netplugin {
namespace {

/// The header of a message, or its payload, as a message of the link's.
template <class Piece, class Data>
void fill(Piece& piece, Data* data, std::uint64_t bytes) {
  piece = Piece{};
  piece.data = data;
  piece.bytes = piece.messageBytes = bytes;
  piece.first = true;
}

}  // namespace

End::End(std::shared_ptr<Domain> domain, Route route) : domain_(std::move(domain)) {
  const std::scoped_lock lock(mutex());
  std::tie(peer_, pending_) = domain_->connect(std::move(route));
}

End::~End() {
  const std::scoped_lock lock(mutex());
  pending_.reset();
  link_.reset();
  domain_->forget(peer_);
}

void End::close() {
  const std::scoped_lock lock(mutex());
  link_.reset();
}

Result<bool> End::poll() {
  const std::scoped_lock lock(mutex());
  if (link_ != nullptr) return true;
  ATOLL_ASSIGN(const bool ready, pending_->poll());
  if (!ready) return false;
  link_ = std::get<std::unique_ptr<MessageLink>>(pending_->take());
  pending_.reset();
  return true;
}

Declaration* End::declare(void* memory, std::size_t bytes) {
  auto declaration = std::make_unique<Declaration>(memory, bytes);
  Declaration* const key = declaration.get();
  const std::scoped_lock lock(declarationsMutex_);
  declarations_.emplace(key, std::move(declaration));
  return key;
}

Status End::undeclare(Declaration* declaration) {
  const std::scoped_lock lock(declarationsMutex_);
  if (declarations_.erase(declaration) == 1) return success();
  return makeError(ErrorCode::invalidUsage, "the registration is none of this connection's");
}

Request* SendEnd::send(const void* data, std::uint64_t bytes, int tag) {
  const std::scoped_lock lock(mutex());
  for (Sending& request : requests_) {
    if (request.owner != nullptr) continue;
    request.owner = this;
    request.header.tag = tag;
    request.header.bytes = bytes;
    fill<SendPiece, const void>(request.head, &request.header, sizeof request.header);
    link().post(request.head);
    if (bytes == 0) return &request;
    fill(request.body, data, bytes);
    link().post(request.body);
    return &request;
  }
  return nullptr;
}

Result<std::optional<std::uint64_t>> SendEnd::test(Request& request) {
  const std::scoped_lock lock(mutex());
  auto& sending = static_cast<Sending&>(request);
  // What has left has left, whatever becomes of the connection.
  if (!sending.done()) ATOLL_TRY(link().progress());
  if (!sending.done()) return std::optional<std::uint64_t>();
  sending.owner = nullptr;
  return std::optional(sending.header.bytes);
}

Result<Request*> ReceiveEnd::receive(void* data, std::uint64_t room, int tag) {
  const std::scoped_lock lock(mutex());
  ATOLL_TRY(state_);
  Receiving& request = requests_[asked_ % requests_.size()];
  if (request.owner != nullptr) return static_cast<Request*>(nullptr);
  request.owner = this;
  request.data = data;
  request.room = room;
  request.tag = tag;
  request.opened = false;
  ++asked_;
  askForHeader();
  return static_cast<Request*>(&request);
}

/// Of the next request, when the one before it is open: what comes behind that is known only then.
void ReceiveEnd::askForHeader() {
  if (headersAsked_ != opened_ || headersAsked_ == asked_) return;
  Receiving& request = requests_[headersAsked_++ % requests_.size()];
  fill<ReceivePiece, void>(request.head, &request.header, sizeof request.header);
  link().post(request.head);
}

Status ReceiveEnd::open() {
  while (opened_ < headersAsked_) {
    Receiving& request = requests_[opened_ % requests_.size()];
    if (!request.head.done) return success();
    ATOLL_TRY(check(request.header, request.room, request.tag));
    request.opened = true;
    ++opened_;
    if (request.header.bytes > 0) {
      fill(request.body, request.data, request.header.bytes);
      link().post(request.body);
    }
    askForHeader();
  }
  return success();
}

Result<std::optional<std::uint64_t>> ReceiveEnd::test(Request& request) {
  const std::scoped_lock lock(mutex());
  auto& receiving = static_cast<Receiving&>(request);
  if (!receiving.done()) {
    ATOLL_TRY(state_);
    const auto opened = opened_;
    if (auto moved = link().progress(); !moved.ok()) state_ = std::move(moved).error();
    // Also what came before the connection failed.
    if (auto status = open(); !status.ok() && state_.ok()) state_ = std::move(status).error();
    // The payload of a small message is mostly here with its header.
    if (state_.ok() && opened != opened_) {
      if (auto moved = link().progress(); !moved.ok()) state_ = std::move(moved).error();
    }
  }
  if (receiving.done()) {
    receiving.owner = nullptr;
    return std::optional(receiving.header.bytes);
  }
  ATOLL_TRY(state_);
  return std::optional<std::uint64_t>();
}

}  // namespace atl::netplugin
