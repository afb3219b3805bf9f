// SPDX-License-Identifier: Apache-2.0
#include "src/plan/composition/exchange.h"

#include <algorithm>

namespace atl::plan {
namespace {

/// A run as chunks, of which none has more blocks than the payload.
std::vector<Chunk> chunksOf(const SpotRun& run, std::int32_t blocks) {
  std::vector<Chunk> chunks;
  for (std::int32_t done = 0; done < run.count; done += blocks) {
    Chunk chunk;
    chunk.buffer = run.first.buffer;
    chunk.span = std::min(blocks, run.count - done);
    chunk.parts = blocks;
    (chunk.buffer == Buffer::scratch ? chunk.slot : chunk.index) = run.first.index + done;
    chunks.push_back(chunk);
  }
  return chunks;
}

bool follows(const Spot& spot, const SpotRun& run) {
  return spot.buffer == run.first.buffer && spot.index == run.first.index + run.count;
}

}  // namespace

std::optional<SpotRun> asRun(std::span<const Spot> spots) {
  if (spots.empty()) return std::nullopt;
  SpotRun run{spots.front(), 1};
  for (const Spot& spot : spots.subspan(1)) {
    if (!follows(spot, run)) return std::nullopt;
    ++run.count;
  }
  return run;
}

bool isStraight(const Plan& plan) {
  bool straight = true;
  forEachStep(plan, [&](const Step& step, std::int32_t) {
    const auto isBlock = [&](const Chunk& chunk, Buffer buffer) {
      return chunk.buffer == buffer && chunk.parts == plan.ranks && chunk.span == 1;
    };
    const bool sends = step.kind == Step::Kind::send;
    straight = straight && isBlock(step.chunk, sends ? Buffer::input : Buffer::output);
  });
  return straight;
}

void write(PlanBuilder& builder, const Exchange& exchange, std::int32_t lane, std::int32_t blocks) {
  const auto chunks = [&](const std::optional<SpotRun>& run) {
    return run ? chunksOf(*run, blocks) : std::vector<Chunk>{};
  };
  const auto rankOf = [&](const Peer& peer, std::int32_t repetition) {
    return exchange.ranks[static_cast<std::size_t>(atRepetition(peer, repetition, exchange.plan.ranks))];
  };
  for (const Loop& loop : exchange.plan.lanes[static_cast<std::size_t>(lane)].loops) {
    for (std::int32_t k = 0; k < loop.repeat; ++k) {
      for (const Round& round : loop.rounds) {
        builder.round();
        for (const Step& step : round.steps) {
          const auto block = static_cast<std::size_t>(atRepetition(step.chunk, k, 0).index);
          if (step.kind == Step::Kind::send) {
            const Rank to = rankOf(step.to.front(), k);
            for (const Chunk& chunk : chunks(exchange.outgoing[block])) builder.send(chunk, to);
          } else if (step.operands.front().isPeer()) {
            const Rank from = rankOf(*step.operands.front().peer, k);
            for (const Chunk& chunk : chunks(exchange.incoming[block])) builder.receive(chunk, from);
          }
        }
      }
    }
  }
}

void write(PlanBuilder& builder, const Copies& copies, std::int32_t /*lane*/, std::int32_t blocks) {
  builder.round();
  for (const Copy& copy : copies) {
    Spot to = copy.to;
    for (std::size_t at = 0; at < copy.from.size();) {
      SpotRun run{copy.from[at], 1};
      while (++at < copy.from.size() && run.count < blocks && follows(copy.from[at], run)) ++run.count;
      builder.copy(chunksOf({to, run.count}, blocks).front(), chunksOf(run, blocks).front());
      to.index += run.count;
    }
  }
}

}  // namespace atl::plan
