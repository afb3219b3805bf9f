// SPDX-License-Identifier: Apache-2.0
#include "src/plan/verify_shape.h"

#include "src/plan/notation.h"

namespace atl::plan {
namespace {

template <class... Args>
Error wrong(const Where& where, fmt::format_string<Args...> format, Args&&... args) {
  return makeError(ErrorCode::invalidArgument, "{}: {}", describe(where),
                   fmt::format(format, std::forward<Args>(args)...));
}

/// Looks at one plan's steps with its place at hand.
class ShapeCheck {
 public:
  explicit ShapeCheck(const Plan& plan) : plan_(plan), at_{plan.rank} {}

  Status run() {
    ATOLL_TRY(header());
    for (std::size_t l = 0; l < plan_.lanes.size(); ++l) {
      at_ = Where{plan_.rank, static_cast<std::int32_t>(l)};
      ATOLL_TRY(lane(plan_.lanes[l]));
    }
    return success();
  }

 private:
  Status header() {
    if (plan_.version != kPlanVersion) {
      return wrong(at_, "plan version {}, this library knows {}", plan_.version, kPlanVersion);
    }
    if (plan_.ranks < 1) return wrong(at_, "a family of {} ranks", plan_.ranks);
    if (plan_.rank < 0 || plan_.rank >= plan_.ranks) {
      return wrong(at_, "is out of range: the family has {} ranks", plan_.ranks);
    }
    if (isRooted(plan_.collective)) {
      if (plan_.root < 0 || plan_.root >= plan_.ranks) {
        return wrong(at_, "root {} is out of range: the family has {} ranks", plan_.root, plan_.ranks);
      }
    } else if (plan_.root != kNoRank) {
      return wrong(at_, "root {} given, but {} has none", plan_.root, nameOf(plan_.collective));
    }
    if (plan_.shares < 1 || plan_.shares > kMaxLanes) {
      return wrong(at_, "{} shares; 1 to {} are possible", plan_.shares, kMaxLanes);
    }
    if (plan_.lanes.size() > static_cast<std::size_t>(kMaxLanes)) {
      return wrong(at_, "{} lanes; at most {} are possible", plan_.lanes.size(), kMaxLanes);
    }
    if (plan_.scratchSlots < 0) return wrong(at_, "{} scratch slots", plan_.scratchSlots);
    if (plan_.scratchParts < 1) return wrong(at_, "scratch slots of one of {} parts", plan_.scratchParts);
    const Rank blocks = payloadBlocks(plan_.collective, plan_.ranks);
    if (plan_.scratchSlots > 0 && plan_.scratchParts % blocks != 0) {
      return wrong(at_, "scratch slots of one of {} parts: not a multiple of the payload's {} blocks",
                   plan_.scratchParts, blocks);
    }
    return success();
  }

  Status lane(const Lane& lane) {
    if (lane.share < 0 || lane.share >= plan_.shares) {
      return wrong(at_, "share {} is out of range: the plan has {} shares", lane.share, plan_.shares);
    }
    for (std::size_t o = 0; o < lane.loops.size(); ++o) {
      const Loop& loop = lane.loops[o];
      at_.loop = static_cast<std::int32_t>(o);
      at_.round = at_.step = -1;
      if (loop.repeat < 1) return wrong(at_, "is repeated {} times", loop.repeat);
      for (std::size_t r = 0; r < loop.rounds.size(); ++r) {
        at_.round = static_cast<std::int32_t>(r);
        at_.step = -1;
        ATOLL_TRY(round(loop.rounds[r]));
      }
    }
    return success();
  }

  Status round(const Round& round) {
    if (round.after) {
      if (*round.after < 0 || *round.after >= static_cast<std::int32_t>(plan_.lanes.size())) {
        return wrong(at_, "waits for lane {}, but the plan has {} lanes", *round.after, plan_.lanes.size());
      }
      if (*round.after == at_.lane) return wrong(at_, "waits for the end of its own lane");
    }
    for (std::size_t s = 0; s < round.steps.size(); ++s) {
      at_.step = static_cast<std::int32_t>(s);
      const Step& step = round.steps[s];
      ATOLL_TRY(chunk(step.chunk));
      ATOLL_TRY(step.kind == Step::Kind::send ? send(step) : combine(step));
    }
    return success();
  }

  Status send(const Step& step) {
    if (step.to.empty()) return wrong(at_, "sends {} to nobody", describe(step.chunk));
    if (!step.operands.empty()) return wrong(at_, "a send has operands");
    if (step.finish) return wrong(at_, "a send cannot finish");
    for (const Peer& p : step.to) ATOLL_TRY(peer(p));
    return success();
  }

