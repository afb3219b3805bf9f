// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/reception.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "src/base/log.h"
#include "src/bootstrap/partial_read.h"
#include "src/bootstrap/socket.h"

namespace atl {
namespace {

constexpr auto kGreetingLimit = std::chrono::seconds(3);
constexpr auto kParkingLimit = std::chrono::seconds(60);
constexpr std::size_t kMostParked = 4096;
constexpr std::size_t kMostVisitors = 512;
/// When the place is full, who has been silent for this long makes room for the next.
constexpr auto kSilenceAllowed = std::chrono::milliseconds(250);
/// How long nobody is let in when there is no room, or no descriptor left.
constexpr auto kBreather = std::chrono::milliseconds(20);
constexpr std::size_t kMostRefusals = 4;

}  // namespace

/// Somebody who has connected and not yet proved anything.
class Reception::Visitor : public std::enable_shared_from_this<Visitor> {
 public:
  Visitor(Reception& reception, UniqueFd fd) : reception_(reception), fd_(std::move(fd)), came_(Clock::now()) {}

  void start() {
    const auto self = shared_from_this();
    input_.expect(kHelloBytes);
    watch_ = reception_.service_.watch(fd_.get(), EPOLLIN, [self](std::uint32_t) { self->onInput(); });
    timer_ =
        reception_.service_.at(came_ + kGreetingLimit, [self] { self->drop("did not complete the greeting in time"); });
  }

  /// Ends the visit; with a reason, in a line of the log.
  void drop(std::string_view reason) {
    log::line(log::Subject::bootstrap, kNoRank, "dropped {}: {}", from(), reason);
    if (greeted_) reception_.refuse(hello_.group, fmt::format("{} {}", from(), reason));
    leave();
  }
  void leave() {
    reception_.service_.forget(std::exchange(watch_, 0));
    reception_.service_.cancel(std::exchange(timer_, 0));
    reception_.visitorLeft(*this);
  }
  [[nodiscard]] std::string from() const { return peerText(fd_.get()); }
  [[nodiscard]] UniqueFd takeFd() { return std::move(fd_); }
  [[nodiscard]] std::uint64_t group() const { return hello_.group; }
  [[nodiscard]] Clock::time_point came() const { return came_; }

 private:
  void onInput() {
    const auto self = shared_from_this();
    const auto complete = input_.from(fd_.get());
    if (!complete.ok()) return drop(complete.error().text);
    if (!*complete) return;
    if (greeted_) {
      onAnswer();
    } else {
      onHello();
    }
  }

  void onHello() {
    const auto hello = decodeHello(input_.bytes());
    if (!hello) return drop("does not speak Atoll's protocol, or runs on a machine of the other byte order");
    hello_ = *hello;
    const auto found = reception_.groups_.find(hello_.group);
    if (found == reception_.groups_.end()) {
      Challenge unknown;
      unknown.verdict = Challenge::Verdict::unknownGroup;
      sendSmall(fd_.get(), encode(unknown));
      return drop("asks for a group that is not here");
    }
    secret_ = found->second.secret;
    greeted_ = true;
    challenge_ = challengeFor(hello_, secret_);
    if (!sendSmall(fd_.get(), encode(challenge_))) return drop("cannot be answered");
    input_.expect(kAnswerBytes);
  }

  void onAnswer() {
    const auto answer = decodeAnswer(input_.bytes());
    if (!answer || !proves(*answer, challenge_, hello_, secret_))
      return drop("could not prove that it knows the secret");
    if (hello_.purpose == Purpose::rendezvous) {
      reception_.arrivedForRendezvous(*this, hello_.version);
    } else {
      reception_.arrived(*this, answer->key, hello_.version);
    }
  }

