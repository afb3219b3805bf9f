// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/path_group.h"

#include <algorithm>
#include <chrono>
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
/// A link may go on for long with one path less than it should have, and looks for words meanwhile, which is a system
/// call.
constexpr auto kMendingPause = std::chrono::microseconds(20);

std::size_t placesWanted(const Worker& worker) {
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
  mine.paths = static_cast<std::uint16_t>(placesWanted(worker_));
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
    places_.resize(std::min<std::size_t>(theirs->paths, placesWanted(worker_)));
    greeted_ = true;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      ATOLL_TRY(tryAgain(i));
      if (places_[i].path == nullptr) return makeError(ErrorCode::unsupported, "{}", lastFailure_);
    }
  }
  ATOLL_TRY(mend());
  if (std::ranges::all_of(places_, [this](const Place& place) { return isGood(place); })) return true;
  if (lifeline_.ended()) {
    return makeError(ErrorCode::remoteError, "the other end closed the connection before it had joined");
  }
  return false;
}

bool PathGroup::isGood(const Place& place) const {
  return place.state == Place::State::good && place.path->state().ok();
}

// A port that is down may be up before the device gives up trying; where another is up there is no need to wait for
// that.
bool PathGroup::shouldLeave(const Place& place) const {
  return place.path->portIsDown() && std::ranges::any_of(worker_.ports(), &Port::works);
}

bool PathGroup::canNote() const {
  return main_ && replay_.empty() && isGood(places_[*main_]) && places_[*main_].path->hasRoom();
}

void PathGroup::send(const Request& note) {
  places_[*main_].path->send(note);
}

Path* PathGroup::pathFor(std::uint64_t number) {
  if (!replay_.empty()) return nullptr;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const Place& place = places_[(number + i) % places_.size()];
    if (isGood(place)) return place.path->hasRoom() ? place.path.get() : nullptr;
  }
  return nullptr;
}

bool PathGroup::sound() const {
  return heard_.ok() && replay_.empty() && !alone_ &&
         std::ranges::all_of(places_, [this](const Place& place) { return isGood(place) && !shouldLeave(place); });
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
    case Word::Kind::lost:
      if (!known || place.receivedThere || (empty && !place.offer)) break;
      place.receivedThere = word.received;
      return place.state == Place::State::lost ? settle(word.path) : lose(word.path);
  }
  return makeError(ErrorCode::remoteError, "protocol: word {} about queue pair {}.{} came where it cannot",
                   static_cast<int>(word.kind), word.path, word.generation);
}

Status PathGroup::tend(std::size_t index) {
  Place& place = places_[index];
  if (place.state == Place::State::empty && !lifeline_.ended() && (place.offer || Clock::now() >= place.nextTry)) {
    ATOLL_TRY(tryAgain(index));
  }
  if (place.state == Place::State::joining && !place.connected && place.offer) ATOLL_TRY(connect(index));
  if (place.state == Place::State::joining && place.connected && place.readyThere) {
    place.state = Place::State::good;
    place.goodSince = Clock::now();
    chooseMain();
  }
  const bool alive = place.state == Place::State::joining || place.state == Place::State::good;
  if (alive && shouldLeave(place)) place.path->giveUp("the port is down");
  return alive && !place.path->state().ok() ? lose(index) : success();
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
  Word word;
  word.kind = Word::Kind::offer;
  word.path = static_cast<std::uint16_t>(index);
  word.generation = place.generation;
  word.offer = path->offer();
  place.path = std::move(path);
  place.state = Place::State::joining;
  place.connected = place.readyThere = false;
  place.receivedThere.reset();
  return lifeline_.say(word);
}

// Home first, then the ports behind it, one further with each generation, so that both ends, which count alike, come by
// the same rail where rails are apart; ports that are down are passed over.
std::size_t PathGroup::choosePort(std::size_t index) const {
  worker_.lookForPorts();
  const auto& ports = worker_.ports();
  const std::size_t first = (index + places_[index].generation) % ports.size();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const std::size_t candidate = (first + i) % ports.size();
    if (ports[candidate].isUp()) return candidate;
  }
  return first;
}

Status PathGroup::connect(std::size_t index) {
  Place& place = places_[index];
  if (auto status = place.path->connect(*place.offer); !status.ok()) {
    if (place.generation == 0) return status;
    lastFailure_ = status.error().text;
    return lose(index);
  }
  place.connected = true;
  Word word;
  word.kind = Word::Kind::ready;
  word.path = static_cast<std::uint16_t>(index);
  word.generation = place.generation;
  return lifeline_.say(word);
}

Status PathGroup::lose(std::size_t index) {
  Place& place = places_[index];
  Word word;
  word.kind = Word::Kind::lost;
  word.path = static_cast<std::uint16_t>(index);
  word.generation = place.generation;
  if (place.path != nullptr) {
    place.path->halt();
    word.received = place.path->received();
    lastFailure_ = place.path->state().error().text;
    log::warn("{} (queue pair {}.{} of an RDMA link is lost{})", lastFailure_, index, place.generation,
              places_.size() > 1 || worker_.ports().size() > 1 ? "; another takes its place" : "");
  }
  if (place.state == Place::State::good && Clock::now() - place.goodSince >= kGoodAgain) place.tries = 0;
  place.state = Place::State::lost;
  place.lostSince = Clock::now();
  if (!anyGood() && !alone_) alone_ = lastAsked_ = Clock::now();
  ATOLL_TRY(lifeline_.say(word));
  return place.receivedThere ? settle(index) : success();
}

// What did not arrive goes before all that was to be sent again already, since it was sent before that.
Status PathGroup::settle(std::size_t index) {
  Place& place = places_[index];
  if (place.path != nullptr) {
    ATOLL_ASSIGN(const auto rest, place.path->unreceived(*place.receivedThere));
    replay_.insert(replay_.begin(), rest.begin(), rest.end());
  }
  place.path.reset();
  place.state = Place::State::empty;
  ++place.generation;
  place.offer.reset();
  place.receivedThere.reset();
  if (main_ == index) main_.reset();
  chooseMain();
  return success();
}

void PathGroup::chooseMain() {
  if (main_) return;
  for (std::size_t i = 0; i < places_.size() && !main_; ++i) {
    if (isGood(places_[i])) main_ = i;
  }
}

bool PathGroup::replay() {
  if (replay_.empty() || !main_ || !isGood(places_[*main_])) return false;
  Path& path = *places_[*main_].path;
  std::size_t count = 0;
  for (; count < replay_.size() && path.hasRoom(); ++count) path.send(replay_[count]);
  replay_.erase(replay_.begin(), replay_.begin() + static_cast<std::ptrdiff_t>(count));
  return count > 0;
}

bool PathGroup::anyGood() const {
  return std::ranges::any_of(places_, [this](const Place& place) { return isGood(place); });
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
  if (std::ranges::any_of(places_, [this](const Place& place) { return isGood(place) && place.path->proven(); })) {
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
  for (const Place& place : places_) {
    if (place.path == nullptr) continue;
    return fmt::format("{}{}", place.path->describe(), places_.size() > 1 ? fmt::format(" ×{}", places_.size()) : "");
  }
  return "without a queue pair";
}

}  // namespace atl::rdma
