// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/forming.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "src/base/log.h"
#include "src/bootstrap/process_info.h"

namespace atl {
namespace {

constexpr std::size_t kFanOut = GroupSession::kFanOut;
/// The lane that the tree's own streams bear in place of a plan's.
constexpr std::uint16_t kFormingLane = 0xfffe;
/// The root's verdict at the deadline needs a moment to come down the tree; who has not heard by then says so itself.
constexpr auto kVerdictPatience = std::chrono::seconds(2);
/// For how long those who come after a failure are told of it.
constexpr auto kFailureKept = std::chrono::seconds(5);

using FormingKey = std::pair<std::uint64_t, Secret>;

struct FormingList {
  std::mutex mutex;
  std::map<FormingKey, std::shared_ptr<Forming>> forming;
};

FormingList& formingList() {
  static auto* const list = new FormingList();  // never destroyed: sessions may form until the very end
  return *list;
}

std::uint32_t millisecondsLeft(Deadline deadline) {
  return deadline.isNever() ? 0 : static_cast<std::uint32_t>(std::max(1, deadline.pollMilliseconds(0x7fffffff)));
}

Deadline deadlineIn(std::uint32_t milliseconds) {
  return milliseconds == 0 ? Deadline::never() : Deadline::in(std::chrono::milliseconds(milliseconds));
}

std::vector<Endpoint> endpointsOf(const ProcessInfo& from, std::uint64_t host, const std::string& localName,
                                  const std::vector<NetAddress>& addresses) {
  std::vector<Endpoint> endpoints;
  if (from.host == host && !localName.empty()) endpoints.push_back({{}, localName});
  for (const auto& address : addresses) endpoints.push_back({address, {}});
  return endpoints;
}

std::string nameOf(const ProcessInfo& process) {
  return fmt::format("host {}, pid {}", process.hostName, process.pid);
}

}  // namespace

Result<std::shared_ptr<Forming>> Forming::of(const UniqueId& firstId, const Settings& settings) {
  ATOLL_ASSIGN(auto fields, decodeId(firstId));
  auto& list = formingList();
  const std::lock_guard lock(list.mutex);
  auto& entry = list.forming[{fields.group, fields.secret}];
  if (entry) return entry;
  auto self = describeListeningProcess(settings);
  if (!self.ok()) {
    list.forming.erase({fields.group, fields.secret});
    return std::move(self).error();
  }
  const auto desk = Desk::claim(fields.group);
  entry = std::make_shared<Forming>(firstId, std::move(fields), desk, std::move(self).value());
  if (desk) Service::running().post([desk, forming = entry] { desk->follow(forming); });
  return entry;
}

void Forming::forgetFailed(const IdFields& firstId) {
  auto& list = formingList();
  const std::lock_guard lock(list.mutex);
  const auto found = list.forming.find({firstId.group, firstId.secret});
  if (found == list.forming.end()) return;
  const auto former = found->second;
  const std::lock_guard formingLock(former->mutex_);
  if (former->state_ == State::failed) list.forming.erase(found);
}

Forming::Forming(const UniqueId& firstId, IdFields fields, std::shared_ptr<Desk> desk, ProcessInfo self)
    : firstId_(firstId),
      first_(std::move(fields)),
      isRoot_(desk != nullptr),
      self_(std::move(self)),
      begun_(Clock::now()),
      registration_(groupOf(first_.secret), first_.secret) {
  if (!isRoot_) return;
  desks_.push_back(std::move(desk));
  assembly_.addProcess(self_);
}

Forming::~Forming() = default;

// ---- the ranks of this process
// ---------------------------------------------------------------------------------------

Result<std::shared_ptr<Session>> Forming::join(std::span<const UniqueId> ids, Rank rank, Rank ranks,
                                               Deadline deadline) {
  auto& service = Service::running();
  std::unique_lock lock(mutex_);
  if (state_ == State::failed) return *error_;
  if (state_ != State::forming)
    return makeError(ErrorCode::invalidArgument, "rank {} came when all {} ranks were there already", rank, ranks);
  if (isRoot_) {
    for (const auto& id : ids.subspan(1)) {
      const auto fields = decodeId(id);
      if (!fields.ok()) continue;
      if (auto desk = Desk::claim(fields->group)) desks_.push_back(std::move(desk));
    }
    considerDeadline(deadline);
    if (auto arrived = assembly_.addRank(self_.id, rank, ranks); !arrived.ok()) {
      service.post([self = shared_from_this(), error = std::move(arrived).error()] { self->fail(error); });
    } else if (assembly_.complete()) {
      state_ = State::completing;
      if (othersCame_) {
        service.post([self = shared_from_this()] { self->completeAsRoot(); });
      } else {
        auto companion = std::make_shared<std::vector<std::shared_ptr<Desk>>>(std::move(desks_));
        lock.unlock();
        settle(GroupSession::create(assembly_.directory(first_.secret), randomNumber(), {}, std::move(companion)));
        lock.lock();
      }
    }
  } else {
    if (!std::exchange(started_, true)) {
      service.post([self = shared_from_this(), to = destination(ids, rank, ranks), deadline] {
        if (!to.ok()) return self->fail(to.error());
        self->goTo(*to, deadline);
      });
    }
    service.post([self = shared_from_this(), message = Join{self_.id, rank, ranks}] {
      self->up(MessageType::join, encode(message));
    });
  }
  const auto settled = [this] { return state_ == State::complete || state_ == State::failed; };
  if (deadline.isNever()) {
    settled_.wait(lock, settled);
  } else if (!settled_.wait_until(lock, deadline.at() + kVerdictPatience, settled)) {
    Error error = makeError(ErrorCode::timeout, "rank {}: no word from the rendezvous within the time limit", rank);
    service.post([self = shared_from_this(), error] { self->fail(error); });
    return error;
  }
  if (state_ == State::failed) return *error_;
  return session_;
}

Result<Forming::Destination> Forming::destination(std::span<const UniqueId> ids, Rank rank, Rank ranks) {
  Destination result{first_, {}};
  for (const auto& id : ids.subspan(1)) {
    ATOLL_ASSIGN(const auto fields, decodeId(id));
    if (auto desk = Desk::claim(fields.group)) desks_.push_back(std::move(desk));
  }
  // A process with a desk of its own is a child of the root; the others spread over all desks.
  const std::int64_t count = static_cast<std::int64_t>(ids.size());
  const std::int64_t share = rank >= 0 && rank < ranks ? rank * count / ranks : 0;
  if (!desks_.empty() || share == 0) return result;
  ATOLL_ASSIGN(result.desk, decodeId(ids[static_cast<std::size_t>(share)]));
  result.sealedFirstId = seal(firstId_.bytes, result.desk.secret);
  return result;
}

void Forming::considerDeadline(Deadline deadline) {
  if (deadline.isNever() || (!deadline_.isNever() && deadline_.at() <= deadline.at())) return;
  deadline_ = deadline;
  Service::running().post([self = shared_from_this(), deadline] {
    auto& service = Service::running();
    service.cancel(self->timer_);
    self->timer_ = service.at(deadline.at(), [self] { self->onDeadline(); });
  });
}

void Forming::onDeadline() {
  std::string missing;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::forming) return;
    missing = assembly_.missing();
  }
  std::string text = fmt::format("{} did not come within {:.3g} s", missing, seconds(Clock::now() - begun_));
  const auto refusals = Reception::instance().refusals(first_.group);
  for (std::size_t i = 0; i < refusals.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "; refused were: " : ", ", refusals[i]);
  fail(makeError(ErrorCode::timeout, "{}", text));
}