  Reception& reception_;
  UniqueFd fd_;
  Clock::time_point came_;
  Service::WatchId watch_ = 0;
  Service::TimerId timer_ = 0;
  PartialRead input_;
  bool greeted_ = false;
  Hello hello_;
  Secret secret_{};
  Challenge challenge_;
};

Reception& Reception::instance() {
  static auto* const reception = new Reception();  // never destroyed: the service thread uses it to the end
  return *reception;
}

Reception::Reception() : service_(Service::running()) {}

Result<NetAddress> Reception::listenAt(NetAddress address) {
  std::array<std::uint8_t, 18> name{};
  std::memcpy(name.data(), address.ip.data(), address.ip.size());
  std::memcpy(&name[16], &address.scope, sizeof address.scope);
  const std::lock_guard lock(listenersMutex_);
  if (const auto found = addresses_.find(name); found != addresses_.end()) return found->second;
  address.port = 0;
  ATOLL_ASSIGN(auto fd, listenOn(address));
  ATOLL_ASSIGN(address.port, boundPort(fd.get()));
  auto listener = std::make_shared<Listener>();
  listener->fd = std::move(fd);
  service_.post([this, listener] { serve(listener); });
  addresses_.emplace(name, address);
  return address;
}

Status Reception::listenOnPort(std::uint16_t port) {
  const std::lock_guard lock(listenersMutex_);
  if (const auto found = ports_.find(port); found != ports_.end()) {
    ++found->second.first;
    return success();
  }
  ATOLL_ASSIGN(auto fd, listenEverywhere(port));
  auto listener = std::make_shared<Listener>();
  listener->fd = std::move(fd);
  service_.post([this, listener] { serve(listener); });
  ports_.emplace(port, std::pair(1, std::move(listener)));
  return success();
}

void Reception::stopListening(std::uint16_t port) {
  const std::lock_guard lock(listenersMutex_);
  const auto found = ports_.find(port);
  if (found == ports_.end() || --found->second.first > 0) return;
  const auto listener = found->second.second;
  ports_.erase(found);
  service_.post([this, listener] {
    service_.forget(listener->watch);
    std::erase(listeners_, listener);
    listener->fd.reset();
  });
}

Result<std::uint64_t> Reception::listenLocally() {
  const std::lock_guard lock(listenersMutex_);
  if (localName_ != 0) return localName_;
  const std::uint64_t name = randomNumber();
  auto listener = std::make_shared<Listener>();
  ATOLL_ASSIGN(listener->fd, atl::listenLocally(localSocketName(name)));
  service_.post([this, listener] { serve(listener); });
  localName_ = name;
  return name;
}

void Reception::addGroup(std::uint64_t group, const Secret& secret) {
  service_.post([this, group, secret] {
    auto& entry = groups_[group];
    entry.secret = secret;
    ++entry.uses;
  });
}

void Reception::forgetGroup(std::uint64_t group) {
  service_.post([this, group] {
    const auto found = groups_.find(group);
    if (found == groups_.end() || --found->second.uses > 0) return;
    groups_.erase(found);
    for (auto it = parked_.begin(); it != parked_.end();) {
      if (it->first.group == group) {
        service_.cancel(it->second.timer);
        it = parked_.erase(it);
      } else {
        ++it;
      }
    }
  });
}

void Reception::setRendezvous(std::uint64_t group, OnNewcomer onNewcomer) {
  const auto found = groups_.find(group);
  if (found != groups_.end()) found->second.onNewcomer = std::move(onNewcomer);
}

std::vector<std::string> Reception::refusals(std::uint64_t group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? std::vector<std::string>() : found->second.refusals;
}

Reception::AcceptId Reception::accept(std::uint64_t group, const StreamKey& key, Deadline deadline, OnStream done) {
  const AcceptId id = nextAccept_++;
  const StreamName name{group, key};
  if (const auto found = parked_.find(name); found != parked_.end()) {
    UniqueFd fd = std::move(found->second.fd);
    service_.cancel(found->second.timer);
    parked_.erase(found);
    if (welcome(fd.get())) {
      done(std::move(fd));
      return id;
    }
    // The peer gave it up while it was parked; it will try again.
  }
  if (waiting_.contains(name)) {
    done(makeError(ErrorCode::invalidUsage, "the stream of ranks {} and {}, lane {}, index {}, is asked for twice",
                   key.lower, key.higher, key.lane, key.index));
    return id;
  }
  Waiting waiting{id, std::move(done), 0};
  if (!deadline.isNever()) {
    waiting.timer = service_.at(deadline.at(), [this, id] {
      const auto found = waitingNames_.find(id);
      if (found == waitingNames_.end()) return;
      const auto entry = waiting_.find(found->second);
      const auto report = std::move(entry->second.done);
      waiting_.erase(entry);
      waitingNames_.erase(found);
      report(makeError(ErrorCode::timeout, "it did not connect within the time limit"));
    });
  }
  waiting_.emplace(name, std::move(waiting));
  waitingNames_.emplace(id, name);
  return id;
}

void Reception::cancel(AcceptId id) {
  const auto found = waitingNames_.find(id);
  if (found == waitingNames_.end()) return;
  const auto entry = waiting_.find(found->second);
  if (entry != waiting_.end() && entry->second.id == id) {
    service_.cancel(entry->second.timer);
    waiting_.erase(entry);
  }
  waitingNames_.erase(found);
}

void Reception::serve(const std::shared_ptr<Listener>& listener) {
  listeners_.push_back(listener);
  listener->watch = service_.watch(listener->fd.get(), paused_ ? 0U : std::uint32_t{EPOLLIN},
                                   [this, listener](std::uint32_t) { welcomeVisitors(*listener); });
}

void Reception::welcomeVisitors(Listener& listener) {
  constexpr int kAtOnce = 64;  // other sockets have their turn
  for (int i = 0; i < kAtOnce; ++i) {
    if (visitors_.size() >= kMostVisitors) {
      if (Clock::now() - visitors_.front()->came() < kSilenceAllowed) return pauseListening();
      visitors_.front()->drop("was silent while others were waiting");
    }
    UniqueFd fd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      if (errno == ECONNABORTED || errno == EINTR) continue;
      log::warn("cannot accept a connection: {}", std::strerror(errno));
      return pauseListening();
    }
    tuneStream(fd.get());
    const auto visitor = std::make_shared<Visitor>(*this, std::move(fd));
    visitors_.push_back(visitor);
    visitor->start();
  }
}

