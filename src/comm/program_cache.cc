// SPDX-License-Identifier: Apache-2.0
#include "src/comm/program_cache.h"

#include <algorithm>

#include "src/comm/layouts.h"
#include "src/exec/host/flat_program.h"
#include "src/plan/verify.h"

namespace atl {
namespace {

/// Programs are small; a program with ever new counts must still not grow without bound.
constexpr std::size_t kMostPrograms = 512;

}  // namespace

ProgramCache::ProgramCache(Planner& planner, LinkTable& links) : planner_(planner), links_(links) {}

void ProgramCache::forget() {
  programs_.clear();
  last_ = nullptr;
}

Result<exec::Program*> ProgramCache::get(const Call& call) {
  if (last_ != nullptr && lastKind_.includes(call, planner_.rank())) return last_;
  const CallKind kind = CallKind::of(call, planner_.rank(), planner_.ranks());
  auto found = programs_.find(kind);
  if (found == programs_.end()) {
    if (programs_.size() >= kMostPrograms) forget();
    ATOLL_ASSIGN(auto program, make(call, kind));
    found = programs_.emplace(kind, std::move(program)).first;
  }
  lastKind_ = kind;
  last_ = found->second.get();
  return last_;
}

exec::LinkSource ProgramCache::linkSource(std::int32_t firstLane) {
  return [this, firstLane](Rank peer, std::int32_t lane) { return links_.link(peer, firstLane + lane); };
}

Result<std::unique_ptr<exec::Program>> ProgramCache::make(const Call& call, const CallKind& kind) {
  ATOLL_ASSIGN(Planned planned, planner_.plan(call));
  auto layout = layoutOf(call, *planned.plan, planned.tiles);
  ATOLL_ASSIGN(auto program, exec::lower(planned.plan, std::move(layout), planned.record, call.op, linkSource(0)));
  program->inputBytes = planned.inputBytes;
  program->bufferBytes = planned.inputBytes + planned.payloadBytes;
  program->snapshotInput = kind.inPlace() && !plan::safeInPlace(*planned.plan);
  return program;
}

Result<exec::Program*> ProgramCache::get(std::span<const PointToPoint> operations, Exchange exchange) {
  const auto sameShape = [](const PointToPoint& a, const PointToPoint& b) {
    return a.isSend == b.isSend && a.peer == b.peer && a.count == b.count && a.type == b.type;
  };
  Fused& last = fused_[static_cast<std::size_t>(exchange)];
  if (last.program == nullptr || !std::ranges::equal(operations, last.shape, sameShape)) {
    const auto links = linkSource(exchange == Exchange::tails ? kLaneOfTails : 0);
    ATOLL_ASSIGN(auto fused, fusePointToPoint(operations, planner_.rank(), planner_.ranks()));
    ATOLL_ASSIGN(auto program, exec::lower(fused.plan, std::move(fused.layout), fused.record, Operator{}, links));
    ATOLL_TRY(describePointToPoint(*program, operations, planner_.rank(), links));
    for (const PointToPoint& operation : operations) program->bufferBytes += operation.count * sizeOf(operation.type);
    last.program = std::move(program);
    last.shape.assign(operations.begin(), operations.end());
    last_ = nullptr;
  }
  bindPointToPoint(*last.program, operations);
  return last.program.get();
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