void Forming::unregister() {
  auto& list = formingList();
  const std::lock_guard lock(list.mutex);
  const auto found = list.forming.find({first_.group, first_.secret});
  if (found != list.forming.end() && found->second.get() == this) list.forming.erase(found);
}

void Forming::settle(std::shared_ptr<Session> session) {
  const auto self = shared_from_this();
  // First out of the list: a rank that returns may join again at once, and that is another session.
  unregister();
  {
    const std::lock_guard lock(mutex_);
    state_ = State::complete;
    session_ = std::move(session);
  }
  settled_.notify_all();
}

bool Forming::settleFailed(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::complete || state_ == State::failed) return false;
    state_ = State::failed;
    error_ = error;
  }
  settled_.notify_all();
  return true;
}

// ---- the way to the parent
// -------------------------------------------------------------------------------------------

void Forming::goTo(const Destination& destination, Deadline deadline) {
  if (std::exchange(underWay_, true)) return;
  ownDeadline_ = deadline;
  const IdFields& desk = destination.desk;
  DialRequest request;
  request.purpose = Purpose::rendezvous;
  request.group = desk.group;
  request.secret = desk.secret;
  request.endpoints =
      endpointsOf(self_, desk.host, desk.localName == 0 ? "" : localSocketName(desk.localName), desk.addresses);
  request.mayComeLater = desk.byAddress;
  request.deadline = deadline;
  request.peer = "the rendezvous";
  dial_ = Dial::start(Service::running(), std::move(request),
                      [self = shared_from_this(), sealed = destination.sealedFirstId](Result<UniqueFd> fd) {
                        self->dial_.reset();
                        if (!fd.ok()) return self->fail(std::move(fd).error());
                        self->deskChannel_ = Channel::create(Service::running(), std::move(fd).value(), self);
                        const Process me{self->self_, millisecondsLeft(self->ownDeadline_)};
                        self->deskChannel_->send(MessageType::enrol, encode(Enrol{me, sealed}));
                      });
}

