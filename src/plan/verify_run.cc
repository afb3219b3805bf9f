// SPDX-License-Identifier: Apache-2.0
#include "src/plan/verify_run.h"

#include <algorithm>
#include <deque>
#include <vector>

#include "src/plan/lane_cursor.h"
#include "src/plan/notation.h"
#include "src/plan/rank_set.h"
#include "src/plan/rendezvous.h"
#include "src/plan/verify_values.h"

namespace atl::plan {
namespace {

using StrandIndex = std::uint32_t;

/// What a barrier is about, kept for every collective: how far a strand is in time, and of which ranks' start it has
/// heard.
struct Knowledge {
  std::int64_t depth = 0;
  RankSet heard;
};

/// A send of the current round.
struct Sending {
  Chunk chunk;
  Rank to = 0;
  std::int32_t step = 0;
  bool taken = false;
};

/// An operand of the current round: local, or the send that it has met.
struct Source {
  Chunk chunk;                       ///< the sender's, once met
  Rank peer = kNoRank;               ///< where it comes from, kNoRank if local
  std::uint32_t combine = 0;         ///< which of the round's combines takes it
  std::optional<MessageEnd> sender;  ///< once met
};

/// A combine of the current round.
struct Combining {
  const Step* step = nullptr;
  Chunk chunk;
  std::int32_t index = 0;
  std::uint32_t sourcesBegin = 0;
  std::uint32_t sourcesEnd = 0;
  std::uint32_t missing = 0;  ///< messages that no sender has offered yet
  bool done = false;
};

/// One lane of one rank, and its current round.
struct Strand {
  Strand(const Plan& p, std::int32_t l) : plan(&p), lane(l), cursor(p.lanes[static_cast<std::size_t>(l)]) {}

  const Plan* plan;
  std::int32_t lane;
  LaneCursor cursor;
  bool inRound = false;
  std::int64_t pending = 0;  ///< sends not taken and combines not done, plus one while the round is being posted
  Knowledge now;             ///< at the round's start: what its sends carry
  Knowledge next;            ///< at its end
  std::vector<Sending> sends;
  std::vector<Source> sources;
  std::vector<Combining> combines;
  std::vector<StrandIndex> waiters;  ///< strands whose round waits for this lane's end

  [[nodiscard]] std::int32_t share() const { return plan->lanes[static_cast<std::size_t>(lane)].share; }
  [[nodiscard]] Where where(std::int32_t step) const { return cursor.where(plan->rank, lane, step); }
};

class SymbolicRun {
 public:
  SymbolicRun(std::span<const Plan> plans, std::span<const CellGrid> grids, const VerifyOptions& options)
      : plans_(plans),
        grids_(grids),
        options_(options),
        sets_(plans.front().ranks, options.maxMemoryBytes / 2),
        rules_(plans.front(), sets_),
        memory_(plans, grids) {}

  Result<Proof> run() {
    start();
    while (!ready_.empty()) {
      const StrandIndex s = ready_.front();
      ready_.pop_front();
      if (strands_[s].inRound) endRound(s);
      ATOLL_TRY(beginRound(s));
    }
    ATOLL_TRY(checkAllEnded());
    ATOLL_TRY(plans_.front().collective == Collective::barrier ? checkBarrier() : checkOutputs());
    proof_.ranks = static_cast<Rank>(plans_.size());
    for (const Strand& strand : strands_) proof_.rounds = std::max(proof_.rounds, strand.now.depth);
    proof_.ordered = isReducing(plans_.front().collective) && rules_.ordered();
    return proof_;
  }

 private:
  void start() {
    std::size_t total = 0;
    for (const Plan& plan : plans_) total += plan.lanes.size();
    strands_.reserve(total);
    firstStrand_.reserve(plans_.size());
    for (const Plan& plan : plans_) {
      firstStrand_.push_back(static_cast<StrandIndex>(strands_.size()));
      for (std::size_t l = 0; l < plan.lanes.size(); ++l) {
        strands_.emplace_back(plan, static_cast<std::int32_t>(l));
        strands_.back().now.heard = RankSets::single(plan.rank);
        ready_.push_back(static_cast<StrandIndex>(strands_.size() - 1));
      }
    }
  }

