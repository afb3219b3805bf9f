// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/path_group.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "src/base/log.h"

namespace atl::rdma {
namespace {

/// A path that was good for so long begins anew with its tries.
constexpr auto kGoodAgain = std::chrono::seconds(1);
/// A peer that looks says long before that what it received.
constexpr auto kAnswered = std::chrono::milliseconds(100);
/// Between tries: twice as long each time, up to the longest.
constexpr auto kFirstPause = std::chrono::milliseconds(10);
constexpr int kMostDoublings = 6;
/// To look for words is a system call. A link may go on for long with one queue pair less than it should have, and for
/// longer on a stand-in: as long as every rail has one, words that matter are found by the worker.
constexpr auto kMendingPause = std::chrono::microseconds(20);
constexpr auto kCalmPause = std::chrono::milliseconds(1);

/// Between looks at a port that does not work: the worker, which hears of it, has no time to where much comes.
constexpr auto kPortPause = std::chrono::milliseconds(50);

std::size_t railsWanted(const Worker& worker) {
  const auto rails = std::min(static_cast<std::size_t>(worker.settings().rails), worker.ports().size());
  return std::min(std::max(rails, static_cast<std::size_t>(worker.settings().queuePairs)), kMostPaths);
}

}  // namespace

PathGroup::PathGroup(Worker& worker, PathUser& user, double patience)
    : worker_(worker), user_(user), patience_(patience) {}

PathGroup::~PathGroup() {
  halt();
}

Status PathGroup::begin(UniqueFd stream) {
  lifeline_ = Lifeline(std::move(stream));
  ATOLL_TRY(worker_.watch(lifeline_.descriptor(), *this));
  Greeting mine;
  homes_ = worker_.ports().size();
  wanted_ = railsWanted(worker_);
  mine.paths = static_cast<std::uint16_t>(wanted_);
  lifeline_.greet(mine);
  return success();
}

Result<bool> PathGroup::meet() {
  if (!greeted_) {
    ATOLL_ASSIGN(const auto theirs, lifeline_.hearGreeting());
    if (!theirs && lifeline_.ended()) {
      return makeError(ErrorCode::remoteError, "the other end closed the connection before its greeting");
    }
    if (!theirs) return false;
    ATOLL_TRY(check(*theirs));
    rails_ = std::min<std::size_t>(theirs->paths, wanted_);
    places_.reserve(2 * rails_);
    for (std::size_t i = 0; i < 2 * rails_; ++i) places_.emplace_back(worker_.settings().returnSeconds);
    greeted_ = true;
    worker_.lookForPorts();
    for (std::size_t rail = 0; rail < rails_; ++rail) {
      const std::size_t first = isWanted(rail) ? rail : rail + rails_;
      ATOLL_TRY(tryAgain(first));
      if (places_[first].path == nullptr) return makeError(ErrorCode::unsupported, "{}", lastFailure_);
    }
  }
  ATOLL_TRY(mend());
  if (allServe()) {
    met_ = true;
    for (std::size_t rail = 0; rail < rails_; ++rail) {
      if (!places_[rail].isGood()) places_[rail].confidence.withdraw();
    }
    return true;
  }
  if (lifeline_.ended()) {
    return makeError(ErrorCode::remoteError, "the other end closed the connection before it had joined");
  }
  return false;
}

// A port that is down may be up before the device gives up trying; where another is up there is no need to wait for
// that.
bool PathGroup::shouldLeave(const Place& place) const {
  return place.path->portIsDown() && std::ranges::any_of(worker_.ports(), &Port::works);
}

bool PathGroup::canNote() const {
  if (!main_ || !replay_.empty()) return false;
  const Place& place = places_[*main_];
  return place.isGood() && !place.leaving && place.path->hasRoom();
}

void PathGroup::send(const Request& note) {
  places_[*main_].path->send(note);
}

Path* PathGroup::pathFor(std::uint64_t number) {
  if (!replay_.empty()) return nullptr;
  for (std::size_t i = 0; i < rails_; ++i) {
    if (const auto index = serving((number + i) % rails_)) {
      Path* const path = places_[*index].path.get();
      return path->hasRoom() ? path : nullptr;
    }
  }
  return nullptr;
}

// A home that is not relied on is better than none, once something has come through.
std::optional<std::size_t> PathGroup::serving(std::size_t rail) const {
  const Place& home = places_[rail];
  const Place& standIn = places_[rail + rails_];
  if (home.isGood() && home.confidence.given()) return rail;
  if (standIn.isGood() && !standIn.leaving) return rail + rails_;
  if (home.isGood() && home.path->proven()) return rail;
  return std::nullopt;
}

bool PathGroup::allServe() const {
  for (std::size_t rail = 0; rail < rails_; ++rail) {
    if (!serving(rail)) return false;
  }
  return true;
}

bool PathGroup::isAtHome(std::size_t rail) const {
  const Place& home = places_[rail];
  return home.isGood() && home.confidence.given() && !shouldLeave(home) &&
         places_[rail + rails_].state == Place::State::empty;
}

/// Nothing is to be done about it soon.
bool PathGroup::isCalm(std::size_t rail) const {
  const auto index = serving(rail);
  const auto isBusy = [](const Place& place) { return place.leaving || place.state == Place::State::lost; };
  return index && !shouldLeave(places_[*index]) && !isBusy(places_[rail]) && !isBusy(places_[rail + rails_]);
}

bool PathGroup::sound() const {
  if (!heard_.ok() || !replay_.empty() || alone_) return false;
  bool calm = true;
  bool atHome = true;
  for (std::size_t rail = 0; rail < rails_; ++rail) {
    atHome = atHome && isAtHome(rail);
    calm = calm && (atHome || isCalm(rail));
  }
  return atHome || (calm && Clock::now() < nextMending_ + kCalmPause);
}

Result<bool> PathGroup::mend() {
  ATOLL_TRY(heard_);
  if (const auto now = Clock::now(); now >= nextMending_) {
    nextMending_ = now + kMendingPause;
    ATOLL_TRY(hearAll());
    for (std::size_t i = 0; i < places_.size(); ++i) ATOLL_TRY(tend(i));
  }
  const bool moved = replay();
  ATOLL_TRY(patienceLeft());
  return moved;
}

// The peer may have something to say while no call asks: a path that it has lost may be one by which it wants to send
// to a rank that is waiting for another.
void PathGroup::onReadable() {
  if (!greeted_ || !heard_.ok()) return;
  if (auto moved = mend(); !moved.ok()) heard_ = std::move(moved).error();
  if (lifeline_.ended()) worker_.unwatch(lifeline_.descriptor());
}

Status PathGroup::hearAll() {
  for (;;) {
    ATOLL_ASSIGN(const auto word, lifeline_.hear());
    if (!word) return success();
    ATOLL_TRY(check(*word, places_.size()));
    ATOLL_TRY(obey(*word));
  }
}

// Words come in order, and a place goes on to another generation when both ends have lost it. What can cross is an
// end's loss of a queue pair that it has only offered with the other's offer, or with its failure to make one.
Status PathGroup::obey(const Word& word) {
  if (word.kind == Word::Kind::key) return user_.onKey(keyIn(word));
  Place& place = places_[word.path];
  const bool empty = place.state == Place::State::empty;
  const bool known = word.generation == place.generation;
  switch (word.kind) {
    case Word::Kind::offer:
      if (!known || place.state == Place::State::good || place.offer) break;
      if (place.state != Place::State::lost) place.offer = word.offer;
      return success();
    case Word::Kind::ready:
      if (!known || empty) break;
      place.readyThere = true;
      return success();
    case Word::Kind::leave:
      if (!known || empty || isHome(word.path)) break;
      place.leaving = place.peerLeaves = true;
      return success();
    case Word::Kind::halted:
      if (!known || place.arrivedHere || (empty && !place.offer)) break;
      place.arrivedHere = word.requests;
      return place.state == Place::State::lost ? close(word.path) : lose(word.path);
    case Word::Kind::lost:
      if (!known || !place.arrivedHere) break;
      return settle(word.path, word.requests);
    case Word::Kind::key: break;
  }
  return makeError(ErrorCode::remoteError, "protocol: word {} about queue pair {}.{} came where it cannot",
                   static_cast<int>(word.kind), word.path, word.generation);
}

Status PathGroup::say(Word::Kind kind, std::size_t index) {
  const Place& place = places_[index];
  Word word;
  word.kind = kind;
  word.path = static_cast<std::uint16_t>(index);
  word.generation = place.generation;
  if (place.path != nullptr && kind == Word::Kind::offer) word.offer = place.path->offer();
  if (place.path != nullptr && kind == Word::Kind::halted) word.requests = place.path->arrived();
  if (place.path != nullptr && kind == Word::Kind::lost) word.requests = place.path->received();
  return lifeline_.say(word);
}

Status PathGroup::tend(std::size_t index) {
  Place& place = places_[index];
  if (place.state == Place::State::empty && !lifeline_.ended()) {
    const auto now = Clock::now();
    const bool due = now >= place.nextTry;
    if (due && isHome(index) && !isWanted(index)) {
      place.nextTry = now + kPortPause;
      worker_.lookForPorts();
    }
    if ((due || place.offer) && isWanted(index)) ATOLL_TRY(tryAgain(index));
  }
  if (place.state == Place::State::joining && !place.connected && place.offer) ATOLL_TRY(connect(index));
  if (place.state == Place::State::joining && place.connected && place.readyThere) ATOLL_TRY(onJoined(index));
  if (place.isGood() && isHome(index) && place.path->proven()) {
    const bool alone = places_[index + rails_].state == Place::State::empty;
    place.confidence.onWorking(place.goodSince, Clock::now(), alone);
  }
  if (!isHome(index)) ATOLL_TRY(retreat(index));
  chooseMain();
  const bool alive = place.state == Place::State::joining || place.state == Place::State::good;
  if (alive && shouldLeave(place)) place.path->giveUp("the port is down");
  return alive && !place.path->state().ok() ? lose(index) : success();
}

bool PathGroup::anotherPortWorks(std::size_t index) const {
  const auto& ports = worker_.ports();
  const std::size_t home = homePort(index);
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (i != home && ports[i].works()) return true;
  }
  return false;
}

