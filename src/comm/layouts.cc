// SPDX-License-Identifier: Apache-2.0
#include "src/comm/layouts.h"

#include <deque>
#include <numeric>
#include <vector>

namespace atl {
namespace {

using exec::Blocks;

Blocks inputBlocks(const Call& call, Rank rank, Rank ranks) {
  const auto count = static_cast<std::int64_t>(call.count);
  switch (call.collective) {
    case Collective::allGather:
    case Collective::gather: return call.vForm ? Blocks::alone(call.recvCounts, ranks) : Blocks::equal(count, rank);
    case Collective::allToAll:
    case Collective::reduceScatter:
      return call.vForm ? Blocks::listed(call.sendCounts, call.sendDispls, ranks) : Blocks::equal(count);
    default: return Blocks::equal(count);
  }
}

Blocks outputBlocks(const Call& call, Rank rank, Rank ranks) {
  const auto count = static_cast<std::int64_t>(call.count);
  switch (call.collective) {
    case Collective::reduceScatter:
    case Collective::scatter: return call.vForm ? Blocks::alone(call.sendCounts, ranks) : Blocks::equal(count, rank);
    case Collective::allToAll:
    case Collective::allGather:
      return call.vForm ? Blocks::listed(call.recvCounts, call.recvDispls, ranks) : Blocks::equal(count);
    default: return Blocks::equal(count);
  }
}

}  // namespace

exec::Layout layoutOf(const Call& call, const Plan& plan, std::int32_t tiles) {
  const std::int32_t blocks = payloadBlocks(call.collective, plan.ranks);
  return {plan,
          inputBlocks(call, plan.rank, plan.ranks),
          outputBlocks(call, plan.rank, plan.ranks),
          blocks,
          blocks,
          call.type,
          tiles};
}

std::uint64_t inputElements(const Call& call, Rank rank, Rank ranks) {
  if (call.vForm) {
    switch (call.collective) {
      case Collective::allGather: return call.recvCounts[rank];
      case Collective::reduceScatter:
        return std::accumulate(call.sendCounts, call.sendCounts + ranks, std::uint64_t{0});
      default: {
        std::uint64_t end = 0;
        for (Rank i = 0; i < ranks; ++i) end = std::max<std::uint64_t>(end, call.sendDispls[i] + call.sendCounts[i]);
        return end;
      }
    }
  }
  switch (call.collective) {
    case Collective::broadcast: return rank == call.root ? call.count : 0;
    case Collective::scatter: return rank == call.root ? call.count * static_cast<std::uint64_t>(ranks) : 0;
    case Collective::reduceScatter:
    case Collective::allToAll: return call.count * static_cast<std::uint64_t>(ranks);
    default: return call.count;
  }
}

std::uint64_t outputElements(const Call& call, Rank rank, Rank ranks) {
  if (call.vForm) {
    if (call.collective == Collective::reduceScatter) return call.sendCounts[rank];
    std::uint64_t end = 0;
    for (Rank i = 0; i < ranks; ++i) end = std::max<std::uint64_t>(end, call.recvDispls[i] + call.recvCounts[i]);
    return end;
  }
  switch (call.collective) {
    case Collective::gather: return rank == call.root ? call.count * static_cast<std::uint64_t>(ranks) : 0;
    case Collective::reduce: return rank == call.root ? call.count : 0;
    case Collective::allGather:
    case Collective::allToAll: return call.count * static_cast<std::uint64_t>(ranks);
    default: return call.count;
  }
}

Result<FusedPointToPoint> fusePointToPoint(std::span<const PointToPoint> operations, Rank rank, Rank ranks,
                                           std::int32_t lanes) {
  std::int32_t sends = 0;
  std::int32_t receives = 0;
  for (const PointToPoint& operation : operations) ++(operation.isSend ? sends : receives);

  Round round;
  std::vector<std::size_t> sendBytes;
  std::vector<std::size_t> receiveBytes;
  std::deque<std::int32_t> toMyself;  // sends to myself, not yet received
  std::deque<std::int32_t> fromMyself;
  for (const PointToPoint& operation : operations) {
    Chunk chunk;
    chunk.buffer = operation.isSend ? Buffer::input : Buffer::output;
    auto& bytes = operation.isSend ? sendBytes : receiveBytes;
    chunk.index = static_cast<std::int32_t>(bytes.size());
    chunk.parts = operation.isSend ? sends : receives;
    bytes.push_back(operation.count * sizeOf(operation.type));
    if (operation.peer == rank) {
      (operation.isSend ? toMyself : fromMyself).push_back(chunk.index);
    } else {
      Step step;
      step.kind = operation.isSend ? Step::Kind::send : Step::Kind::combine;
      step.chunk = chunk;
      if (operation.isSend) {
        step.to.push_back(Peer{operation.peer, 0});
      } else {
        step.operands.push_back(Operand::from(Peer{operation.peer, 0}));
      }
      round.steps.push_back(std::move(step));
    }
  }
  if (toMyself.size() != fromMyself.size()) {
    return makeError(ErrorCode::invalidUsage, "rank {} has {} sends to itself and {} receives from itself in one group",
                     rank, toMyself.size(), fromMyself.size());
  }
  for (; !toMyself.empty(); toMyself.pop_front(), fromMyself.pop_front()) {
    const auto from = static_cast<std::size_t>(toMyself.front());
    const auto to = static_cast<std::size_t>(fromMyself.front());
    if (sendBytes[from] != receiveBytes[to]) {
      return makeError(ErrorCode::mismatch, "rank {} sends {} bytes to itself and receives {}", rank, sendBytes[from],
                       receiveBytes[to]);
    }
    Step copy;
    copy.kind = Step::Kind::combine;
    copy.chunk = Chunk{Buffer::output, static_cast<std::int32_t>(to), 1, receives, 0, 0, 0};
    copy.operands.push_back(Operand::local(Chunk{Buffer::input, static_cast<std::int32_t>(from), 1, sends, 0, 0, 0}));
    round.steps.push_back(std::move(copy));
  }

  Plan plan;
  plan.collective = Collective::pointToPoint;
  plan.algorithm = "point-to-point";
  plan.ranks = ranks;
  plan.rank = rank;
  plan.shares = lanes;
  for (std::int32_t share = 0; share < lanes; ++share) plan.lanes.push_back(Lane{share, {Loop{1, {round}}}});
  auto shared = std::make_shared<const Plan>(std::move(plan));

  CallRecord record;
  record.collective = Collective::pointToPoint;
  exec::Layout layout(*shared, Blocks::listed(sendBytes.data(), nullptr, sends),
                      Blocks::listed(receiveBytes.data(), nullptr, receives), sends, receives, DataType::uint8, 1);
  return FusedPointToPoint{std::move(shared), std::move(layout), record};
}

Status describePointToPoint(exec::Program& program, std::span<const PointToPoint> operations, Rank rank,
                            const exec::LinkSource& links) {
  for (const PointToPoint& operation : operations) {
    CallRecord record = program.call;
    record.count = operation.count;
    record.type = operation.type;
    exec::BlockCall call{TaggedCall(record), nullptr};
    if (operation.peer != rank) {
      ATOLL_ASSIGN(call.link, links(operation.peer, 0));
    }
    program.blockCalls[operation.isSend ? 0 : 1].push_back(call);
  }
  return success();
}

void locatePointToPoint(exec::Layout& layout, std::span<const PointToPoint> operations) {
  std::int32_t next[2] = {0, 0};
  for (const PointToPoint& operation : operations) {
    auto& blocks = operation.isSend ? layout.inputBlocks() : layout.outputBlocks();
    blocks.relocate(next[operation.isSend ? 0 : 1]++, reinterpret_cast<std::intptr_t>(operation.buffer));
  }
}

void bindPointToPoint(exec::Program& program, std::span<const PointToPoint> operations) {
  locatePointToPoint(program.layout, operations);
  std::size_t next[2] = {0, 0};
  for (const PointToPoint& operation : operations) {
    const int direction = operation.isSend ? 0 : 1;
    exec::BlockCall& own = program.blockCalls[direction][next[direction]++];
    if (own.link == nullptr) continue;
    own.call.sequence = ++(operation.isSend ? own.link->pairSends : own.link->pairReceives);
  }
}

}  // namespace atl
