// SPDX-License-Identifier: Apache-2.0
#include "integrations/nccl-net/plugin.h"

#include <utility>

#include "integrations/nccl-net/logger.h"
#include "src/bootstrap/handshake.h"
#include "src/bootstrap/process_info.h"
#include "src/bootstrap/service.h"

namespace atl::netplugin {
namespace {

/// This process as peers reach it by the device.
struct Self {
  ProcessInfo info;
  std::uint64_t localName = 0;
};

Result<Self> describeSelf(const Device& device) {
  if (!cryptoReady())
    return makeError(ErrorCode::systemError, "libsodium cannot be set up: no source of random numbers");
  ATOLL_TRY(Service::instance());
  Settings settings = device.settings;
  settings.transports = device.transport;
  Self self;
  ATOLL_ASSIGN(self.info, describeListeningProcess(settings));
  ATOLL_ASSIGN(self.localName, Reception::instance().listenLocally());
  return self;
}

Result<std::vector<Device>> find() {
  ATOLL_ASSIGN(const Settings settings, Settings::fromEnvironment());
  ATOLL_ASSIGN(auto found, findDevices(settings));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Device& device = found[i];
    inform("device {}: {} by {}, {} Mbit/s{}", i, device.name, device.transport, device.megabits,
           device.speedKnown ? "" : " (assumed: the driver does not say)");
  }
  return found;
}

}  // namespace

Result<const std::vector<Device>*> devices() {
  static std::mutex mutex;
  static std::optional<std::vector<Device>> found;
  const std::scoped_lock lock(mutex);
  if (!found) {
    ATOLL_ASSIGN(found, find());
  }
  return &*found;
}

Result<const Device*> deviceNumber(int number) {
  ATOLL_ASSIGN(const auto* const all, devices());
  if (number >= 0 && static_cast<std::size_t>(number) < all->size()) return &(*all)[static_cast<std::size_t>(number)];
  return makeError(ErrorCode::invalidArgument, "there is no device {}: there are {}", number, all->size());
}

Listener::Listener(std::shared_ptr<Domain> domain, const Secret& secret, std::uint64_t connection)
    : domain_(std::move(domain)), registration_(groupOf(secret), secret) {
  route_.connection = connection;
  route_.secret = secret;
  route_.peer.hostName = "of the sender";  // it is known by the secret alone
}

Result<std::unique_ptr<ReceiveEnd>> Listener::accept() {
  if (accepted_) return makeError(ErrorCode::invalidUsage, "one connection has been accepted here, more cannot be");
  if (coming_ == nullptr) coming_ = std::make_unique<ReceiveEnd>(domain_, route_);
  ATOLL_ASSIGN(accepted_, coming_->poll());
  if (!accepted_) return std::unique_ptr<ReceiveEnd>();
  return std::move(coming_);
}

Context& Context::common() {
  static auto* const context = new Context;  // never destroyed: NCCL may use it while the process ends
  return *context;
}

Result<std::shared_ptr<Domain>> Context::domainOf(const Device& device) {
  const bool shared = device.transport != "tcp";
  const std::scoped_lock lock(mutex_);
  if (const auto known = domains_.find(device.name); shared && known != domains_.end()) return known->second;
  ATOLL_ASSIGN(Self self, describeSelf(device));
  ATOLL_ASSIGN(auto domain, Domain::create(device, std::move(self.info)));
  if (shared) domains_[device.name] = domain;
  return domain;
}

Result<std::unique_ptr<Listener>> Context::listen(int number, Handle& handle) {
  ATOLL_ASSIGN(const Device* const device, deviceNumber(number));
  ATOLL_ASSIGN(auto domain, domainOf(*device));
  ATOLL_ASSIGN(const auto localName, Reception::instance().listenLocally());
  Secret secret{};
  fillRandom(secret);
  const std::uint64_t connection = randomNumber();
  handle = handleOf(domain->self(), localName, device->transport, connection, secret);
  return std::make_unique<Listener>(std::move(domain), secret, connection);
}

Result<std::unique_ptr<SendEnd>> Context::connect(int number, Handle& handle) {
  ATOLL_ASSIGN(const Device* const device, deviceNumber(number));
  ATOLL_ASSIGN(auto receiver, receiverOf(handle, device->transport));
  if (handle.attempt == 0) {
    ATOLL_ASSIGN(auto domain, domainOf(*device));
    Route route;
    route.connection = handle.connection;
    route.secret = handle.secret;
    route.sends = true;
    route.peer = std::move(receiver);
    auto end = std::make_unique<SendEnd>(std::move(domain), std::move(route));
    const std::scoped_lock lock(mutex_);
    handle.attempt = ++lastAttempt_;
    attempts_[handle.attempt] = {handle.connection, std::move(end)};
  }
  SendEnd* coming = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    const auto attempt = attempts_.find(handle.attempt);
    if (attempt == attempts_.end() || attempt->second.connection != handle.connection) {
      return makeError(ErrorCode::invalidArgument,
                       "the handle is of attempt {} to connect, which there is not: it is changed, or used again",
                       handle.attempt);
    }
    coming = attempt->second.end.get();
  }
  auto ready = coming->poll();
  if (ready.ok() && !*ready) return std::unique_ptr<SendEnd>();
  const std::scoped_lock lock(mutex_);
  auto attempt = attempts_.extract(handle.attempt);
  if (!ready.ok()) return std::move(ready).error();
  return std::move(attempt.mapped().end);
}

}  // namespace atl::netplugin