// A home waits for its own port, if there is another to send by. A stand-in is wanted as long as the home is not relied
// on, and made whenever the peer wants it.
bool PathGroup::isWanted(std::size_t index) const {
  const Place& home = places_[index % rails_];
  if (isHome(index)) return worker_.ports()[homePort(index)].works() || !anotherPortWorks(index);
  if (places_[index].offer) return true;
  const bool beginning = !met_ && home.state == Place::State::joining;
  const bool reliable = home.confidence.given() && (home.isGood() || beginning);
  return !reliable && anotherPortWorks(index);
}

// A try that fails here is not told to the peer: there will be another.
Status PathGroup::tryAgain(std::size_t index) {
  Place& place = places_[index];
  place.nextTry = Clock::now() + kFirstPause * (1 << std::min(place.tries++, kMostDoublings));
  auto path = std::make_unique<Path>(worker_, choosePort(index), user_);
  if (auto status = path->open(); !status.ok()) {
    lastFailure_ = status.error().text;
    return success();
  }
  place.path = std::move(path);
  place.state = Place::State::joining;
  place.connected = place.readyThere = false;
  for (const GrantKey& key : user_.keysOn(place.path->offer().device)) ATOLL_TRY(lifeline_.say(wordOf(key)));
  return say(Word::Kind::offer, index);
}