  [[nodiscard]] StrandIndex strandOf(Rank rank, std::int32_t lane) const {
    return firstStrand_[static_cast<std::size_t>(rank)] + static_cast<StrandIndex>(lane);
  }

  template <class... Args>
  static Error wrong(const Strand& strand, std::int32_t step, fmt::format_string<Args...> format, Args&&... args) {
    return makeError(ErrorCode::invalidArgument, "{}: {}", describe(strand.where(step)),
                     fmt::format(format, std::forward<Args>(args)...));
  }

  // --- the life of a round ---

  Status beginRound(StrandIndex index) {
    Strand& strand = strands_[index];
    if (strand.cursor.done()) {
      for (const StrandIndex waiter : strand.waiters) ready_.push_back(waiter);
      strand.waiters.clear();
      return success();
    }
    const Round& round = strand.cursor.round();
    if (round.after) {
      Strand& other = strands_[strandOf(strand.plan->rank, *round.after)];
      if (!other.cursor.done()) {
        other.waiters.push_back(index);
        return success();
      }
      learn(strand.now, other.now, 0);
    }
    strand.inRound = true;
    strand.pending = 1;
    strand.next = strand.now;
    strand.sends.clear();
    strand.sources.clear();
    strand.combines.clear();
    resolve(strand, round);
    ATOLL_TRY(post(index));
    settle(index);
    return success();
  }

  void endRound(StrandIndex index) {
    Strand& strand = strands_[index];
    strand.inRound = false;
    strand.now = strand.next;
    strand.cursor.next();
  }

  /// One thing less to wait for; the last one makes the strand ready for its next round.
  void settle(StrandIndex index) {
    if (--strands_[index].pending == 0) ready_.push_back(index);
  }

  /// Applies the repetition to the round's steps.
  void resolve(Strand& strand, const Round& round) {
    const Plan& plan = *strand.plan;
    const std::int32_t k = strand.cursor.repetition();
    std::int32_t index = -1;
    for (const Step& step : round.steps) {
      ++index;
      ++proof_.steps;
      const Chunk chunk = atRepetition(step.chunk, k, plan.scratchSlots);
      noteScratch(chunk);
      if (step.kind == Step::Kind::send) {
        for (const Peer& peer : step.to)
          strand.sends.push_back({chunk, atRepetition(peer, k, plan.ranks), index, false});
        continue;
      }
      Combining combine{&step, chunk, index, static_cast<std::uint32_t>(strand.sources.size()), 0, 0, false};
      for (const Operand& operand : step.operands) {
        Source source;
        source.combine = static_cast<std::uint32_t>(strand.combines.size());
        if (operand.isPeer()) {
          source.peer = atRepetition(*operand.peer, k, plan.ranks);
          ++combine.missing;
        } else {
          source.chunk = atRepetition(operand.chunk, k, plan.scratchSlots);
          noteScratch(source.chunk);
        }
        strand.sources.push_back(source);
      }
      combine.sourcesEnd = static_cast<std::uint32_t>(strand.sources.size());
      strand.combines.push_back(combine);
    }
  }

  void noteScratch(const Chunk& chunk) {
    if (chunk.buffer == Buffer::scratch) proof_.scratchUsed = std::max(proof_.scratchUsed, chunk.slot + chunk.span);
  }

