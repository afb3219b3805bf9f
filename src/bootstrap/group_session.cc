// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/group_session.h"

#include <algorithm>
#include <future>

#include "src/base/log.h"
#include "src/bootstrap/handshake.h"
#include "src/bootstrap/process_info.h"
#include "src/bootstrap/rank_list.h"

namespace atl {
namespace {

constexpr auto kFarewellPatience = std::chrono::seconds(1);

}  // namespace

std::shared_ptr<Session> GroupSession::create(Directory directory, std::uint64_t communicator, TreePlace place,
                                              std::shared_ptr<void> companion) {
  struct Handle {
    std::shared_ptr<GroupSession> session;
    explicit Handle(std::shared_ptr<GroupSession> s) : session(std::move(s)) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { session->leaveAll(); }
  };
  auto session =
      std::make_shared<GroupSession>(std::move(directory), communicator, std::move(place), std::move(companion));
  session->start();
  auto* const raw = session.get();
  return std::shared_ptr<Session>(std::make_shared<Handle>(std::move(session)), raw);
}

GroupSession::GroupSession(Directory directory, std::uint64_t communicator, TreePlace place,
                           std::shared_ptr<void> companion)
    : directory_(std::move(directory)),
      communicator_(communicator),
      companion_(std::move(companion)),
      alone_(place.alone()),
      childCount_(place.children.size()),
      left_(directory_.processOf.size(), false),
      place_(std::move(place)) {
  for (Rank rank = 0; rank < directory_.ranks(); ++rank) {
    if (directory_.process(rank).id != processNumber()) continue;
    localRanks_.push_back(rank);
    locals_.emplace(rank, std::make_unique<Local>());
  }
}

GroupSession::~GroupSession() = default;

void GroupSession::start() {
  const bool reachable = std::any_of(
      directory_.processes.begin(), directory_.processes.end(),
      [](const ProcessInfo& process) { return process.id == processNumber() && !process.addresses.empty(); });
  if (reachable) registration_ = std::make_unique<GroupRegistration>(groupOf(directory_.secret), directory_.secret);
  if (alone_) return;
  self_ = shared_from_this();
  if (place_.parent) place_.parent->channel->setOwner(weak_from_this());
  for (const auto& child : place_.children) child.channel->setOwner(weak_from_this());
  if (localRanks_.empty()) leaving_ = true;  // the process only held the rendezvous: it stays while the others need it
}

GroupSession::Local* GroupSession::local(Rank rank) {
  const auto found = locals_.find(rank);
  return found == locals_.end() ? nullptr : found->second.get();
}

// ---- notices
// ---------------------------------------------------------------------------------------------------------

void GroupSession::spread(const Notice& notice) {
  if (notice.rank < 0 || notice.rank >= directory_.ranks()) return;
  record(notice);
  deliver();
  if (alone_) return;
  const auto body = std::make_shared<const Bytes>(encode(notice));
  Service::running().post([self = shared_from_this(), body] { self->sendNotice(nullptr, body); });
}

void GroupSession::sendNotice(const Channel* except, const Channel::Body& body) {
  if (place_.parent && place_.parent->channel.get() != except) place_.parent->channel->send(MessageType::notice, body);
  for (const auto& child : place_.children) {
    if (child.channel.get() != except) child.channel->send(MessageType::notice, body);
  }
}

void GroupSession::record(const Notice& notice) {
  auto full = std::make_shared<const Notice>(complete(notice));
  const std::lock_guard lock(mutex_);
  if (notice.kind == Notice::Kind::left) left_[static_cast<std::size_t>(notice.rank)] = true;
  notices_.push_back(full);
  if (failure_) return;
  failure_ =
      makeError(notice.kind == Notice::Kind::aborted ? ErrorCode::aborted : ErrorCode::remoteError, "{}", full->text);
  for (const auto& [sequence, gather] : gathers_) gather->changed.notify_all();
}

Notice GroupSession::complete(Notice notice) const {
  if (!notice.text.empty()) return notice;
  const char* const verb = notice.kind == Notice::Kind::left      ? "has left the communicator"
                           : notice.kind == Notice::Kind::aborted ? "aborted the communicator"
                           : notice.kind == Notice::Kind::died    ? "died"
                                                                  : "failed";
  notice.text = fmt::format("{} {}", directory_.name(notice.rank), verb);
  return notice;
}

void GroupSession::deliver() const {
  for (const auto& [rank, local] : locals_) deliverTo(rank, *local);
}

void GroupSession::deliverTo(Rank rank, Local& local) const {
  const std::lock_guard handlerLock(local.handlerMutex);
  if (!local.handler) return;
  for (;;) {
    std::shared_ptr<const Notice> notice;
    {
      const std::lock_guard lock(mutex_);
      if (local.delivered == notices_.size()) return;
      notice = notices_[local.delivered++];
    }
    if (notice->rank != rank) local.handler(*notice);  // a rank knows of its own doings
  }
}

void GroupSession::onNotice(Rank me, std::function<void(const Notice&)> handler) {
  Local* const mine = local(me);
  if (mine == nullptr) return;
  {
    const std::lock_guard lock(mine->handlerMutex);
    mine->handler = std::move(handler);
    mine->delivered = 0;
  }
  deliverTo(me, *mine);
}

// ---- the tree
// --------------------------------------------------------------------------------------------------------

Status GroupSession::onFrame(const std::shared_ptr<Channel>& channel, MessageType type,
                             std::span<const std::byte> body) {
  switch (type) {
    case MessageType::gatherUp: return onGatherUp(*channel, body);
    case MessageType::gatherDown: return onGatherDown(body);
    case MessageType::notice: {
      ATOLL_ASSIGN(const auto notice, decodeNotice(body));
      if (notice.rank < 0 || notice.rank >= directory_.ranks()) {
        return makeError(ErrorCode::mismatch, "a notice names rank {} of {}", notice.rank, directory_.ranks());
      }
      sendNotice(channel.get(), std::make_shared<const Bytes>(body.begin(), body.end()));
      record(notice);
      deliver();
      return success();
    }
    default: return makeError(ErrorCode::mismatch, "a message of type {} is out of place", static_cast<unsigned>(type));
  }
}

void GroupSession::onClosed(const std::shared_ptr<Channel>& channel, const Error& why) {
  if (place_.parent && place_.parent->channel == channel) {
    const auto process = place_.parent->process;
    place_.parent.reset();
    lost(process, why);
  } else {
    const auto found = std::find_if(place_.children.begin(), place_.children.end(),
                                    [&](const auto& e) { return e.channel == channel; });
    if (found == place_.children.end()) return;
    const auto process = found->process;
    place_.children.erase(found);
    lost(process, why);
  }
  closeWhenDone();
}

void GroupSession::lost(std::uint32_t process, const Error& why) {
  std::vector<Rank> stayed;
  {
    const std::lock_guard lock(mutex_);
    for (Rank rank = 0; rank < directory_.ranks(); ++rank) {
      const auto r = static_cast<std::size_t>(rank);
      if (directory_.processOf[r] == process && !left_[r]) stayed.push_back(rank);
    }
  }
  if (stayed.empty()) return;  // all said goodbye
  const auto& info = directory_.processes[process];
  Notice notice;
  notice.kind = Notice::Kind::died;
  notice.rank = stayed.front();
  notice.code = static_cast<std::uint8_t>(ErrorCode::remoteError);
  notice.text = fmt::format("{} (host {}, pid {}) died: {}", textOfRanks(stayed), info.hostName, info.pid, why.text);
  log::line(log::Subject::bootstrap, kNoRank, "{}", notice.text);
  sendNotice(nullptr, std::make_shared<const Bytes>(encode(notice)));
  record(notice);
  deliver();
}

// ---- leaving
// ---------------------------------------------------------------------------------------------------------

void GroupSession::leave(Rank me, std::shared_ptr<void> kept) {
  Local* const mine = local(me);
  if (mine == nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(mine->left, true)) return;
  }
  onNotice(me, nullptr);
  Notice notice;
  notice.kind = Notice::Kind::left;
  notice.rank = me;
  spread(notice);
  // Counted only now: whoever is last closes the tree behind every goodbye of this process, not ahead of some.
  bool last = false;
  std::vector<std::shared_ptr<void>> unused;
  {
    const std::lock_guard lock(mutex_);
    kept_.push_back(std::move(kept));
    last = ++localsLeft_ == localRanks_.size();
    if (last) unused.swap(kept_);
  }
  if (alone_ || !last) return;
  const auto farewell = std::make_shared<std::promise<void>>();
  const bool accepted = Service::running().post([self = shared_from_this(), farewell] {
    self->leaving_ = true;
    self->closeWhenDone();
    farewell->set_value();
  });
  // The process may end in whatever way right after this; its goodbye should be with the kernel by then.
  if (accepted && !Service::running().onThread()) farewell->get_future().wait_for(kFarewellPatience);
}

void GroupSession::leaveAll() {
  for (const Rank rank : localRanks_)
    onNotice(rank, nullptr);  // nobody holds the session, so nobody is to hear of the others
  for (const Rank rank : localRanks_) leave(rank, nullptr);
}

void GroupSession::closeWhenDone() {
  if (!leaving_ || !place_.children.empty() || !self_) return;
  if (place_.parent) place_.parent->channel->closeAfterSending();
  place_.parent.reset();
  const auto last = std::move(self_);
}

}  // namespace atl