// Stand-ins take the other ports in turn, one further with each generation, so that both ends, which count alike, come
// by the same rail where rails are apart; ports that do not work are passed over.
std::size_t PathGroup::choosePort(std::size_t index) const {
  worker_.lookForPorts();
  const auto& ports = worker_.ports();
  const std::size_t home = homePort(index);
  if (isHome(index) || ports.size() == 1) return home;
  const std::size_t others = ports.size() - 1;
  const auto other = [&](std::size_t i) { return (home + 1 + i % others) % ports.size(); };
  for (std::size_t i = 0; i < others; ++i) {
    const std::size_t candidate = other(places_[index].generation + i);
    if (ports[candidate].isUp()) return candidate;
  }
  return ports[home].isUp() ? home : other(places_[index].generation);
}

Status PathGroup::connect(std::size_t index) {
  Place& place = places_[index];
  if (auto status = place.path->connect(*place.offer); !status.ok()) {
    if (!met_ && place.generation == 0) return status;
    lastFailure_ = status.error().text;
    return lose(index);
  }
  place.connected = true;
  return say(Word::Kind::ready, index);
}

// That a queue pair could be joined says little. What a home is worth that was lost before, a probe finds out.
Status PathGroup::onJoined(std::size_t index) {
  Place& place = places_[index];
  place.state = Place::State::good;
  place.goodSince = Clock::now();
  if (!isHome(index) || place.confidence.given()) return success();
  ATOLL_ASSIGN(Buffer* const slot, worker_.slots().take());
  NoteHeader note;
  note.kind = NoteHeader::Kind::probe;
  note.bytes = sizeof note;
  std::memcpy(slot->data(), &note, sizeof note);
  Request request;
  request.data = slot->data();
  request.keys = &slot->keys();
  request.buffer = slot;
  request.bytes = sizeof note;
  request.probe = true;
  place.path->send(request);
  return success();
}