  /// Offers the round's messages and does the combines that need none.
  Status post(StrandIndex index) {
    Strand& strand = strands_[index];
    strand.pending += static_cast<std::int64_t>(strand.sends.size() + strand.combines.size());
    for (std::uint32_t i = 0; i < strand.sends.size(); ++i) {
      const Sending& send = strand.sends[i];
      if (send.to == strand.plan->rank) return wrong(strand, send.step, "sends to itself");
      const MessageEnd mine{index, i};
      if (const auto taker = meeting_.offer(channel(index, send.to), Rendezvous::End::send, mine)) {
        ATOLL_TRY(join(mine, *taker));
      }
    }
    for (std::uint32_t c = 0; c < strand.combines.size(); ++c) {
      const Combining& combine = strand.combines[c];
      ATOLL_TRY(checkLocalSizes(strand, combine));
      if (combine.missing == 0) ATOLL_TRY(fire(index, c));
    }
    for (std::uint32_t i = 0; i < strand.sources.size(); ++i) {
      const Source& source = strand.sources[i];
      if (source.peer == kNoRank) continue;
      if (source.peer == strand.plan->rank) {
        return wrong(strand, strand.combines[source.combine].index, "takes a message from itself");
      }
      // A peer without this lane never sends on it; checkAllEnded() tells.
      if (static_cast<std::size_t>(strand.lane) >= plans_[static_cast<std::size_t>(source.peer)].lanes.size()) continue;
      const MessageEnd mine{index, i};
      const std::uint64_t from = channel(strandOf(source.peer, strand.lane), strand.plan->rank);
      if (const auto sender = meeting_.offer(from, Rendezvous::End::take, mine)) ATOLL_TRY(join(*sender, mine));
    }
    return success();
  }

  /// The channel from a sender's lane to a rank: the receiving lane is the one of the same number.
  static std::uint64_t channel(StrandIndex sender, Rank to) {
    return (std::uint64_t{sender} << 32U) | static_cast<std::uint32_t>(to);
  }

  [[nodiscard]] Status checkLocalSizes(const Strand& strand, const Combining& combine) const {
    for (std::uint32_t i = combine.sourcesBegin; i < combine.sourcesEnd; ++i) {
      const Source& source = strand.sources[i];
      if (source.peer != kNoRank) continue;
      auto same = checkSameSize(*strand.plan, source.chunk, *strand.plan, combine.chunk, options_.unequalBlocks);
      if (!same) return std::move(same).error().within(describe(strand.where(combine.index)));
    }
    return success();
  }

  /// A send and the operand that takes it have met.
  Status join(MessageEnd sendEnd, MessageEnd takeEnd) {
    Strand& sender = strands_[sendEnd.strand];
    Strand& receiver = strands_[takeEnd.strand];
    const Sending& send = sender.sends[sendEnd.item];
    Source& source = receiver.sources[takeEnd.item];
    Combining& combine = receiver.combines[source.combine];
    ++proof_.messages;
    if (sender.share() != receiver.share()) {
      return wrong(receiver, combine.index, "works on share {}, but the message from {} is of share {}",
                   receiver.share(), describe(sender.where(send.step)), sender.share());
    }
    auto same = checkSameSize(*sender.plan, send.chunk, *receiver.plan, combine.chunk, options_.unequalBlocks);
    if (!same) {
      return std::move(same).error().within(fmt::format("{}: the message from {} does not fit its destination",
                                                        describe(receiver.where(combine.index)),
                                                        describe(sender.where(send.step))));
    }
    source.chunk = send.chunk;
    source.sender = sendEnd;
    learn(receiver.next, sender.now, 1);
    return --combine.missing == 0 ? fire(takeEnd.strand, source.combine) : success();
  }

  void learn(Knowledge& mine, const Knowledge& theirs, std::int64_t distance) {
    mine.depth = std::max(mine.depth, theirs.depth + distance);
    if (plans_.front().collective == Collective::barrier) mine.heard = sets_.unite(mine.heard, theirs.heard).set;
  }

