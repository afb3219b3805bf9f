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
/// Between tries: twice as long each time, up to the longest.
constexpr auto kFirstPause = std::chrono::milliseconds(10);
constexpr int kMostDoublings = 6;

std::size_t placesWanted(const Worker& worker) {
  const auto rails = std::min(static_cast<std::size_t>(worker.settings().rails), worker.ports().size());
  return std::min(std::max(rails, static_cast<std::size_t>(worker.settings().queuePairs)), kMostPaths);
}

}  // namespace

PathGroup::PathGroup(Worker& worker, PathUser& user, double patience)
    : worker_(worker), user_(user), patience_(patience) {}

PathGroup::~PathGroup() {
  halt();
  if (lifeline_.descriptor() >= 0) worker_.unwatch(lifeline_.descriptor());
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

bool PathGroup::canNote() const {
  return main_ && replay_.empty() && isGood(places_[*main_]) && places_[*main_].path->hasRoom();
}

void PathGroup::note(Buffer& note, std::uint32_t bytes, bool payload) {
  places_[*main_].path->send({&note, &worker_.slots(), bytes, payload, nullptr, 0});
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
         std::ranges::all_of(places_, [this](const Place& place) { return isGood(place); });
}

Result<bool> PathGroup::mend() {
  ATOLL_TRY(heard_);
  ATOLL_TRY(hearAll());
  for (std::size_t i = 0; i < places_.size(); ++i) ATOLL_TRY(tend(i));
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

// Words come in order. Those about a generation that this end has left behind crossed with its own.
Status PathGroup::obey(const Word& word) {
  Place& place = places_[word.path];
  switch (word.kind) {
    case Word::Kind::offer: {
      const bool next = place.state == Place::State::empty || place.state == Place::State::joining;
      if (!next || word.generation != place.generation || place.offer) break;
      place.offer = word.offer;
      return success();
    }
    case Word::Kind::ready:
      if (word.generation != place.generation || place.state == Place::State::empty) break;
      place.readyThere = true;
      return success();
    case Word::Kind::lost:
      if (word.generation != place.generation || place.state == Place::State::empty || place.receivedThere) break;
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
  place.path->halt();
  lastFailure_ = place.path->state().error().text;
  log::warn("{} (queue pair {}.{} of an RDMA link is lost{})", lastFailure_, index, place.generation,
            places_.size() > 1 || worker_.ports().size() > 1 ? "; another takes its place" : "");
  if (place.state == Place::State::good && Clock::now() - place.goodSince >= kGoodAgain) place.tries = 0;
  place.state = Place::State::lost;
  if (!anyGood() && !alone_) alone_ = Clock::now();
  Word word;
  word.kind = Word::Kind::lost;
  word.path = static_cast<std::uint16_t>(index);
  word.generation = place.generation;
  word.received = place.path->received();
  ATOLL_TRY(lifeline_.say(word));
  return place.receivedThere ? settle(index) : success();
}

// What did not arrive goes before all that was to be sent again already, since it was sent before that.
Status PathGroup::settle(std::size_t index) {
  Place& place = places_[index];
  ATOLL_ASSIGN(const auto rest, place.path->unreceived(*place.receivedThere));
  replay_.insert(replay_.begin(), rest.begin(), rest.end());
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
  bool moved = false;
  while (!replay_.empty()) {
    const Request& request = replay_.front();
    Path* path = main_ && isGood(places_[*main_]) ? places_[*main_].path.get() : nullptr;
    if (path == nullptr || !path->hasRoom()) break;
    path->send(request);
    replay_.pop_front();
    moved = true;
  }
  return moved;
}

bool PathGroup::anyGood() const {
  return std::ranges::any_of(places_, [this](const Place& place) { return isGood(place); });
}

// While a cable is out, new queue pairs are joined by the lifeline again and again, and none of them works.
Status PathGroup::patienceLeft() {
  if (!alone_) return success();
  if (std::ranges::any_of(places_, [this](const Place& place) { return isGood(place) && place.path->proven(); })) {
    alone_.reset();
    return success();
  }
  if (patience_ <= 0 || seconds(Clock::now() - *alone_) < patience_) return success();
  return makeError(ErrorCode::remoteError, "no queue pair has worked for {} s: {}", patience_, lastFailure_);
}

std::size_t PathGroup::payloadUnderWay() const {
  std::size_t count = static_cast<std::size_t>(std::ranges::count(replay_, true, &Request::payload));
  for (const Place& place : places_) count += place.path != nullptr ? place.path->payloadUnderWay() : 0;
  return count;
}

void PathGroup::halt() {
  for (Place& place : places_) {
    place.path.reset();
    place.state = Place::State::empty;
  }
  for (const Request& request : replay_) request.giveBack();
  replay_.clear();
  main_.reset();
}

std::string PathGroup::describe() const {
  for (const Place& place : places_) {
    if (place.path == nullptr) continue;
    return fmt::format("{}{}", place.path->describe(), places_.size() > 1 ? fmt::format(" ×{}", places_.size()) : "");
  }
  return "without a queue pair";
}

}  // namespace atl::rdma
