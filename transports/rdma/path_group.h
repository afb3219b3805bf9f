// SPDX-License-Identifier: Apache-2.0
// The queue pairs of a link, as one: how they are joined, what becomes of what was under way when one of them fails,
// and how another takes its place.
//
// A link has so many rails, each with two places for a queue pair: a home, which is always on the same port, and a
// stand-in on another, which there is only while the home cannot be relied on. When a queue pair fails, which the end
// that sends notices, both ends halt it; each then says by the lifeline how many of its requests it knows to have
// arrived, waits until its device has told of so many of the other's, destroys the queue pair, and says how many it
// received by it. Requests arrive in order, so that each end knows exactly which of its own did not, and sends those
// again by another place: nothing twice, nothing left out. Notes leave by one place at a time, so that they stay in
// order. The place tries again meanwhile, a stand-in from the next port that works.
//
// A home that is back carries nothing but a probe until it has worked for a while (confidence.h). Then its rail
// returns: each end sends nothing more by the stand-in, waits until all that it sent there has arrived, and says so;
// and the stand-in goes as one that has failed does, with nothing to be sent again. A home that fails meanwhile costs
// no more than at any other time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "transports/rdma/lifeline.h"
#include "transports/rdma/path.h"
#include "transports/rdma/place.h"

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
  /// After that, until it is true: every rail has a queue pair. Never blocks.
  Result<bool> meet();

  [[nodiscard]] bool canNote() const;
  /// A note; needs canNote().
  void send(const Request& note);
  /// One with room, by which the write with this number may go; null: none at present.
  Path* pathFor(std::uint64_t number);

  /// False: mend() has something to do, or is to have another look.
  [[nodiscard]] bool sound() const;
  /// Goes on with what it takes to have every rail at home. True if anything moved; an error is final: the peer says
  /// what cannot be, or no path has been there for too long.
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
  void onReadable() override;
  Status hearAll();
  Status obey(const Word& word);
  Status say(Word::Kind kind, std::size_t index);
  Status tend(std::size_t index);
  Status tryAgain(std::size_t index);
  Status connect(std::size_t index);
  Status onJoined(std::size_t index);
  Status retreat(std::size_t index);
  Status lose(std::size_t index);
  Status close(std::size_t index);
  Status settle(std::size_t index, std::uint64_t receivedThere);
  void tellLoss(std::size_t index) const;
  void chooseMain();
  bool replay();
  Status patienceLeft();

  [[nodiscard]] bool isHome(std::size_t index) const { return index < rails_; }
  [[nodiscard]] std::size_t homePort(std::size_t index) const { return index % rails_ % homes_; }
  [[nodiscard]] bool anotherPortWorks(std::size_t index) const;
  [[nodiscard]] bool isWanted(std::size_t index) const;
  [[nodiscard]] std::size_t choosePort(std::size_t index) const;
  [[nodiscard]] std::optional<std::size_t> serving(std::size_t rail) const;
  [[nodiscard]] bool allServe() const;
  [[nodiscard]] bool isAtHome(std::size_t rail) const;
  [[nodiscard]] bool isCalm(std::size_t rail) const;
  [[nodiscard]] bool anyGood() const;
  [[nodiscard]] bool peerIsElsewhere(Clock::time_point now) const;
  [[nodiscard]] bool shouldLeave(const Place& place) const;

  Worker& worker_;
  PathUser& user_;
  double patience_;
  Lifeline lifeline_;
  bool greeted_ = false;
  bool met_ = false;
  std::size_t wanted_ = 0;  ///< rails, as this end has said
  std::size_t rails_ = 0;
  std::size_t homes_ = 1;            ///< ports that there were at the start, of which homes have theirs
  std::vector<Place> places_;        ///< homes by rail, then stand-ins by rail
  std::optional<std::size_t> main_;  ///< the place by which notes leave; it may be lost, until it is settled
  std::vector<Request> replay_;      ///< what did not arrive, in order
  Clock::time_point nextMending_;
  std::string lastFailure_;
  std::optional<Clock::time_point> alone_;  ///< since when there has been no path that works
  Clock::time_point lastAsked_;             ///< whether it has been too long
  Status heard_ = success();                ///< of what came while nobody asked
};

}  // namespace atl::rdma