void Forming::onAssign(const Assign& assign) {
  if (assign.parentIsHere) return parentReached(std::move(deskChannel_), assign);
  DialRequest request;
  request.purpose = Purpose::stream;
  request.group = groupOf(first_.secret);
  request.secret = first_.secret;
  request.key = {assign.tree, static_cast<Rank>(assign.parentPlace), static_cast<Rank>(assign.place), kFormingLane, 0};
  request.endpoints = endpointsOf(self_, assign.parent.host, assign.parent.localName, assign.parent.addresses);
  request.deadline = ownDeadline_;
  request.peer = nameOf(assign.parent);
  dial_ = Dial::start(Service::running(), std::move(request), [self = shared_from_this(), assign](Result<UniqueFd> fd) {
    self->dial_.reset();
    if (!fd.ok()) return self->fail(std::move(fd).error().within(nameOf(self->self_)));
    self->parentReached(Channel::create(Service::running(), std::move(fd).value(), self), assign);
  });
}

void Forming::parentReached(std::shared_ptr<Channel> channel, const Assign& assign) {
  parent_ = std::move(channel);
  parentId_ = assign.parent.id;
  const Bytes me = encode(Process{self_, 0});
  if (deskChannel_) {
    parent_->send(MessageType::attached, me);
    deskChannel_->send(MessageType::attached, me);
    std::exchange(deskChannel_, nullptr)->closeAfterSending();
  }
  expectChildren(assign.tree, assign.place);
  for (auto& message : queued_) parent_->send(message.type, std::move(message.body));
  queued_.clear();
}

void Forming::expectChildren(std::uint64_t tree, std::uint32_t place) {
  const std::uint64_t group = groupOf(first_.secret);
  const std::uint64_t firstChild = std::uint64_t{place} * kFanOut + 1;
  for (std::uint64_t child = firstChild; child < firstChild + kFanOut && child <= 0x7fffffff; ++child) {
    const StreamKey key{tree, static_cast<Rank>(place), static_cast<Rank>(child), kFormingLane, 0};
    expected_.push_back(
        Reception::instance().accept(group, key, Deadline::never(), [weak = weak_from_this()](Result<UniqueFd> fd) {
          const auto self = weak.lock();
          if (!self || !fd.ok()) return;
          self->children_.push_back({Channel::create(Service::running(), std::move(fd).value(), self), std::nullopt});
        }));
  }
}

