// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/desk.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "src/base/log.h"
#include "src/bootstrap/forming.h"

namespace atl {
namespace {

/// Until somebody claims a desk, the list keeps it.
struct Listed {
  std::weak_ptr<Desk> desk;
  std::shared_ptr<Desk> unclaimed;
};

struct DeskList {
  std::mutex mutex;
  std::map<std::uint64_t, Listed> desks;
};

DeskList& deskList() {
  static auto* const list = new DeskList();  // never destroyed: desks close themselves at any time
  return *list;
}

}  // namespace

Status Desk::open(const IdFields& id, std::uint16_t port, const Settings& settings) {
  auto& list = deskList();
  const std::lock_guard lock(list.mutex);
  auto& entry = list.desks[id.group];
  if (auto open = entry.desk.lock()) {
    entry.unclaimed = std::move(open);
    return success();
  }
  if (port != 0) ATOLL_TRY(Reception::instance().listenOnPort(port));
  auto desk = std::make_shared<Desk>(id, port, settings);
  entry = {desk, desk};
  Service::running().post([desk] {
    Reception::instance().setRendezvous(desk->id_.group, [weak = desk->weak_from_this()](Reception::Newcomer newcomer) {
      if (const auto self = weak.lock()) self->onNewcomer(std::move(newcomer));
    });
  });
  return success();
}

std::shared_ptr<Desk> Desk::claim(std::uint64_t group) {
  auto& list = deskList();
  const std::lock_guard lock(list.mutex);
  const auto found = list.desks.find(group);
  if (found == list.desks.end()) return nullptr;
  auto desk = found->second.desk.lock();
  found->second.unclaimed.reset();
  return desk;
}

Desk::Desk(IdFields id, std::uint16_t port, Settings settings)
    : id_(std::move(id)), port_(port), settings_(std::move(settings)), registration_(id_.group, id_.secret) {}

Desk::~Desk() {
  if (port_ != 0) Reception::instance().stopListening(port_);
  // Channels end on the service thread only; the desk may end anywhere.
  Service::running().post([newcomers = std::move(newcomers_)] {});
}

void Desk::onNewcomer(Reception::Newcomer newcomer) {
  if (newcomer.version == kProtocolVersion) {
    newcomers_.push_back(Channel::create(Service::running(), std::move(newcomer.fd), weak_from_this()));
    return;
  }
  Error error = makeError(ErrorCode::mismatch,
                          "a process at {} speaks bootstrap protocol version {}, the rendezvous speaks version {}",
                          newcomer.from, newcomer.version, kProtocolVersion);
  log::line(log::Subject::bootstrap, kNoRank, "{}", error.text);
  if (const auto forming = latest_.lock()) forming->fail(std::move(error));
}

Result<std::shared_ptr<Forming>> Desk::formingFor(const Enrol& enrol) {
  if (enrol.sealedFirstId.empty()) return Forming::of(encodeId(id_), settings_);
  const auto plain = unseal(enrol.sealedFirstId, id_.secret);
  UniqueId first;
  if (!plain || plain->size() != first.bytes.size())
    return makeError(ErrorCode::mismatch, "an enrolment's first id cannot be read");
  std::memcpy(first.bytes.data(), plain->data(), plain->size());
  return Forming::of(first, settings_);
}

Status Desk::onFrame(const std::shared_ptr<Channel>& channel, MessageType type, std::span<const std::byte> body) {
  if (type != MessageType::enrol)
    return makeError(ErrorCode::mismatch, "a newcomer's first message is not its enrolment");
  ATOLL_ASSIGN(const auto message, decodeEnrol(body));
  ATOLL_ASSIGN(const auto forming, formingFor(message));
  std::erase(newcomers_, channel);
  latest_ = forming;
  forming->enrol(channel, message, shared_from_this());
  return success();
}

void Desk::onClosed(const std::shared_ptr<Channel>& channel, const Error& why) {
  log::line(log::Subject::bootstrap, kNoRank, "a newcomer went before it enrolled: {}", why.text);
  std::erase(newcomers_, channel);
}

}  // namespace atl