  /// All operands are there: folds them and lets the senders go.
  Status fire(StrandIndex index, std::uint32_t combineIndex) {
    Strand& strand = strands_[index];
    Combining& combine = strand.combines[combineIndex];
    const CellGrid& grid = gridOf(strand);
    const CellRun target = grid.cells(combine.chunk);
    for (std::int64_t i = 0; i < target.count; ++i) {
      Value folded;
      for (std::uint32_t s = combine.sourcesBegin; s < combine.sourcesEnd; ++s) {
        const Source& source = strand.sources[s];
        ATOLL_ASSIGN(const Value value, read(strand, combine, source, i));
        if (s == combine.sourcesBegin) {
          folded = value;
        } else if (auto status = rules_.fold(folded, value); !status) {
          return inCombine(strand, combine, std::move(status).error());
        }
      }
      if (combine.step->finish) {
        if (auto status = rules_.finish(folded); !status) return inCombine(strand, combine, std::move(status).error());
      }
      memory_.at(strand.plan->rank, strand.share(), target.buffer, target.begin + i) = folded;
    }
    combine.done = true;
    for (std::uint32_t s = combine.sourcesBegin; s < combine.sourcesEnd; ++s) {
      const auto sender = strand.sources[s].sender;
      if (!sender) continue;
      strands_[sender->strand].sends[sender->item].taken = true;
      settle(sender->strand);
    }
    settle(index);
    return success();
  }

  static Error inCombine(const Strand& strand, const Combining& combine, Error error) {
    return std::move(error).within(fmt::format("{}: {} into {}", describe(strand.where(combine.index)),
                                               nameOf(actionOf(*combine.step)), describe(combine.chunk)));
  }

  /// The i-th cell of a combine's operand, which may be in the sender's memory.
  Result<Value> read(const Strand& strand, const Combining& combine, const Source& source, std::int64_t i) {
    const Strand& owner = source.sender ? strands_[source.sender->strand] : strand;
    const CellGrid& grid = gridOf(owner);
    const CellRun cells = grid.cells(source.chunk);
    const Rank rank = owner.plan->rank;
    if (cells.buffer == Buffer::input) return rules_.input(rank, cells.begin + i, grid);
    const Value value = memory_.at(rank, owner.share(), cells.buffer, cells.begin + i);
    if (value.written()) return value;
    const std::int32_t step = source.sender ? owner.sends[source.sender->item].step : combine.index;
    Chunk part = source.chunk;
    const auto offset = static_cast<std::int32_t>(i / grid.perPart(part.parts));
    part.index += offset;
    part.slot += offset;
    part.span = 1;
    return wrong(owner, step, "reads {} that nothing wrote", describe(part));
  }

  [[nodiscard]] const CellGrid& gridOf(const Strand& strand) const {
    return grids_[static_cast<std::size_t>(strand.share())];
  }

  // --- the end ---

  /// What a strand waits for, and the strand that would have to move for it.
  struct Wait {
    std::string text;
    StrandIndex on = 0;
    bool exists = true;  ///< false if the peer has no such lane
  };

  [[nodiscard]] Wait waitOf(const Strand& strand) const {
    const auto onPeer = [&](std::string text, Rank peer) {
      const bool exists = static_cast<std::size_t>(strand.lane) < plans_[static_cast<std::size_t>(peer)].lanes.size();
      return Wait{std::move(text), exists ? strandOf(peer, strand.lane) : 0, exists};
    };
    if (!strand.inRound) {
      const std::int32_t lane = *strand.cursor.round().after;
      return {fmt::format("{} waits for the end of lane {}", describe(strand.where(-1)), lane),
              strandOf(strand.plan->rank, lane), true};
    }
    // An operand that no message has met waits for its sender's progress; prefer it, as a send is taken only with it.
    for (const Source& source : strand.sources) {
      if (source.peer == kNoRank || source.sender) continue;
      return onPeer(fmt::format("{} waits for a message from rank {}",
                                describe(strand.where(strand.combines[source.combine].index)), source.peer),
                    source.peer);
    }
    const auto send = std::find_if(strand.sends.begin(), strand.sends.end(), [](const Sending& s) { return !s.taken; });
    return onPeer(fmt::format("{} waits for rank {} to take {}", describe(strand.where(send->step)), send->to,
                              describe(send->chunk)),
                  send->to);
  }

