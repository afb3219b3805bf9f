// SPDX-License-Identifier: Apache-2.0
// Whatever bytes come as a message of the bootstrap: reading them must end without a fault, and what was read must be
// written so that it reads the same again. The first byte chooses the message.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "src/bootstrap/handshake.h"
#include "src/bootstrap/messages.h"
#include "src/bootstrap/unique_id.h"

namespace {

using Body = std::span<const std::byte>;

void require(bool good) {
  if (!good) std::abort();
}

/// For parsers that give a Result or an optional of something that encode() takes.
template <class Decode>
void checkMessage(Decode decode, Body body) {
  const auto message = decode(body);
  if (!message) return;
  const atl::Bytes written = atl::encode(*message);
  const auto again = decode(Body(written));
  require(static_cast<bool>(again));
  require(atl::encode(*again) == written);
}

void checkFailure(Body body) {
  atl::Error failure;
  if (!atl::decodeFailure(body, failure).ok()) return;
  atl::Error again;
  require(atl::decodeFailure(Body(atl::encode(failure)), again).ok());
  require(again.code == failure.code && again.text == failure.text);
}

void checkId(Body body) {
  atl::UniqueId id;
  std::transform(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(std::min(body.size(), id.bytes.size())),
                 id.bytes.begin(), [](std::byte b) { return static_cast<std::uint8_t>(b); });
  const auto fields = atl::decodeId(id);
  if (!fields.ok()) return;
  const auto again = atl::decodeId(atl::encodeId(*fields));
  require(again.ok());
  require(again->addresses == fields->addresses && again->secret == fields->secret && again->group == fields->group);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Body body = std::as_bytes(std::span(data + 1, size - 1));
  switch (data[0] % 13) {
    case 0: checkMessage(atl::decodeHello, body); break;
    case 1: checkMessage(atl::decodeChallenge, body); break;
    case 2: checkMessage(atl::decodeAnswer, body); break;
    case 3: checkMessage(atl::decodeProcess, body); break;
    case 4: checkMessage(atl::decodeEnrol, body); break;
    case 5: checkMessage(atl::decodeAssign, body); break;
    case 6: checkMessage(atl::decodeJoin, body); break;
    case 7: checkMessage(atl::decodeDirectory, body); break;
    case 8: checkMessage(atl::decodeGatherUp, body); break;
    case 9: checkMessage(atl::decodeGatherDown, body); break;
    case 10: checkMessage(atl::decodeNotice, body); break;
    case 11: checkFailure(body); break;
    default: checkId(body); break;
  }
  return 0;
}
