// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/exchange.h"

#include <utility>

namespace atl::ucx {

Exchange::Exchange(UniqueFd socket, std::uint32_t link, std::span<const std::byte> address)
    : stream_(std::move(socket)) {
  Greeting greeting;
  greeting.link = link;
  greeting.addressBytes = static_cast<std::uint32_t>(address.size());
  stream_.say(std::as_bytes(std::span(&greeting, 1)));
  stream_.say(address);
}

Result<bool> Exchange::poll() {
  ATOLL_ASSIGN(const bool said, stream_.flush());
  if (greeted_ < sizeof theirs_) {
    ATOLL_ASSIGN(const bool greeted, stream_.hear(&theirs_, sizeof theirs_, greeted_));
    ATOLL_TRY(stillThere());
    if (!greeted) return false;
    ATOLL_TRY(check(theirs_));
    address_.resize(theirs_.addressBytes);
  }
  ATOLL_ASSIGN(const bool told, stream_.hear(address_.data(), address_.size(), told_));
  ATOLL_TRY(stillThere());
  return told && said;
}

Status Exchange::stillThere() const {
  if (!stream_.ended()) return success();
  return makeError(ErrorCode::remoteError, "the other end closed the connection before its address");
}

}  // namespace atl::ucx