  Status checkAllEnded() const {
    const auto stuck = std::find_if(strands_.begin(), strands_.end(), [](const Strand& s) { return !s.cursor.done(); });
    if (stuck == strands_.end()) return success();
    const auto waiting =
        std::count_if(strands_.begin(), strands_.end(), [](const Strand& s) { return !s.cursor.done(); });

    // Follow who waits for whom: to a lane that has ended, or round in a circle. Waits on the way into the circle are
    // cut.
    std::vector<Wait> chain;
    std::vector<StrandIndex> visited;
    auto current = static_cast<StrandIndex>(stuck - strands_.begin());
    std::string end;
    std::size_t begin = 0;
    while (true) {
      const auto seen = std::find(visited.begin(), visited.end(), current);
      if (seen != visited.end()) {
        begin = static_cast<std::size_t>(seen - visited.begin());
        end = "which closes the circle";
        break;
      }
      const Strand& strand = strands_[current];
      if (strand.cursor.done()) {
        end = fmt::format("but rank {} has ended its lane {}", strand.plan->rank, strand.lane);
        begin = visited.size() - 1;
        break;
      }
      visited.push_back(current);
      chain.push_back(waitOf(strand));
      if (!chain.back().exists) {
        end = fmt::format("but that rank has no lane {}", strand.lane);
        begin = visited.size() - 1;
        break;
      }
      current = chain.back().on;
    }
    constexpr std::size_t kShown = 8;
    std::string text;
    for (std::size_t i = begin; i < chain.size(); ++i) {
      if (i - begin == kShown) {
        text += fmt::format("… ({} more), ", chain.size() - i);
        break;
      }
      text += chain[i].text + ", ";
    }
    return makeError(ErrorCode::invalidArgument, "deadlock, {} of {} lanes wait for ever: {}{}", waiting,
                     strands_.size(), text, end);
  }

  Status checkOutputs() {
    for (const Plan& plan : plans_) {
      const BlockRun blocks = outputBlocks(plan);
      for (std::int32_t share = 0; share < plan.shares; ++share) {
        const CellGrid& grid = grids_[static_cast<std::size_t>(share)];
        const std::int64_t begin = blocks.first * grid.perBlock();
        const std::int64_t end = begin + blocks.count * grid.perBlock();
        for (std::int64_t cell = begin; cell < end; ++cell) {
          auto status = rules_.checkOutput(memory_.at(plan.rank, share, Buffer::output, cell), plan.rank, cell, grid);
          if (status) continue;
          const std::string ofShare = plan.shares > 1 ? fmt::format(" of share {}", share) : "";
          return makeError(status.error().code, "rank {}: at the end, output part {} of {}{} {}", plan.rank, cell,
                           grid.payload(), ofShare, status.error().text);
        }
      }
    }
    return success();
  }

  Status checkBarrier() {
    for (const Plan& plan : plans_) {
      Knowledge all{0, RankSets::single(plan.rank)};
      for (std::size_t l = 0; l < plan.lanes.size(); ++l) {
        learn(all, strands_[strandOf(plan.rank, static_cast<std::int32_t>(l))].now, 0);
      }
      if (sets_.exhausted()) {
        return makeError(ErrorCode::unsupported,
                         "too many different sets of ranks to follow within the memory allowed");
      }
      if (!sets_.isAll(all.heard)) {
        return makeError(ErrorCode::invalidArgument, "rank {} may leave the barrier before rank {} has entered it",
                         plan.rank, sets_.firstMissing(all.heard));
      }
    }
    return success();
  }

  std::span<const Plan> plans_;
  std::span<const CellGrid> grids_;
  VerifyOptions options_;
  RankSets sets_;
  ValueRules rules_;
  Memory memory_;
  Rendezvous meeting_;
  std::vector<Strand> strands_;
  std::vector<StrandIndex> firstStrand_;  ///< by rank
  std::deque<StrandIndex> ready_;         ///< strands whose round is complete, or that have none yet
  Proof proof_;
};

}  // namespace

Result<Proof> runSymbolically(std::span<const Plan> plans, std::span<const CellGrid> grids,
                              const VerifyOptions& options) {
  return SymbolicRun(plans, grids, options).run();
}

}  // namespace atl::plan