  Status combine(const Step& step) {
    if (step.operands.empty()) return wrong(at_, "combines nothing into {}", describe(step.chunk));
    if (!step.to.empty()) return wrong(at_, "a combine has receivers");
    if (step.chunk.buffer == Buffer::input) {
      return wrong(at_, "writes {}: input is never written", describe(step.chunk));
    }
    if (step.finish && !isReducing(plan_.collective)) {
      return wrong(at_, "finishes a reduction in {}, which does not reduce", nameOf(plan_.collective));
    }
    if (step.operands.size() > 1 && !isReducing(plan_.collective) && plan_.collective != Collective::barrier) {
      return wrong(at_, "combines {} operands in {}, which does not reduce", step.operands.size(),
                   nameOf(plan_.collective));
    }
    for (const Operand& operand : step.operands) {
      ATOLL_TRY(operand.isPeer() ? peer(*operand.peer) : chunk(operand.chunk));
    }
    return success();
  }

  Status peer(const Peer& peer) {
    if (peer.rank >= 0 && peer.rank < plan_.ranks) return success();
    return wrong(at_, "peer rank {} is out of range: the family has {} ranks", peer.rank, plan_.ranks);
  }

  Status chunk(const Chunk& chunk) {
    const Rank blocks = payloadBlocks(plan_.collective, plan_.ranks);
    if (chunk.parts < 1 || chunk.parts % blocks != 0) {
      return wrong(at_, "{}: {} parts are not a multiple of the payload's {} blocks", describe(chunk), chunk.parts,
                   blocks);
    }
    if (chunk.index < 0 || chunk.index >= chunk.parts || chunk.span < 1 || chunk.span > chunk.parts) {
      return wrong(at_, "{} is out of range", describe(chunk));
    }
    if (chunk.buffer != Buffer::scratch) return success();
    if (chunk.parts != plan_.scratchParts) {
      return wrong(at_, "{}: scratch holds parts of {}", describe(chunk), plan_.scratchParts);
    }
    if (chunk.slot < 0 || chunk.slot >= plan_.scratchSlots) {
      return wrong(at_, "{} is out of range: the plan declares {} scratch slots", describe(chunk), plan_.scratchSlots);
    }
    return success();
  }

  const Plan& plan_;
  Where at_;
};

/// The header's fields that a family has in common, compared one by one so that the text names the one that differs.
Status sameHeader(const Plan& first, const Plan& other) {
  const auto differ = [&](std::string_view what, const auto& a, const auto& b) {
    return makeError(ErrorCode::invalidArgument, "not one family: {} of rank 0 is {}, of rank {} it is {}", what, a,
                     other.rank, b);
  };
  if (first.version != other.version) return differ("version", first.version, other.version);
  if (first.collective != other.collective) {
    return differ("collective", nameOf(first.collective), nameOf(other.collective));
  }
  if (first.algorithm != other.algorithm) return differ("algorithm", first.algorithm, other.algorithm);
  if (first.ranks != other.ranks) return differ("number of ranks", first.ranks, other.ranks);
  if (first.root != other.root) return differ("root", first.root, other.root);
  if (first.shares != other.shares) return differ("number of shares", first.shares, other.shares);
  if (first.ordered != other.ordered) return differ("'ordered'", first.ordered, other.ordered);
  if (first.tileable != other.tileable) return differ("'tileable'", first.tileable, other.tileable);
  if (first.familyHash != other.familyHash) {
    return differ("hash", fmt::format("{:#018x}", first.familyHash), fmt::format("{:#018x}", other.familyHash));
  }
  return success();
}

}  // namespace

Status checkShape(const Plan& plan) {
  return ShapeCheck(plan).run();
}

Status checkFamily(std::span<const Plan> plans) {
  if (plans.empty()) return makeError(ErrorCode::invalidArgument, "a family of no plans");
  for (std::size_t r = 0; r < plans.size(); ++r) {
    if (plans[r].rank != static_cast<Rank>(r)) {
      return makeError(ErrorCode::invalidArgument, "not one family: the plan in place {} is of rank {}", r,
                       plans[r].rank);
    }
    ATOLL_TRY(sameHeader(plans[0], plans[r]));
  }
  if (static_cast<std::size_t>(plans[0].ranks) != plans.size()) {
    return makeError(ErrorCode::invalidArgument, "{} plans given for a family of {} ranks", plans.size(),
                     plans[0].ranks);
  }
  return success();
}

}  // namespace atl::plan
