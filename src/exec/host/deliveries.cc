// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/deliveries.h"

#include <algorithm>
#include <map>

namespace atl::exec {
namespace {

constexpr std::size_t kMostSteps = 1024;

std::vector<LoweredRound*> roundsOf(LoweredLane& lane) {
  std::vector<LoweredRound*> rounds;
  std::size_t steps = 0;
  for (LoweredLoop& loop : lane.loops) {
    if (loop.repeat != 1) return {};
    for (LoweredRound& round : loop.rounds) {
      steps += round.sends.size() + round.combines.size();
      rounds.push_back(&round);
    }
  }
  return steps <= kMostSteps ? rounds : std::vector<LoweredRound*>{};
}

/// Whether two chunks may share memory. In place, input and output are the same.
bool mayOverlap(const Chunk& a, const Chunk& b) {
  if ((a.buffer == Buffer::scratch) != (b.buffer == Buffer::scratch)) return false;
  return a.parts != b.parts || (a.index < b.index + b.span && b.index < a.index + a.span);
}

bool touches(const LoweredStep& lowered, const Chunk& place) {
  const Step& step = *lowered.step;
  return mayOverlap(step.chunk, place) || std::ranges::any_of(step.operands, [&](const Operand& operand) {
           return !operand.isPeer() && mayOverlap(operand.chunk, place);
         });
}

bool isSame(const Chunk& a, const Chunk& b) {
  return a.index == b.index && a.span == b.span && a.parts == b.parts;
}

/// The peer of a step that has one alone.
const LinkEnd* onlyPeer(const LoweredStep& lowered) {
  return lowered.links.size() == 1 ? lowered.links.front() : nullptr;
}

/// Messages of each peer so far.
using Counts = std::map<const LinkEnd*, std::int32_t>;

/// A send that might offer the place where a later message of its peer goes.
struct Candidate {
  LoweredStep* send;
  std::size_t round;
};

class Marking {
 public:
  explicit Marking(std::vector<LoweredRound*> rounds) : rounds_(std::move(rounds)) {}

  void run() {
    for (std::size_t r = 0; r < rounds_.size(); ++r) {
      for (LoweredStep& send : rounds_[r]->sends) addSend(send, r);
      for (LoweredStep& combine : rounds_[r]->combines) addCombine(combine, r);
    }
  }

 private:
  void addSend(LoweredStep& send, std::size_t round) {
    for (const LinkEnd* const link : send.links) send.messages.push_back(sent_[link]++);
    if (onlyPeer(send) != nullptr) candidates_.push_back({&send, round});
  }

  void addCombine(LoweredStep& combine, std::size_t round) {
    const LinkEnd* const peer = combine.step->operands.size() == 1 ? onlyPeer(combine) : nullptr;
    if (peer != nullptr && !combine.step->finish && combine.step->chunk.buffer == Buffer::output) {
      const auto candidate = std::ranges::find_if(candidates_, [&](const Candidate& c) {
        return onlyPeer(*c.send) == peer && isSame(c.send->step->chunk, combine.step->chunk) && !c.send->offer &&
               isUntouched(c, combine, round);
      });
      if (candidate != candidates_.end()) {
        candidate->send->offer = Offer{combine.step->chunk, taken_[peer]};
        combine.offered = true;
      }
    }
    for (const LinkEnd* const link : combine.links) ++taken_[link];
  }

  /// Whether nothing but the two steps touches the place, from the one's round to the other's.
  [[nodiscard]] bool isUntouched(const Candidate& candidate, const LoweredStep& combine, std::size_t last) const {
    const auto disturbs = [&](const LoweredStep& step) {
      return &step != candidate.send && &step != &combine && touches(step, combine.step->chunk);
    };
    for (std::size_t r = candidate.round; r <= last; ++r) {
      if (std::ranges::any_of(rounds_[r]->sends, disturbs) || std::ranges::any_of(rounds_[r]->combines, disturbs)) {
        return false;
      }
    }
    return true;
  }

  std::vector<LoweredRound*> rounds_;
  std::vector<Candidate> candidates_;
  Counts sent_;
  Counts taken_;
};

}  // namespace

void markDeliveries(const Plan& plan, LoweredLane& lane) {
  // Lanes of one share work on the same memory.
  if (plan.collective != Collective::allReduce || static_cast<std::size_t>(plan.shares) != plan.lanes.size()) return;
  Marking(roundsOf(lane)).run();
}

}  // namespace atl::exec