void Forming::up(MessageType type, Bytes body) {
  if (parent_) {
    parent_->send(type, std::move(body));
  } else {
    queued_.push_back({type, std::move(body)});
  }
}

// ---- those below
// -----------------------------------------------------------------------------------------------------

void Forming::enrol(const std::shared_ptr<Channel>& channel, const Enrol& message, const std::shared_ptr<Desk>& desk) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::forming) {
      const Error late = state_ == State::failed
                             ? *error_
                             : makeError(ErrorCode::invalidUsage, "all ranks were there already when {} came",
                                         nameOf(message.process.info));
      channel->send(MessageType::fail, encode(late));
      return channel->closeAfterSending();
    }
    if (std::find(desks_.begin(), desks_.end(), desk) == desks_.end()) desks_.push_back(desk);
  }
  if (places_.empty()) {
    places_.push_back(self_);
    tree_ = randomNumber();
  }
  Assign assign;
  assign.tree = tree_;
  assign.place = static_cast<std::uint32_t>(places_.size());
  assign.parentPlace = (assign.place - 1) / static_cast<std::uint32_t>(kFanOut);
  assign.parentIsHere = assign.parentPlace == 0;
  assign.parent = places_[assign.parentPlace];
  places_.push_back(message.process.info);
  channel->setOwner(weak_from_this());
  if (assign.parentIsHere) {
    children_.push_back({channel, message.process.info});
  } else {
    assigned_.push_back(channel);
  }
  arrive(message.process);
  channel->send(MessageType::assign, encode(assign));
  if (!isRoot_) goTo({first_, {}}, deadlineIn(message.process.millisecondsLeft));
}

void Forming::arrive(const Process& process) {
  if (!isRoot_) return up(MessageType::process, encode(process));
  const std::lock_guard lock(mutex_);
  assembly_.addProcess(process.info);
  othersCame_ = true;
  considerDeadline(deadlineIn(process.millisecondsLeft));
}

void Forming::arrive(const Join& join) {
  if (!isRoot_) return up(MessageType::join, encode(join));
  Status arrived = success();
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::forming) return;
    arrived = assembly_.addRank(join.process, join.rank, join.ranks);
    if (arrived.ok() && !assembly_.complete()) return;
    if (arrived.ok()) state_ = State::completing;
  }
  if (!arrived.ok()) return fail(std::move(arrived).error());
  completeAsRoot();
}

Status Forming::onFrame(const std::shared_ptr<Channel>& channel, MessageType type, std::span<const std::byte> body) {
  const auto child =
      std::find_if(children_.begin(), children_.end(), [&](const Child& c) { return c.channel == channel; });
  const bool fromChild = child != children_.end();
  if (type == MessageType::fail) {
    Error failure;
    ATOLL_TRY(decodeFailure(body, failure));
    fail(std::move(failure));
  } else if (type == MessageType::process && fromChild) {
    ATOLL_ASSIGN(const auto message, decodeProcess(body));
    arrive(message);
  } else if (type == MessageType::join && fromChild) {
    ATOLL_ASSIGN(const auto message, decodeJoin(body));
    arrive(message);
  } else if (type == MessageType::attached && fromChild && !child->info) {
    ATOLL_ASSIGN(const auto message, decodeProcess(body));
    child->info = message.info;
  } else if (type == MessageType::attached && std::erase(assigned_, channel) != 0) {
    channel->close();
  } else if (type == MessageType::assign && channel == deskChannel_) {
    ATOLL_ASSIGN(const auto message, decodeAssign(body));
    onAssign(message);
  } else if (type == MessageType::directory && channel == parent_) {
    return onDirectory(body);
  } else {
    return makeError(ErrorCode::mismatch, "a message of type {} is out of place while the ranks come together",
                     static_cast<unsigned>(type));
  }
  return success();
}

