// SPDX-License-Identifier: Apache-2.0
#include "integrations/nccl-net/wire.h"

#include <algorithm>

#include "src/bootstrap/socket.h"
#include "transports/names.h"

namespace atl::netplugin {

Handle handleOf(const ProcessInfo& process, std::uint64_t localName, std::string_view transport,
                std::uint64_t connection, const Secret& secret) {
  Handle handle;
  const auto* const place = std::find(kTransportNames.begin(), kTransportNames.end(), transport);
  handle.transport = static_cast<std::uint8_t>(place - kTransportNames.begin());
  handle.addressCount = static_cast<std::uint8_t>(std::min(process.addresses.size(), Handle::kMostAddresses));
  handle.connection = connection;
  handle.host = process.host;
  handle.localName = localName;
  handle.secret = secret;
  for (std::size_t i = 0; i < handle.addressCount; ++i) {
    const NetAddress& address = process.addresses[i];
    handle.addresses[i] = {address.ip, address.port, address.scope};
  }
  handle.pid = process.pid;
  return handle;
}

Result<ProcessInfo> receiverOf(const Handle& handle, std::string_view transport) {
  if (handle.magic != Handle::kMagic || handle.reserved != 0) {
    return makeError(ErrorCode::remoteError, "the handle is none of this plug-in's (it begins with {:#010x})",
                     handle.magic);
  }
  if (handle.version != kVersion) {
    return makeError(ErrorCode::remoteError, "the handle is of version {} of this plug-in, this is version {}",
                     handle.version, kVersion);
  }
  if (handle.transport >= kTransportNames.size()) {
    return makeError(ErrorCode::remoteError, "the handle is of transport number {}, which there is not",
                     handle.transport);
  }
  if (kTransportNames[handle.transport] != transport) {
    return makeError(
        ErrorCode::unsupported,
        "the receiver listens by {}, this process sends by {}: set ATOLL_NCCL_NET_TRANSPORT to the same on "
        "all hosts",
        kTransportNames[handle.transport], transport);
  }
  if (handle.addressCount == 0 || handle.addressCount > Handle::kMostAddresses) {
    return makeError(ErrorCode::remoteError, "the handle has {} addresses, from 1 to {} can be", handle.addressCount,
                     Handle::kMostAddresses);
  }
  ProcessInfo receiver;
  for (std::size_t i = 0; i < handle.addressCount; ++i) {
    const Handle::Address& address = handle.addresses[i];
    receiver.addresses.push_back({address.ip, address.port, address.scope});
  }
  receiver.host = handle.host;
  if (handle.localName != 0) receiver.localName = localSocketName(handle.localName);
  receiver.hostName = receiver.addresses.front().text();
  receiver.pid = handle.pid;
  return receiver;
}

Status check(const Header& header, std::uint64_t room, int tag) {
  if (header.magic != Header::kMagic) {
    return makeError(ErrorCode::remoteError, "protocol: garbage ({:#010x}) where a header should be", header.magic);
  }
  if (header.tag != tag) {
    return makeError(ErrorCode::invalidUsage, "a message with tag {} came where one with tag {} is expected",
                     header.tag, tag);
  }
  if (header.bytes > room) {
    return makeError(ErrorCode::invalidUsage, "a message of {} bytes came where {} at most are expected", header.bytes,
                     room);
  }
  return success();
}

}  // namespace atl::netplugin
