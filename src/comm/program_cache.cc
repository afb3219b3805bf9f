// SPDX-License-Identifier: Apache-2.0
#include "src/comm/program_cache.h"

#include <algorithm>
#include <numeric>

#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/comm/head_bytes.h"
#include "src/comm/layouts.h"
#include "src/exec/host/flat_program.h"
#include "src/plan/verify.h"

namespace atl {
namespace {

/// Programs are small; a program with ever new counts must still not grow without bound.
constexpr std::size_t kMostPrograms = 512;

constexpr std::uint8_t kVForm = 1;
constexpr std::uint8_t kInPlace = 2;
constexpr std::uint8_t kOrdered = 4;
constexpr std::uint8_t kHeads = 8;

constexpr std::uint8_t kPreMulSum = 0xfe;
constexpr std::uint8_t kUserOp = 0xff;

std::uint8_t opCode(const Call& call) {
  if (!isReducing(call.collective)) return 0;
  switch (call.op.kind) {
    case Operator::Kind::builtin: return static_cast<std::uint8_t>(call.op.op);
    case Operator::Kind::preMulSum: return kPreMulSum;
    case Operator::Kind::user: return kUserOp;
  }
  return 0;
}

std::uint64_t hashCounts(const std::size_t* counts, Rank ranks, std::uint64_t seed) {
  return counts == nullptr ? seed : hashBytes(counts, static_cast<std::size_t>(ranks) * sizeof *counts, seed + 1);
}

/// What the ranks of a call compare. The v-forms' counts are compared where every rank knows them all.
CallRecord recordOf(const Call& call, Rank ranks, std::uint64_t planHash, std::int32_t tiles) {
  CallRecord record;
  record.collective = call.collective;
  record.type = call.type;
  record.op = opCode(call);
  record.root = call.root;
  record.count = call.count;
  record.planHash = hashCombine(planHash, tiles);
  record.flags =
      static_cast<std::uint8_t>((call.vForm ? CallRecord::kVForm : 0) | (call.heads ? CallRecord::kHeads : 0));
  if (call.vForm) {
    record.count = call.collective == Collective::allGather       ? hashCounts(call.recvCounts, ranks, 0)
                   : call.collective == Collective::reduceScatter ? hashCounts(call.sendCounts, ranks, 0)
                                                                  : 0;
  }
  return record;
}

}  // namespace

bool isInPlace(const Call& call, Rank rank) {
  const auto* const send = static_cast<const std::byte*>(call.send);
  const auto* const recv = static_cast<const std::byte*>(call.recv);
  if (send == nullptr || recv == nullptr) return false;
  const std::size_t element = sizeOf(call.type);
  const auto own = static_cast<std::size_t>(rank);
  switch (call.collective) {
    case Collective::allGather: return send == recv + (call.vForm ? call.recvDispls[rank] : own * call.count) * element;
    case Collective::reduceScatter: {
      const std::size_t before =
          call.vForm ? std::accumulate(call.sendCounts, call.sendCounts + rank, std::size_t{0}) : own * call.count;
      return recv == send + before * element;
    }
    case Collective::gather: return rank == call.root && send == recv + own * call.count * element;
    case Collective::scatter: return rank == call.root && recv == send + own * call.count * element;
    default: return send == recv;
  }
}

std::size_t ProgramCache::KeyHash::operator()(const Key& key) const {
  return hashCombine(0, key);
}

ProgramCache::ProgramCache(Rank rank, const plan::Hierarchy& hierarchy, const Settings& settings, LinkTable& links,
                           Choosing choosing)
    : rank_(rank),
      ranks_(hierarchy.ranks()),
      hierarchy_(&hierarchy),
      settings_(settings),
      links_(links),
      choosing_(std::move(choosing)) {}

void ProgramCache::goBy(const plan::Hierarchy& hierarchy, Choosing choosing) {
  hierarchy_ = &hierarchy;
  choosing_ = std::move(choosing);
  programs_.clear();
  plans_.clear();
  headBytes_.reset();
  last_ = nullptr;
}

inline std::uint8_t ProgramCache::flagsOf(const Call& call) const {
  return static_cast<std::uint8_t>((call.vForm ? kVForm : 0) | (isInPlace(call, rank_) ? kInPlace : 0) |
                                   (call.op.ordered() ? kOrdered : 0) | (call.heads ? kHeads : 0));
}

// Whether a call is of the kind of the one before, field by field: no key is made for it.
inline bool ProgramCache::isLike(const Call& call, const Key& key) const {
  return !call.vForm && call.count == key.count && call.collective == key.collective && call.type == key.type &&
         call.root == key.root && opCode(call) == key.op && flagsOf(call) == key.flags;
}

ProgramCache::Key ProgramCache::keyOf(const Call& call) const {
  Key key;
  key.count = call.count;
  key.root = call.root;
  key.collective = call.collective;
  key.type = call.type;
  key.op = opCode(call);
  key.flags = flagsOf(call);
  if (call.vForm) {
    key.counts = hashCounts(call.sendCounts, ranks_, 0);
    key.counts = hashCounts(call.sendDispls, ranks_, key.counts);
    key.counts = hashCounts(call.recvCounts, ranks_, key.counts);
    key.counts = hashCounts(call.recvDispls, ranks_, key.counts);
  }
  return key;
}

Result<exec::Program*> ProgramCache::get(const Call& call) {
  if (last_ != nullptr && isLike(call, lastKey_)) return last_;
  const Key key = keyOf(call);
  auto found = programs_.find(key);
  if (found == programs_.end()) {
    if (programs_.size() >= kMostPrograms) {
      programs_.clear();
      last_ = nullptr;
    }
    ATOLL_ASSIGN(auto program, make(call, key));
    found = programs_.emplace(key, std::move(program)).first;
  }
  lastKey_ = key;
  last_ = found->second.get();
  return last_;
}

std::uint64_t ProgramCache::payloadBytes(const Call& call) const {
  const std::uint64_t element = sizeOf(call.type);
  if (call.vForm) {
    // All-to-all-v: a rank knows only its own counts, so the choice may not depend on them.
    const std::size_t* const counts = call.collective == Collective::allGather       ? call.recvCounts
                                      : call.collective == Collective::reduceScatter ? call.sendCounts
                                                                                     : nullptr;
    return counts == nullptr ? 0 : std::accumulate(counts, counts + ranks_, std::uint64_t{0}) * element;
  }
  return call.count * element * static_cast<std::uint64_t>(payloadBlocks(call.collective, ranks_));
}

Result<std::shared_ptr<const Plan>> ProgramCache::planFor(const Call& call, std::uint64_t bytes) {
  for (const auto& plan : userPlans_[static_cast<std::size_t>(call.collective)]) {
    if (plan->root != call.root) continue;
    if (call.op.ordered() && !plan->ordered) {
      return makeError(ErrorCode::invalidUsage,
                       "the loaded plan '{}' does not reduce in rank order, which the call's operator needs",
                       plan->algorithm);
    }
    return plan;
  }
  plan::Choice choice;
  choice.collective = call.collective;
  choice.ranks = ranks_;
  choice.root = call.root;
  choice.bytes = bytes;
  choice.ordered = call.op.ordered();
  choice.unequalBlocks = call.vForm;
  choice.tileBytes = settings_.tileBytes;
  ATOLL_ASSIGN(const auto decision, choosing_.decide(choice));
  if (log::enabled(log::Subject::plan)) log::write(log::Subject::plan, rank_, choosing_.explain(choice, decision));

  const plan::Candidate& taken = decision.taken();
  std::uint64_t key = hashText(taken.algorithm->name,
                               hashCombine(static_cast<std::uint64_t>(call.root),
                                           2 * static_cast<std::uint64_t>(call.collective) + (choice.ordered ? 1 : 0)));
  for (const plan::LevelAlgorithms& level : taken.levels) {
    for (const plan::Algorithm* const algorithm : {level.inward, level.outward}) {
      key = hashText(algorithm == nullptr ? "" : algorithm->name, key);
    }
  }
  auto& cached = plans_[key];
  if (cached == nullptr) {
    plan::PlanRequest request;
    request.collective = call.collective;
    request.ranks = ranks_;
    request.rank = rank_;
    request.root = call.root;
    if (!choice.ordered) request.hierarchy = hierarchy_;  // what goes by islands goes by no order of ranks
    request.levels = taken.levels;
    cached = std::make_shared<const Plan>(taken.algorithm->generate(request));
  }
  return cached;
}

exec::LinkSource ProgramCache::linkSource(std::int32_t firstLane) {
  return [this, firstLane](Rank peer, std::int32_t lane) { return links_.link(peer, firstLane + lane); };
}

Result<std::unique_ptr<exec::Program>> ProgramCache::make(const Call& call, const Key& key) {
  const std::uint64_t bytes = payloadBytes(call);
  ATOLL_ASSIGN(auto plan, planFor(call, bytes));
  const std::int32_t tiles = plan::tilesFor(plan->tileable, bytes, settings_.tileBytes);
  const CallRecord record = recordOf(call, ranks_, plan->familyHash, tiles);
  ATOLL_ASSIGN(auto program, exec::lower(plan, layoutOf(call, *plan, tiles), record, call.op, linkSource(0)));
  program->inputBytes = inputElements(call, rank_, ranks_) * sizeOf(call.type);
  program->bufferBytes = program->inputBytes + bytes;
  program->snapshotInput = (key.flags & kInPlace) != 0 && !plan::safeInPlace(*plan);
  return program;
}

Result<exec::Program*> ProgramCache::get(std::span<const PointToPoint> operations, Exchange exchange) {
  const auto sameShape = [](const PointToPoint& a, const PointToPoint& b) {
    return a.isSend == b.isSend && a.peer == b.peer && a.count == b.count && a.type == b.type;
  };
  Fused& last = fused_[static_cast<std::size_t>(exchange)];
  if (last.program == nullptr || !std::ranges::equal(operations, last.shape, sameShape)) {
    const auto links = linkSource(exchange == Exchange::tails ? kLaneOfTails : 0);
    ATOLL_ASSIGN(auto fused, fusePointToPoint(operations, rank_, ranks_));
    ATOLL_ASSIGN(auto program, exec::lower(fused.plan, std::move(fused.layout), fused.record, Operator{}, links));
    ATOLL_TRY(describePointToPoint(*program, operations, rank_, links));
    for (const PointToPoint& operation : operations) program->bufferBytes += operation.count * sizeOf(operation.type);
    last.program = std::move(program);
    last.shape.assign(operations.begin(), operations.end());
    last_ = nullptr;
  }
  bindPointToPoint(*last.program, operations);
  return last.program.get();
}

Result<std::size_t> ProgramCache::headBytes() {
  if (!headBytes_) {
    // A plan of the user's own is for whole blocks.
    const bool planned = !userPlans_[static_cast<std::size_t>(Collective::allToAll)].empty();
    ATOLL_ASSIGN(const std::size_t bytes, planned ? std::size_t{0} : headBytesFor(choosing_, ranks_));
    if (bytes > 0) log::line(log::Subject::plan, rank_, "alltoall-v: heads of {} bytes a block, tails straight", bytes);
    headBytes_ = bytes;
  }
  return *headBytes_;
}

Result<AlgorithmChoice> ProgramCache::choiceFor(Collective collective, std::uint64_t bytes) const {
  const Rank root = isRooted(collective) ? 0 : kNoRank;
  AlgorithmChoice report;
  report.site = choosing_.tuningSite();
  for (const auto& plan : userPlans_[static_cast<std::size_t>(collective)]) {
    if (plan->root != root) continue;
    report.algorithm = plan->algorithm;
    report.by = plan::Decision::By::user;
    return report;
  }
  plan::Choice choice;
  choice.collective = collective;
  choice.ranks = ranks_;
  choice.root = root;
  choice.bytes = bytes;
  choice.tileBytes = settings_.tileBytes;
  ATOLL_ASSIGN(const auto decision, choosing_.decide(choice));
  report.algorithm = decision.algorithm().name;
  report.by = decision.by;
  report.seconds = decision.ranked.front().seconds;
  if (decision.ofModel != nullptr) report.ofModel = decision.ofModel->name;
  return report;
}

void ProgramCache::use(std::shared_ptr<const Plan> plan) {
  auto& plans = userPlans_[static_cast<std::size_t>(plan->collective)];
  std::erase_if(plans, [&](const auto& other) { return other->root == plan->root; });
  plans.push_back(std::move(plan));
  programs_.clear();
  headBytes_.reset();
  last_ = nullptr;
}

std::size_t ProgramCache::bytesHeld() const {
  std::size_t bytes = programs_.bucket_count() * sizeof(void*);
  for (const auto& [key, program] : programs_) {
    bytes += sizeof key + sizeof *program + (program->flat != nullptr ? program->flat->bytesHeld() : 0);
    for (const auto& lane : program->lanes) {
      for (const auto& loop : lane.loops) {
        for (const auto& round : loop.rounds) {
          for (const auto* steps : {&round.sends, &round.combines}) {
            for (const auto& step : *steps) bytes += sizeof step + step.links.capacity() * sizeof(void*);
          }
        }
      }
    }
  }
  return bytes;
}

}  // namespace atl
