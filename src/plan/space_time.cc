// SPDX-License-Identifier: Apache-2.0
#include "src/plan/space_time.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "src/plan/lane_cursor.h"

namespace atl::plan {
namespace {

constexpr std::int32_t kUnknown = -1;

/// A round of a lane, repetition applied.
struct RoundNode {
  std::int32_t start = kUnknown;  ///< column
  std::int32_t end = kUnknown;
  std::int32_t atLeast = 0;               ///< what is known so far: of the start, then of the end
  std::size_t startNeeds = 0;             ///< ends of other rounds that the start waits for
  std::size_t endNeeds = 1;               ///< its own start, and starts of the senders
  std::vector<std::size_t> afterMyEnd;    ///< rounds whose start waits for this end
  std::vector<std::size_t> afterMyStart;  ///< rounds whose end waits for this start
  std::vector<std::size_t> combines;
};

class Unroller {
 public:
  Unroller(std::span<const Plan> plans, std::int32_t maxRounds) : plans_(plans), maxRounds_(maxRounds) {}

  SpaceTime run() {
    for (const Plan& plan : plans_) {
      for (std::size_t l = 0; l < plan.lanes.size(); ++l) lane(plan, static_cast<std::int32_t>(l));
    }
    joinAfters();
    joinMessages();
    settleTimes();
    place();
    return std::move(result_);
  }

 private:
  using Channel = std::tuple<Rank, Rank, std::int32_t>;  // from, to, lane
  struct Take {
    std::size_t node;
    std::size_t combine;
  };
  struct AfterWait {
    std::size_t node;
    Rank rank;
    std::int32_t lane;
  };

  void lane(const Plan& plan, std::int32_t index) {
    LaneCursor cursor(plan.lanes[static_cast<std::size_t>(index)]);
    std::optional<std::size_t> previous;
    for (; !cursor.done() && cursor.position() < maxRounds_; cursor.next()) {
      const std::size_t node = nodes_.size();
      nodes_.emplace_back();
      if (previous) {
        nodes_[*previous].afterMyEnd.push_back(node);
        ++nodes_[node].startNeeds;
      }
      previous = node;
      if (cursor.round().after) waits_.push_back({node, plan.rank, *cursor.round().after});
      steps(plan, index, cursor, node);
    }
    if (!cursor.done()) result_.complete = false;
    if (previous && cursor.done()) lastRound_[{plan.rank, index}] = *previous;
  }

  void steps(const Plan& plan, std::int32_t lane, const LaneCursor& cursor, std::size_t node) {
    const std::int32_t k = cursor.repetition();
    std::int32_t index = -1;
    for (const Step& step : cursor.round().steps) {
      const Where where = cursor.where(plan.rank, lane, ++index);
      const Chunk chunk = atRepetition(step.chunk, k, plan.scratchSlots);
      if (step.kind == Step::Kind::send) {
        for (const Peer& peer : step.to) {
          const Rank to = atRepetition(peer, k, plan.ranks);
          sends_[{plan.rank, to, lane}].push_back(result_.messages.size());
          result_.messages.push_back({where, 0, chunk, to, std::nullopt});
          senders_.push_back(node);
        }
        continue;
      }
      const std::size_t combine = result_.combines.size();
      result_.combines.push_back({where, 0, actionOf(step), chunk, step.finish});
      combineNodes_.push_back(node);
      nodes_[node].combines.push_back(combine);
      for (const Operand& operand : step.operands) {
        if (!operand.isPeer()) continue;
        takes_[{atRepetition(*operand.peer, k, plan.ranks), plan.rank, lane}].push_back({node, combine});
      }
    }
  }

  void joinAfters() {
    for (const AfterWait& wait : waits_) {
      const auto last = lastRound_.find({wait.rank, wait.lane});
      if (last == lastRound_.end()) continue;
      nodes_[last->second].afterMyEnd.push_back(wait.node);
      ++nodes_[wait.node].startNeeds;
    }
  }

  void joinMessages() {
    for (const auto& [channel, messages] : sends_) {
      const auto takes = takes_.find(channel);
      if (takes == takes_.end()) continue;
      for (std::size_t i = 0; i < std::min(messages.size(), takes->second.size()); ++i) {
        const Take& take = takes->second[i];
        result_.messages[messages[i]].combine = take.combine;
        nodes_[senders_[messages[i]]].afterMyStart.push_back(take.node);
        ++nodes_[take.node].endNeeds;
      }
    }
  }

  /// Starts and ends in an order in which each follows from known ones. Rounds in a deadlock stay unknown.
  void settleTimes() {
    std::vector<std::size_t> ready;
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (nodes_[n].startNeeds == 0) ready.push_back(n);
    }
    while (!ready.empty()) {
      const std::size_t n = ready.back();
      ready.pop_back();
      nodes_[n].start = nodes_[n].atLeast;
      endMayFollow(n, nodes_[n].start, ready);
      for (const std::size_t receiver : nodes_[n].afterMyStart) endMayFollow(receiver, nodes_[n].start, ready);
    }
  }

  void endMayFollow(std::size_t n, std::int32_t notBefore, std::vector<std::size_t>& ready) {
    RoundNode& node = nodes_[n];
    node.atLeast = std::max(node.atLeast, notBefore);
    if (--node.endNeeds > 0) return;
    node.end = node.atLeast;
    for (const std::size_t follower : node.afterMyEnd) {
      nodes_[follower].atLeast = std::max(nodes_[follower].atLeast, node.end + 1);
      if (--nodes_[follower].startNeeds == 0) ready.push_back(follower);
    }
  }

  void place() {
    for (std::size_t c = 0; c < result_.combines.size(); ++c) {
      result_.combines[c].column = std::max(0, nodes_[combineNodes_[c]].start);
    }
    for (std::size_t m = 0; m < result_.messages.size(); ++m) {
      MessageEvent& message = result_.messages[m];
      message.column = std::max(0, nodes_[senders_[m]].start);
      if (!message.combine) continue;
      std::int32_t& column = result_.combines[*message.combine].column;
      column = std::max(column, message.column);
    }
    for (const CombineEvent& c : result_.combines) result_.columns = std::max(result_.columns, c.column + 1);
    for (const MessageEvent& m : result_.messages) result_.columns = std::max(result_.columns, m.column + 1);
  }

  std::span<const Plan> plans_;
  std::int32_t maxRounds_;
  SpaceTime result_;
  std::vector<RoundNode> nodes_;
  std::vector<std::size_t> senders_;       ///< by message: its round
  std::vector<std::size_t> combineNodes_;  ///< by combine: its round
  std::map<Channel, std::vector<std::size_t>> sends_;
  std::map<Channel, std::vector<Take>> takes_;
  std::map<std::pair<Rank, std::int32_t>, std::size_t> lastRound_;
  std::vector<AfterWait> waits_;
};

}  // namespace

SpaceTime unroll(std::span<const Plan> plans, std::int32_t maxRounds) {
  return Unroller(plans, maxRounds).run();
}

}  // namespace atl::plan
