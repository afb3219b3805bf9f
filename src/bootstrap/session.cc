// SPDX-License-Identifier: Apache-2.0
// The ways into a session: ids, joining, and groups that live in one process.
#include "src/bootstrap/session.h"

#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "src/base/log.h"
#include "src/bootstrap/desk.h"
#include "src/bootstrap/forming.h"
#include "src/bootstrap/handshake.h"
#include "src/bootstrap/process_info.h"
#include "src/bootstrap/unique_id.h"
#include "transports/names.h"

namespace atl {
namespace {

Status ready() {
  if (!cryptoReady())
    return makeError(ErrorCode::systemError, "libsodium cannot be set up: no source of random numbers");
  ATOLL_TRY(Service::instance());
  return success();
}

/// "host:port" or "[v6 address]:port".
Status split(const std::string& hostPort, std::string& host, std::uint16_t& port) {
  const auto colon = hostPort.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return makeError(ErrorCode::invalidArgument, "rendezvous address '{}' is not host:port", hostPort);
  }
  host = hostPort.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const char* const first = hostPort.data() + colon + 1;
  const char* const last = hostPort.data() + hostPort.size();
  const auto [end, ec] = std::from_chars(first, last, port);
  if (ec != std::errc() || end != last || port == 0) {
    return makeError(ErrorCode::invalidArgument, "rendezvous address '{}': '{}' is not a port", hostPort, first);
  }
  return success();
}

Result<std::vector<NetAddress>> resolve(const std::string& host, std::uint16_t port, const Settings& settings) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = settings.addressFamily == "4" ? AF_INET : settings.addressFamily == "6" ? AF_INET6 : AF_UNSPEC;
  addrinfo* raw = nullptr;
  if (const int failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &raw); failure != 0) {
    return makeError(ErrorCode::systemError, "cannot find the address of rendezvous host '{}': {}", host,
                     ::gai_strerror(failure));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(raw, &::freeaddrinfo);
  std::vector<NetAddress> addresses;
  for (const addrinfo* entry = list.get(); entry != nullptr && addresses.size() < kMaxIdAddresses;
       entry = entry->ai_next) {
    NetAddress address;
    address.port = port;
    if (entry->ai_family == AF_INET) {
      sockaddr_in in{};
      std::memcpy(&in, entry->ai_addr, sizeof in);
      address.ip[10] = address.ip[11] = 0xff;
      std::memcpy(&address.ip[12], &in.sin_addr, 4);
    } else if (entry->ai_family == AF_INET6) {
      sockaddr_in6 in{};
      std::memcpy(&in, entry->ai_addr, sizeof in);
      std::memcpy(address.ip.data(), &in.sin6_addr, address.ip.size());
      address.scope = static_cast<std::uint16_t>(in.sin6_scope_id);
    } else {
      continue;
    }
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
  }
  return addresses;
}

std::uint64_t numberFrom(const Secret& bytes) {
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

}  // namespace

Result<UniqueId> openRendezvous(const Settings& settings) {
  ATOLL_TRY(ready());
  ATOLL_ASSIGN(const auto process, describeListeningProcess(settings));
  ATOLL_ASSIGN(const auto localName, Reception::instance().listenLocally());
  IdFields fields;
  fields.group = randomNumber();
  fillRandom(fields.secret);
  fields.host = process.host;
  fields.localName = localName;
  fields.addresses = process.addresses;
  if (fields.addresses.size() > kMaxIdAddresses) fields.addresses.resize(kMaxIdAddresses);
  ATOLL_TRY(Desk::open(fields, 0, settings));
  return encodeId(fields);
}

Result<UniqueId> rendezvousAt(const std::string& hostPort, std::string_view secretText, bool host,
                              const Settings& settings) {
  ATOLL_TRY(ready());
  std::string name;
  std::uint16_t port = 0;
  ATOLL_TRY(split(hostPort, name, port));
  IdFields fields;
  fields.byAddress = true;
  ATOLL_ASSIGN(fields.addresses, resolve(name, port, settings));
  const auto* const text = reinterpret_cast<const std::uint8_t*>(secretText.data());
  fields.secret = deriveSecret({text, secretText.size()}, "atoll rendezvous secret");
  // Not from the secret: a process that has another must be recognised as one of this rendezvous that has the wrong
  // secret.
  const std::array<std::uint8_t, 2> portBytes = {static_cast<std::uint8_t>(port & 0xff),
                                                 static_cast<std::uint8_t>(port >> 8)};
  fields.group = numberFrom(deriveSecret(portBytes, "atoll rendezvous group"));
  Forming::forgetFailed(fields);
  if (host) ATOLL_TRY(Desk::open(fields, port, settings));
  return encodeId(fields);
}

Result<std::shared_ptr<Session>> Session::join(std::span<const UniqueId> ids, Rank rank, Rank ranks,
                                               const Settings& settings, Deadline deadline) {
  if (ids.empty()) return makeError(ErrorCode::invalidArgument, "no unique id is given");
  if (ranks < 1) return makeError(ErrorCode::invalidArgument, "the number of ranks is {}, at least 1 is needed", ranks);
  ATOLL_TRY(ready());
  ATOLL_ASSIGN(const auto forming, Forming::of(ids.front(), settings));
  return forming->join(ids, rank, ranks, deadline);
}

std::shared_ptr<Session> Session::local(Rank ranks, const Settings& settings) {
  Directory directory;
  cryptoReady();
  fillRandom(directory.secret);
  const auto allowed = allowedTransports(settings);
  const std::uint32_t transports = allowed.ok() ? *allowed : transportBit("inproc");
  ProcessInfo process = describeProcess(settings, transports);
  if ((transports & transportBit("inproc")) == 0 && ready().ok()) {
    // The ranks are to talk through transports that join processes: they need endpoints even here.
    if (auto listening = describeListeningProcess(settings); listening.ok()) {
      process = std::move(listening).value();
    } else {
      log::warn("a group within this process has no endpoints: {}", listening.error().text);
    }
  }
  directory.processes.push_back(std::move(process));
  directory.processOf.assign(static_cast<std::size_t>(std::max(ranks, 0)), 0);
  return GroupSession::create(std::move(directory), randomNumber(), {});
}

}  // namespace atl
