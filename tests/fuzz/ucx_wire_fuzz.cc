// SPDX-License-Identifier: Apache-2.0
// What a peer may say on a UCX link: the first half of the input is what comes on the stream where its greeting and
// address should be, the second a fragment's header against what is expected. What passes must keep to its bounds.
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "transports/ucx/exchange.h"
#include "transports/ucx/wire.h"

namespace {

using namespace atl;

void require(bool holds) {
  if (!holds) std::abort();
}

void hear(const std::uint8_t* data, std::size_t size) {
  int ends[2] = {-1, -1};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd peer(ends[0]);
  const std::byte mine[8] = {};
  ucx::Exchange exchange(UniqueFd(ends[1]), 0, mine);
  const std::size_t first = size / 2;  // it may come in any cuts
  for (const auto& [at, bytes] : {std::pair{std::size_t{0}, first}, std::pair{first, size - first}}) {
    static_cast<void>(::send(peer.get(), data + at, bytes, MSG_NOSIGNAL));
    const auto told = exchange.poll();
    if (!told.ok()) return;
    if (*told) require(!exchange.peerAddress().empty() && exchange.peerAddress().size() <= ucx::kMostAddressBytes);
  }
}

void judge(const std::uint8_t* data, std::size_t size) {
  ucx::FragmentHeader header;
  ucx::Expectation expected{0, 1, 1, 300'000, 262'144, {}};
  std::memcpy(&header, data, std::min(size, sizeof header));
  if (size > sizeof header && (data[sizeof header] & 1) != 0) {  // a message that begins
    expected.at = 0;
    expected.call.sequence = data[sizeof header] >> 1;
  }
  if (!ucx::check(header, expected).ok()) return;
  require(header.at == expected.at && header.bytes > 0 && header.bytes <= ucx::kBlockBytes);
  require(header.bytes <= expected.messageBytes - expected.at);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hear(data, size / 2);
  judge(data + size / 2, size - size / 2);
  return 0;
}
