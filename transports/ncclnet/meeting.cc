// SPDX-License-Identifier: Apache-2.0
#include "transports/ncclnet/meeting.h"

#include <span>
#include <utility>

namespace atl::ncclnet {

Status Meeting::begin(UniqueFd stream) {
  stream_ = GreetingStream(std::move(stream));
  mine_ = greetingOf(context_->plugin().name(), context_->properties().mostBytes);
  void* listening = nullptr;
  const Code code = context_->net().listen(context_->handle(), context_->device(), mine_.handle.data(), &listening);
  if (code != Code::success) return context_->plugin().failure(ErrorCode::systemError, "listen", code);
  listen_ = std::make_unique<Comm>(context_, Comm::Kind::listen, listening);
  stream_.say(std::as_bytes(std::span(&mine_, 1)));
  return success();
}

Result<bool> Meeting::poll() {
  ATOLL_ASSIGN(const bool said, stream_.flush());
  if (!greeted()) ATOLL_TRY(hear());
  // Before it is known that the plug-ins are the same, nothing that comes is let to this one.
  if (!greeted()) return false;
  if (send_ == nullptr) ATOLL_TRY(connect());
  if (receive_ == nullptr) ATOLL_TRY(accept());
  if (!said || send_ == nullptr || receive_ == nullptr) return false;
  listen_.reset();
  return true;
}

Status Meeting::hear() {
  ATOLL_ASSIGN(const bool heard, stream_.hear(&theirs_, sizeof theirs_, greeted_));
  if (stream_.ended())
    return makeError(ErrorCode::remoteError, "the other end closed the connection before its greeting");
  if (!heard) return success();
  ATOLL_ASSIGN(blockBytes_, agreedBlock(theirs_, mine_));
  return success();
}

Status Meeting::connect() {
  void* connected = nullptr;
  const Code code = context_->net().connect(context_->handle(), context_->device(), theirs_.handle.data(), &connected);
  if (connected != nullptr) send_ = std::make_unique<Comm>(context_, Comm::Kind::send, connected);
  if (code == Code::success) return success();
  return context_->plugin().failure(ErrorCode::remoteError, "connect", code);
}

Status Meeting::accept() {
  void* accepted = nullptr;
  const Code code = context_->net().accept(listen_->handle(), &accepted);
  if (accepted != nullptr) receive_ = std::make_unique<Comm>(context_, Comm::Kind::receive, accepted);
  if (code == Code::success) return success();
  return context_->plugin().failure(ErrorCode::remoteError, "accept", code);
}

}  // namespace atl::ncclnet