// Of a stand-in: nothing more leaves by it once its home is relied on at either end. The end that wants that first says
// so when all that it sent has arrived; the other takes the queue pair away when that is so of its own.
Status PathGroup::retreat(std::size_t index) {
  Place& place = places_[index];
  const Place& home = places_[index - rails_];
  if (!place.isGood()) return success();
  if (!place.leaveSaid && !place.peerLeaves) place.leaving = home.isGood() && home.confidence.given();
  if (!place.leaving || place.path->underWay() > 0) return success();
  if (place.peerLeaves) {
    place.path->giveUp("its home port works again");
    return success();
  }
  if (place.leaveSaid) return success();
  place.leaveSaid = true;
  return say(Word::Kind::leave, index);
}

Status PathGroup::lose(std::size_t index) {
  Place& place = places_[index];
  const auto now = Clock::now();
  if (place.path != nullptr) {
    place.path->halt();
    if (!place.leaving) lastFailure_ = place.path->state().error().text;
    tellLoss(index);
  }
  if (place.state == Place::State::good && (now - place.goodSince >= kGoodAgain || place.leaving)) place.tries = 0;
  if (isHome(index)) place.confidence.onFailure(now);
  place.state = Place::State::lost;
  place.lostSince = now;
  if (!anyGood() && !alone_) alone_ = lastAsked_ = now;
  ATOLL_TRY(say(Word::Kind::halted, index));
  return place.arrivedHere ? close(index) : success();
}

// Only when the peer has halted it too is it certain what comes.
Status PathGroup::close(std::size_t index) {
  Place& place = places_[index];
  if (place.path != nullptr) ATOLL_TRY(place.path->close(*place.arrivedHere));
  return say(Word::Kind::lost, index);
}

// What nothing went by is not missed.
void PathGroup::tellLoss(std::size_t index) const {
  const Place& place = places_[index];
  const std::size_t rail = index % rails_;
  if (place.leaving) {
    log::line(log::Subject::link, kNoRank, "rail {} of an RDMA link is back on {}", rail,
              worker_.ports()[homePort(index)].name());
    return;
  }
  const bool missed = !isHome(index) || place.confidence.given() || !places_[index + rails_].isGood();
  log::line(missed ? log::Subject::warn : log::Subject::link, kNoRank,
            "{} (queue pair {}.{} of an RDMA link is lost{})", place.path->state().error().text, index,
            place.generation, rails_ > 1 || worker_.ports().size() > 1 ? "; another takes its place" : "");
}

