// SPDX-License-Identifier: Apache-2.0
// What a peer may say over NCCL's network plug-ins: a greeting and a message's header of a link over one, a handle and
// a header of Atoll's own. What passes must keep to its bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "integrations/nccl-net/wire.h"
#include "transports/ncclnet/wire.h"

namespace {

using namespace atl;

void require(bool holds) {
  if (!holds) std::abort();
}

template <class Words>
Words read(const std::uint8_t* data, std::size_t size) {
  Words words;
  std::memcpy(&words, data, size < sizeof words ? size : sizeof words);
  return words;
}

void link(const std::uint8_t* data, std::size_t size) {
  const auto mine = ncclnet::greetingOf("Fabric", 100'000);
  const auto agreed = ncclnet::agreedBlock(read<ncclnet::Greeting>(data, size), mine);
  if (agreed.ok()) require(*agreed >= ncclnet::kLeastBlockBytes && *agreed <= 100'000);
  const auto header = read<ncclnet::Header>(data, size);
  for (const std::uint64_t bytes : {std::uint64_t{100}, std::uint64_t{300'000}}) {
    if (!ncclnet::check(header, size, {0, 1, 1, bytes, {}}).ok()) continue;
    require(header.bytes == bytes && size >= sizeof header && size <= ncclnet::kSlotBytes);
  }
}

void plugin(const std::uint8_t* data, std::size_t size) {
  const auto receiver = netplugin::receiverOf(read<netplugin::Handle>(data, size), "tcp");
  if (receiver.ok()) require(!receiver->addresses.empty() && receiver->addresses.size() <= 2);
  const auto header = read<netplugin::Header>(data, size);
  if (netplugin::check(header, 1000, 5).ok()) require(header.bytes <= 1000 && header.tag == 5);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  link(data, size);
  plugin(data, size);
  return 0;
}
