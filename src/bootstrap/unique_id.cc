// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/unique_id.h"

#include <algorithm>

#include "src/bootstrap/wire.h"

namespace atl {
namespace {

constexpr std::uint32_t kMagic = 0x6c6f7441;  // "Atol"
constexpr std::uint16_t kIdVersion = 1;

}  // namespace

UniqueId encodeId(const IdFields& fields) {
  WireWriter writer;
  writer.put(kMagic);
  writer.put(kIdVersion);
  writer.put(static_cast<std::uint8_t>(fields.byAddress));
  const auto addresses = std::min(fields.addresses.size(), kMaxIdAddresses);
  writer.put(static_cast<std::uint8_t>(addresses));
  writer.put(fields.group);
  writer.raw(fields.secret.data(), fields.secret.size());
  writer.put(fields.host);
  writer.put(fields.localName);
  for (std::size_t i = 0; i < addresses; ++i) {
    const auto& address = fields.addresses[i];
    writer.raw(address.ip.data(), address.ip.size());
    writer.put(address.port);
    writer.put(address.scope);
  }
  const Bytes bytes = writer.take();
  UniqueId id;
  static_assert(sizeof id.bytes >= 8 + 8 + sizeof(Secret) + 16 + kMaxIdAddresses * 20);
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

Result<IdFields> decodeId(const UniqueId& id) {
  WireReader reader(std::as_bytes(std::span(id.bytes)));
  if (reader.get<std::uint32_t>() != kMagic) {
    return makeError(ErrorCode::invalidArgument,
                     "the unique id was not made by atollGetUniqueId, or was damaged on its way");
  }
  if (const auto version = reader.get<std::uint16_t>(); version != kIdVersion) {
    return makeError(ErrorCode::mismatch, "the unique id is of version {}, this process knows version {}", version,
                     kIdVersion);
  }
  IdFields fields;
  fields.byAddress = reader.get<std::uint8_t>() != 0;
  const std::size_t addresses = reader.get<std::uint8_t>();
  fields.group = reader.get<std::uint64_t>();
  const auto secret = reader.raw(fields.secret.size());
  std::memcpy(fields.secret.data(), secret.data(), secret.size());
  fields.host = reader.get<std::uint64_t>();
  fields.localName = reader.get<std::uint64_t>();
  if (addresses > kMaxIdAddresses) {
    return makeError(ErrorCode::invalidArgument, "the unique id lists {} addresses, at most {} fit", addresses,
                     kMaxIdAddresses);
  }
  for (std::size_t i = 0; i < addresses; ++i) {
    NetAddress address;
    const auto ip = reader.raw(address.ip.size());
    std::memcpy(address.ip.data(), ip.data(), ip.size());
    address.port = reader.get<std::uint16_t>();
    address.scope = reader.get<std::uint16_t>();
    fields.addresses.push_back(address);
  }
  return fields;
}

}  // namespace atl