// What did not arrive goes before all that was to be sent again already, since it was sent before that.
Status PathGroup::settle(std::size_t index, std::uint64_t receivedThere) {
  Place& place = places_[index];
  if (place.path != nullptr) {
    ATOLL_ASSIGN(const auto rest, place.path->unreceived(receivedThere));
    replay_.insert(replay_.begin(), rest.begin(), rest.end());
  }
  place.path.reset();
  place.state = Place::State::empty;
  place.leaving = place.leaveSaid = place.peerLeaves = false;
  ++place.generation;
  place.offer.reset();
  place.arrivedHere.reset();
  if (main_ == index) main_.reset();
  chooseMain();
  return success();
}

void PathGroup::chooseMain() {
  if (main_) return;
  for (std::size_t rail = 0; rail < rails_ && !main_; ++rail) main_ = serving(rail);
}

bool PathGroup::replay() {
  if (replay_.empty() || !main_ || !places_[*main_].isGood() || places_[*main_].leaving) return false;
  Path& path = *places_[*main_].path;
  std::size_t count = 0;
  for (; count < replay_.size() && path.hasRoom(); ++count) path.send(replay_[count]);
  replay_.erase(replay_.begin(), replay_.begin() + static_cast<std::ptrdiff_t>(count));
  return count > 0;
}

bool PathGroup::anyGood() const {
  return std::ranges::any_of(places_, &Place::isGood);
}

// A rank that has all it wanted may be in no call for long, and says nothing then: that is no sign of a missing way to
// it. If it is gone, the stream ends.
bool PathGroup::peerIsElsewhere(Clock::time_point now) const {
  return std::ranges::any_of(places_, [now](const Place& place) {
    return place.state == Place::State::lost && now - place.lostSince >= kAnswered;
  });
}

// While a cable is out, new queue pairs are joined by the lifeline again and again, and none of them works.
Status PathGroup::patienceLeft() {
  if (!alone_) return success();
  if (std::ranges::any_of(places_, [](const Place& place) { return place.isGood() && place.path->proven(); })) {
    alone_.reset();
    return success();
  }
  const auto now = Clock::now();
  const bool tried = now - lastAsked_ < kGoodAgain && !peerIsElsewhere(now);
  if (!tried) alone_ = now;
  lastAsked_ = now;
  if (patience_ <= 0 || seconds(now - *alone_) < patience_) return success();
  return makeError(ErrorCode::remoteError, "no queue pair has worked for {} s: {}", patience_, lastFailure_);
}

bool PathGroup::creditsUnderWay() const {
  return std::ranges::any_of(replay_, &Request::credit) || std::ranges::any_of(places_, [](const Place& place) {
           return place.path != nullptr && place.path->creditsUnderWay() > 0;
         });
}

void PathGroup::halt() {
  places_.clear();
  rails_ = 0;
  for (const Request& request : replay_) request.giveBack();
  replay_.clear();
  main_.reset();
  if (lifeline_.descriptor() < 0) return;
  worker_.unwatch(lifeline_.descriptor());
  lifeline_ = Lifeline();
}

std::size_t PathGroup::bytesHeld() const {
  return places_.capacity() * sizeof(Place) + replay_.capacity() * sizeof(Request) +
         static_cast<std::size_t>(std::ranges::count_if(places_, [](const Place& p) { return p.path != nullptr; })) *
             sizeof(Path);
}

std::string PathGroup::describe() const {
  const Place* shown = nullptr;
  for (std::size_t rail = 0; rail < rails_; ++rail) {
    if (const auto index = serving(rail)) {
      shown = &places_[*index];
      break;
    }
  }
  if (shown == nullptr) {
    const auto any = std::ranges::find_if(places_, [](const Place& place) { return place.path != nullptr; });
    if (any == places_.end()) return "without a queue pair";
    shown = &*any;
  }
  return fmt::format("{}{}", shown->path->describe(), rails_ > 1 ? fmt::format(" ×{}", rails_) : "");
}

}  // namespace atl::rdma
