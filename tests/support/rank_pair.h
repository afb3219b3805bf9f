// SPDX-License-Identifier: Apache-2.0
// Two ranks of this process that one transport only may join, even one that they would not choose: its links are made
// as a communicator makes them, over a session's directory, with streams from the real switchboard.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "src/bootstrap/session.h"
#include "transports/transport.h"

namespace atl::test {

class RankPair {
 public:
  /// `settings.transports` names the transport.
  explicit RankPair(const Settings& settings)
      : settings_(settings), session_(Session::local(2, settings_)), sides_{Side(settings_), Side(settings_)} {
    for (Rank rank = 0; rank < 2; ++rank) {
      Side& side = at(rank);
      side.context = {session_->communicator(), rank, &session_->directory(), &settings_, &side.outbox, nullptr};
      side.transports = makeTransports(side.context);
    }
  }
  RankPair(const RankPair&) = delete;
  RankPair& operator=(const RankPair&) = delete;

  /// The two ends of a lane, rank 0's first, polled in turns.
  Result<std::pair<Link, Link>> join(int lane) {
    ATOLL_ASSIGN(auto lower, connect(0, 1, lane));
    ATOLL_ASSIGN(auto higher, connect(1, 0, lane));
    bool lowerReady = false;
    bool higherReady = false;
    while (!(lowerReady && higherReady)) {
      if (!lowerReady) {
        ATOLL_ASSIGN(lowerReady, lower->poll());
      }
      if (!higherReady) {
        ATOLL_ASSIGN(higherReady, higher->poll());
      }
      std::this_thread::yield();
    }
    return std::pair<Link, Link>{lower->take(), higher->take()};
  }

  /// One end of a lane on its way.
  Result<std::unique_ptr<PendingLink>> connect(Rank me, Rank peer, int lane) {
    const Directory& directory = session_->directory();
    ATOLL_ASSIGN(Transport* const agreed, agree(at(me).transports, directory.process(me), directory.process(peer)));
    if (agreed->name() != settings_.transports) {
      return makeError(ErrorCode::internalError, "the ranks agreed on {}, which is not {}", agreed->name(),
                       settings_.transports);
    }
    return agreed->connect(peer, lane);
  }

  Outbox& outbox(Rank rank) { return at(rank).outbox; }

 private:
  struct Side {
    explicit Side(const Settings& settings) : outbox(settings.slotBytes, settings.slots) {}
    Outbox outbox;
    TransportContext context;
    std::vector<std::unique_ptr<Transport>> transports;
  };

  Side& at(Rank rank) { return sides_[static_cast<std::size_t>(rank)]; }

  Settings settings_;
  std::shared_ptr<Session> session_;
  std::array<Side, 2> sides_;
};

}  // namespace atl::test
