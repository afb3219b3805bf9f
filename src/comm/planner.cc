// SPDX-License-Identifier: Apache-2.0
#include "src/comm/planner.h"

#include <algorithm>
#include <numeric>

#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/comm/head_bytes.h"
#include "src/comm/layouts.h"
#include "src/plan/verify.h"

namespace atl {

Planner::Planner(Rank rank, const plan::Hierarchy& hierarchy, const Settings& settings, Choosing choosing)
    : rank_(rank),
      ranks_(hierarchy.ranks()),
      hierarchy_(&hierarchy),
      settings_(settings),
      choosing_(std::move(choosing)) {}

void Planner::goBy(const plan::Hierarchy& hierarchy, Choosing choosing) {
  hierarchy_ = &hierarchy;
  choosing_ = std::move(choosing);
  plans_.clear();
  headBytes_.reset();
}

std::uint64_t Planner::payloadBytes(const Call& call) const {
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

plan::Choice Planner::choiceOf(const Call& call, std::uint64_t bytes) const {
  plan::Choice choice;
  choice.collective = call.collective;
  choice.ranks = ranks_;
  choice.root = call.root;
  choice.bytes = bytes;
  choice.ordered = call.op.ordered();
  choice.unequalBlocks = call.vForm;
  choice.tileBytes = settings_.tileBytes;
  return choice;
}

Result<std::shared_ptr<const Plan>> Planner::planFor(const Call& call, std::uint64_t bytes, std::int32_t shares) {
  for (const auto& plan : userPlans_[static_cast<std::size_t>(call.collective)]) {
    if (plan->root != call.root) continue;
    if (call.op.ordered() && !plan->ordered) {
      return makeError(ErrorCode::invalidUsage,
                       "the loaded plan '{}' does not reduce in rank order, which the call's operator needs",
                       plan->algorithm);
    }
    return plan;
  }
  const plan::Choice choice = choiceOf(call, bytes);
  ATOLL_ASSIGN(const auto decision, choosing_.decide(choice));
  if (log::enabled(log::Subject::plan)) log::write(log::Subject::plan, rank_, choosing_.explain(choice, decision));

  const plan::Candidate& taken = decision.taken();
  std::uint64_t key = hashText(taken.algorithm->name,
                               hashCombine(hashCombine(static_cast<std::uint64_t>(call.root), shares),
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
    request.shares = shares;
    cached = std::make_shared<const Plan>(taken.algorithm->generate(request));
  }
  return cached;
}

Result<Planned> Planner::plan(const Call& call, std::int32_t shares) {
  Planned planned;
  planned.payloadBytes = payloadBytes(call);
  planned.inputBytes = inputElements(call, rank_, ranks_) * sizeOf(call.type);
  planned.outputBytes = outputElements(call, rank_, ranks_) * sizeOf(call.type);
  ATOLL_ASSIGN(planned.plan, planFor(call, planned.payloadBytes, shares));
  planned.tiles = plan::tilesFor(planned.plan->tileable, planned.payloadBytes, settings_.tileBytes);
  planned.record = recordOf(call, ranks_, planned.plan->familyHash, planned.tiles);
  return planned;
}

Result<std::size_t> Planner::headBytes() {
  if (!headBytes_) {
    // A plan of the user's own is for whole blocks.
    const bool planned = !userPlans_[static_cast<std::size_t>(Collective::allToAll)].empty();
    ATOLL_ASSIGN(const std::size_t bytes, planned ? std::size_t{0} : headBytesFor(choosing_, ranks_));
    if (bytes > 0) log::line(log::Subject::plan, rank_, "alltoall-v: heads of {} bytes a block, tails straight", bytes);
    headBytes_ = bytes;
  }
  return *headBytes_;
}

Result<AlgorithmChoice> Planner::choiceFor(Collective collective, std::uint64_t bytes) const {
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

Result<double> Planner::predict(const Call& call) const {
  for (const auto& plan : userPlans_[static_cast<std::size_t>(call.collective)]) {
    if (plan->root == call.root) return 0.0;
  }
  ATOLL_ASSIGN(const auto decision, choosing_.decide(choiceOf(call, payloadBytes(call))));
  return decision.ranked.front().seconds;
}

double Planner::predict(std::span<const PointToPoint> operations) const {
  plan::Work work;
  double largest = 0;
  for (const PointToPoint& operation : operations) {
    const auto bytes = static_cast<double>(operation.count * sizeOf(operation.type));
    if (operation.peer == rank_) {
      work.reduced += operation.isSend ? bytes : 0;
      continue;
    }
    work.messages += 1;
    (operation.isSend ? work.sent : work.received) += bytes;
    largest = std::max(largest, bytes);
  }
  work.posted = work.sent;
  return choosing_.secondsOfARound(work, largest);
}

void Planner::use(std::shared_ptr<const Plan> plan) {
  auto& plans = userPlans_[static_cast<std::size_t>(plan->collective)];
  std::erase_if(plans, [&](const auto& other) { return other->root == plan->root; });
  plans.push_back(std::move(plan));
  headBytes_.reset();
}

}  // namespace atl