void Reception::pauseListening() {
  if (std::exchange(paused_, true)) return;
  for (const auto& listener : listeners_) service_.change(listener->watch, 0);
  service_.at(Clock::now() + kBreather, [this] {
    paused_ = false;
    for (const auto& listener : listeners_) service_.change(listener->watch, EPOLLIN);
  });
}

void Reception::visitorLeft(Visitor& visitor) {
  visitors_.remove_if([&](const auto& v) { return v.get() == &visitor; });
}

void Reception::arrivedForRendezvous(Visitor& visitor, std::uint16_t version) {
  const auto found = groups_.find(visitor.group());
  if (found == groups_.end() || !found->second.onNewcomer) return visitor.drop("asks for a rendezvous that is closed");
  Newcomer newcomer{UniqueFd(), version, visitor.from()};
  visitor.leave();
  newcomer.fd = visitor.takeFd();
  if (!welcome(newcomer.fd.get())) return;
  const auto onNewcomer = found->second.onNewcomer;
  onNewcomer(std::move(newcomer));
}

void Reception::arrived(Visitor& visitor, const StreamKey& key, std::uint16_t version) {
  if (version != kProtocolVersion)
    return visitor.drop(fmt::format("speaks protocol version {}, not {}", version, kProtocolVersion));
  const StreamName name{visitor.group(), key};
  const auto found = waiting_.find(name);
  if (found != waiting_.end()) {
    visitor.leave();
    UniqueFd fd = visitor.takeFd();
    if (!welcome(fd.get())) return;  // it has gone; it may try again
    const auto done = std::move(found->second.done);
    service_.cancel(found->second.timer);
    waitingNames_.erase(found->second.id);
    waiting_.erase(found);
    return done(std::move(fd));
  }
  if (parked_.size() >= kMostParked && !parked_.contains(name))
    return visitor.drop("came too early, and too many others did");
  visitor.leave();
  if (const auto before = parked_.find(name); before != parked_.end()) {
    service_.cancel(before->second.timer);  // its earlier attempt; the newest counts
    parked_.erase(before);
  }
  const auto timer = service_.at(Clock::now() + kParkingLimit, [this, name] {
    log::line(log::Subject::bootstrap, kNoRank, "dropped a stream from rank {} or {} that nobody asked for",
              name.key.lower, name.key.higher);
    parked_.erase(name);
  });
  parked_.emplace(name, Parked{visitor.takeFd(), timer});
}

void Reception::refuse(std::uint64_t group, std::string text) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  auto& refusals = found->second.refusals;
  if (refusals.size() < kMostRefusals) refusals.push_back(std::move(text));
}

/// False when the peer has given the stream up; it says nothing before it is welcomed, so that anything to read is its
/// end.
bool Reception::welcome(int fd) {
  std::byte end{};
  if (::recv(fd, &end, sizeof end, MSG_PEEK) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return false;
  return sendSmall(fd, std::span(&kWelcome, 1));
}

}  // namespace atl
