// SPDX-License-Identifier: Apache-2.0
// What a peer may say on an RDMA link: the first half of the input is what comes on the stream where its greeting and
// words should be, the second a fragment's note against what is expected. What passes must keep to its bounds.
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "transports/rdma/lifeline.h"
#include "transports/rdma/wire.h"

namespace {

using namespace atl;

void require(bool holds) {
  if (!holds) std::abort();
}

void hear(const std::uint8_t* data, std::size_t size) {
  int ends[2] = {-1, -1};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd peer(ends[0]);
  rdma::Lifeline lifeline{UniqueFd(ends[1])};
  lifeline.greet({});
  const std::size_t first = size / 2;  // it may come in any cuts
  std::size_t paths = 0;
  for (const auto& [at, bytes] : {std::pair{std::size_t{0}, first}, std::pair{first, size - first}}) {
    static_cast<void>(::send(peer.get(), data + at, bytes, MSG_NOSIGNAL));
    if (paths == 0) {
      const auto greeting = lifeline.hearGreeting();
      if (!greeting.ok() || !*greeting || !rdma::check(**greeting).ok()) continue;
      paths = (*greeting)->paths;
      require(paths >= 1 && paths <= rdma::kMostPaths);
    }
    for (;;) {
      const auto word = lifeline.hear();
      if (!word.ok() || !*word) break;
      if (!rdma::check(**word, paths).ok()) return;
      require((*word)->path < ((*word)->kind == rdma::Word::Kind::key ? rdma::kMostDevices : paths));
      if ((*word)->kind == rdma::Word::Kind::offer) require((*word)->offer.mtu >= 1 && (*word)->offer.mtu <= 5);
    }
  }
}

void judge(const std::uint8_t* data, std::size_t size) {
  rdma::FragmentNote note;
  rdma::Expectation expected{0, 1, 1, rdma::kMostEager, 700, {}};
  std::memcpy(&note, data, std::min(size, sizeof note));
  if (note.header.bytes < sizeof note || note.header.bytes > rdma::kSlotBytes) return;  // not let through by the link
  if (size > sizeof note && (data[sizeof note] & 1) != 0) {                             // a message that begins
    expected.at = 0;
    expected.call.sequence = data[sizeof note] >> 1;
  }
  if (!rdma::check(note, expected).ok()) return;
  require(note.at == expected.at && note.header.bytes > sizeof note);
  require(note.header.bytes - sizeof note <= expected.messageBytes - expected.at);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hear(data, size / 2);
  judge(data + size / 2, size - size / 2);
  return 0;
}