void Forming::onClosed(const std::shared_ptr<Channel>& channel, const Error& why) {
  const auto child =
      std::find_if(children_.begin(), children_.end(), [&](const Child& c) { return c.channel == channel; });
  std::string who = channel == parent_ || channel == deskChannel_ ? "the process above this one in the tree"
                                                                  : "a process on its way to its place";
  if (child != children_.end()) {
    const std::lock_guard lock(mutex_);
    if (child->info) who = isRoot_ ? assembly_.nameOf(child->info->id) : nameOf(*child->info);
  }
  fail(makeError(ErrorCode::remoteError, "{} went before all ranks were there: {}", who, why.text));
}

// ---- the end
// ---------------------------------------------------------------------------------------------------------

void Forming::completeAsRoot() {
  const Directory directory = assembly_.directory(first_.secret);
  formSession({randomNumber(), directory.processes, directory.processOf});
}

Status Forming::onDirectory(std::span<const std::byte> body) {
  ATOLL_ASSIGN(auto message, decodeDirectory(body));
  formSession(std::move(message));
  return success();
}

void Forming::formSession(DirectoryMessage message) {
  const auto self = shared_from_this();
  const auto body = std::make_shared<const Bytes>(encode(message));
  std::unordered_map<std::uint64_t, std::uint32_t> indexOf;
  for (std::uint32_t i = 0; i < message.processes.size(); ++i) indexOf.emplace(message.processes[i].id, i);
  TreePlace place;
  if (parent_) {
    const auto found = indexOf.find(parentId_);
    if (found == indexOf.end())
      return fail(makeError(ErrorCode::mismatch, "the directory lacks the process above this one"));
    place.parent = TreeEdge{parent_, found->second};
  }
  for (auto& child : children_) {
    const auto found = child.info ? indexOf.find(child.info->id) : indexOf.end();
    if (found == indexOf.end()) {
      child.channel->close();  // connected, but not one of the group: none of its ranks was waited for
      continue;
    }
    child.channel->send(MessageType::directory, body);
    place.children.push_back({child.channel, found->second});
  }
  parent_.reset();
  children_.clear();
  std::shared_ptr<void> companion;
  {
    const std::lock_guard lock(mutex_);
    companion = std::make_shared<std::vector<std::shared_ptr<Desk>>>(std::move(desks_));
  }
  const std::uint64_t number = message.communicator;
  Directory directory;
  directory.processes = std::move(message.processes);
  directory.processOf = std::move(message.processOf);
  directory.secret = first_.secret;
  closeAll(makeError(ErrorCode::invalidUsage, "all ranks were there already"));
  settle(GroupSession::create(std::move(directory), number, std::move(place), std::move(companion)));
}

void Forming::fail(Error error) {
  const auto self = shared_from_this();
  if (!settleFailed(error)) return;
  log::line(log::Subject::bootstrap, kNoRank, "the ranks do not come together: {}", error.text);
  closeAll(error);
  Service::running().at(Clock::now() + kFailureKept, [self] {
    self->unregister();
    std::vector<std::shared_ptr<Desk>> desks;
    const std::lock_guard lock(self->mutex_);
    desks.swap(self->desks_);
  });
}

/// Tells everybody who is still connected, and lets go of everything.
void Forming::closeAll(const Error& error) {
  auto& service = Service::running();
  const auto body = std::make_shared<const Bytes>(encode(error));
  const auto dismiss = [&](const std::shared_ptr<Channel>& channel) {
    if (!channel || !channel->isOpen()) return;
    channel->send(MessageType::fail, body);
    channel->closeAfterSending();
  };
  dismiss(std::exchange(parent_, nullptr));
  dismiss(std::exchange(deskChannel_, nullptr));
  for (const auto& child : std::exchange(children_, {})) dismiss(child.channel);
  for (const auto& channel : std::exchange(assigned_, {})) dismiss(channel);
  for (const auto id : std::exchange(expected_, {})) Reception::instance().cancel(id);
  if (const auto dial = std::exchange(dial_, nullptr)) dial->cancel();
  service.cancel(std::exchange(timer_, 0));
  queued_.clear();
}

}  // namespace atl
