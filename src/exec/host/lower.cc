// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/exec/host/deliveries.h"
#include "src/exec/host/flat_program.h"
#include "src/exec/host/output_reads.h"
#include "src/exec/host/program.h"

namespace atl::exec {
namespace {

std::vector<Peer> peersOf(const Step& step) {
  if (step.kind == Step::Kind::send) return step.to;
  std::vector<Peer> peers;
  for (const Operand& operand : step.operands) {
    if (operand.isPeer()) peers.push_back(*operand.peer);
  }
  return peers;
}

void addOnce(std::vector<LinkEnd*>& links, LinkEnd* link) {
  if (std::ranges::find(links, link) == links.end()) links.push_back(link);
}

Result<LoweredStep> lowerStep(const Step& step, const Plan& plan, std::int32_t lane, std::int32_t repeat,
                              const LinkSource& links) {
  LoweredStep lowered;
  lowered.step = &step;
  const std::vector<Peer> peers = peersOf(step);
  lowered.perRow = peers.size();
  lowered.rowPerRepetition = std::ranges::any_of(peers, [](const Peer& peer) { return peer.stride != 0; });
  const std::int32_t rows = lowered.rowPerRepetition ? repeat : 1;
  for (std::int32_t k = 0; k < rows; ++k) {
    for (const Peer& peer : peers) {
      ATOLL_ASSIGN(LinkEnd* const link, links(atRepetition(peer, k, plan.ranks), lane));
      lowered.links.push_back(link);
    }
  }
  return lowered;
}

}  // namespace

Program::Program(std::shared_ptr<const Plan> itsPlan, Layout itsLayout, const CallRecord& itsCall, const Operator& op)
    : plan(std::move(itsPlan)), layout(std::move(itsLayout)), call(itsCall), reducer(itsCall.type, op, plan->ranks) {}

Program::~Program() = default;

Result<std::unique_ptr<Program>> lower(const std::shared_ptr<const Plan>& plan, Layout layout, const CallRecord& record,
                                       const Operator& op, const LinkSource& links) {
  auto program = std::make_unique<Program>(plan, std::move(layout), record, op);
  const OutputReads reads(*plan);
  for (std::size_t laneIndex = 0; laneIndex < plan->lanes.size(); ++laneIndex) {
    const Lane& lane = plan->lanes[laneIndex];
    LoweredLane loweredLane{lane.share, {}};
    for (const Loop& loop : lane.loops) {
      LoweredLoop loweredLoop{loop.repeat, {}};
      for (const Round& round : loop.rounds) {
        LoweredRound loweredRound;
        loweredRound.after = round.after.value_or(-1);
        for (const Step& step : round.steps) {
          ATOLL_ASSIGN(auto lowered, lowerStep(step, *plan, static_cast<std::int32_t>(laneIndex), loop.repeat, links));
          lowered.lastTouch = step.kind == Step::Kind::combine && !reads.includes(step.chunk, loop.repeat);
          for (LinkEnd* const link : lowered.links) {
            if (step.kind == Step::Kind::send) addOnce(program->sending, link);
            if (link->pending != nullptr) {
              addOnce(program->connecting, link);
            } else {
              addOnce(link->isMemory() ? program->memoryLinks : program->messageLinks, link);
            }
          }
          auto& list = step.kind == Step::Kind::send ? loweredRound.sends : loweredRound.combines;
          list.push_back(std::move(lowered));
        }
        loweredLoop.rounds.push_back(std::move(loweredRound));
      }
      loweredLane.loops.push_back(std::move(loweredLoop));
    }
    markDeliveries(*plan, loweredLane);
    program->lanes.push_back(std::move(loweredLane));
  }
  return program;
}

}  // namespace atl::exec
