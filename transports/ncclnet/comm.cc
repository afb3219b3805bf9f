// SPDX-License-Identifier: Apache-2.0
#include "transports/ncclnet/comm.h"

#include <utility>

#include "src/base/log.h"
#include "transports/ncclnet/registrations.h"

namespace atl::ncclnet {

Comm::~Comm() {
  Registrations::instance().drop(*this);
  switch (kind_) {
    case Kind::listen: warnIfFailed("closeListen", net().closeListen(comm_)); break;
    case Kind::send: warnIfFailed("closeSend", net().closeSend(comm_)); break;
    case Kind::receive: warnIfFailed("closeRecv", net().closeRecv(comm_)); break;
  }
}

void Comm::warnIfFailed(std::string_view call, Code code) const {
  if (code == Code::success) return;
  log::warn("{}", context_->plugin().failure(ErrorCode::systemError, call, code).text);
}

std::optional<Registration> Comm::registrationOf(const void* memory, std::size_t bytes) {
  const auto area = findDeclared(memory, bytes);
  if (!area) return std::nullopt;
  return Registrations::instance().of(*this, *area);
}

Result<Request> Comm::send(const void* data, std::size_t bytes, Registration registration) {
  Request request = nullptr;
  const Code code = net().isend(comm_, const_cast<void*>(data), bytes, registration, &request);
  if (code != Code::success) return context_->plugin().failure(ErrorCode::remoteError, "isend", code);
  return request;
}

Result<Request> Comm::receive(void* data, std::size_t bytes, Registration registration) {
  Request request = nullptr;
  const Code code = net().irecv(comm_, data, bytes, registration, &request);
  if (code != Code::success) return context_->plugin().failure(ErrorCode::remoteError, "irecv", code);
  return request;
}

Result<std::optional<std::size_t>> Comm::test(Request request) {
  int done = 0;
  int bytes = 0;
  const Code code = net().test(request, &done, &bytes);
  if (code != Code::success) return context_->plugin().failure(ErrorCode::remoteError, "test", code);
  if (done == 0) return std::optional<std::size_t>();
  return std::optional(static_cast<std::size_t>(bytes));
}

}  // namespace atl::ncclnet
