// SPDX-License-Identifier: Apache-2.0
// The queue pairs of a link, as one: how they are joined, what becomes of what was under way when one of them fails,
// and how another takes its place.
//
// A link has so many places, each with a queue pair, or one on its way. When one fails, which the end that sends
// notices, it is destroyed at both ends; each end then says by the lifeline how many requests it had received by it.
// Requests arrive in order, so that each end knows exactly which of its own did not, and sends those again by another
// place: nothing twice, nothing left out. Notes leave by one place at a time, so that they stay in order. The place
// tries again meanwhile, from the next port that is up.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "transports/rdma/lifeline.h"
#include "transports/rdma/path.h"

namespace atl::rdma {

class PathGroup : private StreamUser {
 public:
  /// The worker and the user outlive it. `patience`: how long the link may be without any path while both ends try; 0:
  /// for ever.
  PathGroup(Worker& worker, PathUser& user, double patience);
  ~PathGroup() override;
  PathGroup(const PathGroup&) = delete;
  PathGroup& operator=(const PathGroup&) = delete;

  /// Once, with the stream to the peer.
  Status begin(UniqueFd stream);
  /// After that, until it is true: every place is joined. Never blocks.
  Result<bool> meet();

  [[nodiscard]] bool canNote() const;
  /// A note; needs canNote().
  void send(const Request& note);
  /// One with room, by which the write with this number may go; null: none at present.
  Path* pathFor(std::uint64_t number);

  /// False: mend() has something to do.
  [[nodiscard]] bool sound() const;
  /// Goes on with what it takes to make it sound. True if anything moved; an error is final: the peer says what cannot
  /// be, or no path has been there for too long.
  Result<bool> mend();
  [[nodiscard]] bool peerHasLeft() const { return lifeline_.ended(); }

  /// Credit has left that may not be with the peer yet.
  [[nodiscard]] bool creditsUnderWay() const;
  /// Ends all paths, and the stream: no device refers any more to what was sent or granted, and the peer is told.
  void halt();
  [[nodiscard]] std::string describe() const;
  /// Memory of its own, beside itself.
  [[nodiscard]] std::size_t bytesHeld() const;

 private:
  struct Place {
    enum class State : std::uint8_t {
      empty,    ///< to be tried at `nextTry`
      joining,  ///< the queue pair is there, and offered
      good,
      lost,  ///< halted; the peer has been told, and is to say what it received
    };
    State state = State::empty;
    std::unique_ptr<Path> path;
    std::uint32_t generation = 0;  ///< of the path, or of the next while it is empty
    bool connected = false;        ///< this end of it
    bool readyThere = false;
    std::optional<PathOffer> offer;              ///< the peer's, of this generation
    std::optional<std::uint64_t> receivedThere;  ///< the peer has lost it too
    Clock::time_point nextTry;
    Clock::time_point goodSince;
    Clock::time_point lostSince;
    int tries = 0;  ///< since it was good for a while
  };

  void onReadable() override;
  Status hearAll();
  Status obey(const Word& word);
  Status tend(std::size_t index);
  Status tryAgain(std::size_t index);
  Status connect(std::size_t index);
  Status lose(std::size_t index);
  Status settle(std::size_t index);
  void chooseMain();
  bool replay();
  Status patienceLeft();
  [[nodiscard]] bool anyGood() const;
  [[nodiscard]] bool peerIsElsewhere(Clock::time_point now) const;
  [[nodiscard]] std::size_t choosePort(std::size_t index) const;
  [[nodiscard]] bool isGood(const Place& place) const;
  [[nodiscard]] bool shouldLeave(const Place& place) const;

  Worker& worker_;
  PathUser& user_;
  double patience_;
  Lifeline lifeline_;
  bool greeted_ = false;
  std::vector<Place> places_;
  std::optional<std::size_t> main_;  ///< the place by which notes leave; it may be lost, until it is settled
  std::vector<Request> replay_;      ///< what did not arrive, in order
  Clock::time_point nextMending_;
  std::string lastFailure_;
  std::optional<Clock::time_point> alone_;  ///< since when there has been no path that works
  Clock::time_point lastAsked_;             ///< whether it has been too long
  Status heard_ = success();                ///< of what came while nobody asked
};

}  // namespace atl::rdma
