// SPDX-License-Identifier: Apache-2.0
// One collective on real data: fills the buffers of a rank, and knows what must be in them afterwards.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>

#include "src/comm/communicator.h"
#include "tests/support/typed_values.h"

namespace atl::test {

struct CollectiveCase {
  Collective collective = Collective::allReduce;
  std::size_t count = 0;
  DataType type = DataType::float32;
  ReduceOp op = ReduceOp::sum;
  Rank root = kNoRank;
  bool inPlace = false;
};

/// Sixteen values that every type holds, also float8e5m2 with its three significant bits.
inline constexpr double kExact[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28};

/// What rank `rank` contributes at element `i` of its input. Small integers, so that every partial result of every
/// order is exact in every type: at most three ranks add 1, at most two multiply by 2.
inline double contribution(const CollectiveCase& c, Rank rank, Rank ranks, std::size_t i) {
  const auto turn = static_cast<Rank>((i * 7 + static_cast<std::size_t>(rank)) % static_cast<std::size_t>(ranks));
  if (isReducing(c.collective)) {
    switch (c.op) {
      case ReduceOp::sum: return turn < 3 ? 1 : 0;
      case ReduceOp::prod: return turn < 2 ? 2 : 1;
      case ReduceOp::avg: return static_cast<double>(i % 3);  // the same on every rank
      default: return static_cast<double>((i * 5 + static_cast<std::size_t>(rank) * 3) % 8);
    }
  }
  return kExact[(i * 3 + static_cast<std::size_t>(rank) * 5) % 16];
}

/// Elements of a rank's input and output.
inline std::size_t inputCount(const CollectiveCase& c, Rank rank, Rank ranks) {
  const auto all = c.count * static_cast<std::size_t>(ranks);
  switch (c.collective) {
    case Collective::barrier: return 0;
    case Collective::broadcast: return rank == c.root ? c.count : 0;
    case Collective::scatter: return rank == c.root ? all : 0;
    case Collective::reduceScatter:
    case Collective::allToAll: return all;
    default: return c.count;
  }
}
inline std::size_t outputCount(const CollectiveCase& c, Rank rank, Rank ranks) {
  const auto all = c.count * static_cast<std::size_t>(ranks);
  switch (c.collective) {
    case Collective::barrier: return 0;
    case Collective::reduce: return rank == c.root ? c.count : 0;
    case Collective::gather: return rank == c.root ? all : 0;
    case Collective::allGather:
    case Collective::allToAll: return all;
    default: return c.count;
  }
}

inline double reduced(const CollectiveCase& c, Rank ranks, std::size_t i) {
  double value = contribution(c, 0, ranks, i);
  for (Rank r = 1; r < ranks; ++r) {
    const double other = contribution(c, r, ranks, i);
    switch (c.op) {
      case ReduceOp::sum:
      case ReduceOp::avg: value += other; break;
      case ReduceOp::prod: value *= other; break;
      case ReduceOp::max: value = std::max(value, other); break;
      case ReduceOp::min: value = std::min(value, other); break;
    }
  }
  return c.op == ReduceOp::avg ? value / ranks : value;
}

/// What must be at element `i` of a rank's output.
inline double expected(const CollectiveCase& c, Rank rank, Rank ranks, std::size_t i) {
  const auto block = static_cast<Rank>(c.count == 0 ? 0 : i / c.count);
  const std::size_t within = c.count == 0 ? 0 : i % c.count;
  const auto mine = static_cast<std::size_t>(rank) * c.count;
  switch (c.collective) {
    case Collective::allReduce:
    case Collective::reduce: return reduced(c, ranks, i);
    case Collective::reduceScatter: return reduced(c, ranks, mine + i);
    case Collective::broadcast: return contribution(c, c.root, ranks, i);
    case Collective::scatter: return contribution(c, c.root, ranks, mine + i);
    case Collective::allToAll: return contribution(c, block, ranks, mine + within);
    default: return contribution(c, block, ranks, within);
  }
}

/// Runs the case as this rank and gives what is wrong, if anything.
inline std::optional<std::string> runCase(Communicator& communicator, const CollectiveCase& c) {
  const Rank rank = communicator.rank();
  const Rank ranks = communicator.ranks();
  const std::size_t in = inputCount(c, rank, ranks);
  const std::size_t out = outputCount(c, rank, ranks);
  GuardedBuffer input(c.type, in);
  GuardedBuffer output(c.type, c.inPlace ? std::max(in, out) : out);

  // In place, the smaller buffer is a block of the larger one.
  const std::size_t own = static_cast<std::size_t>(rank) * c.count;
  const std::size_t sendAt =
      c.inPlace && (c.collective == Collective::allGather || c.collective == Collective::gather) && out > 0 ? own : 0;
  const std::size_t recvAt =
      c.inPlace && (c.collective == Collective::reduceScatter || c.collective == Collective::scatter) && in > 0 ? own
                                                                                                                : 0;
  GuardedBuffer& source = c.inPlace ? output : input;
  for (std::size_t i = 0; i < in; ++i) source.set(sendAt + i, contribution(c, rank, ranks, i));

  Call call;
  call.collective = c.collective;
  call.count = c.count;
  call.type = c.type;
  call.op.op = c.op;
  call.root = c.root;
  call.send = source.data() + sendAt * sizeOf(c.type);
  call.recv = output.data() + recvAt * sizeOf(c.type);
  if (auto status = communicator.run(call); !status.ok()) return status.error().text;

  for (std::size_t i = 0; i < out; ++i) {
    const double want = expected(c, rank, ranks, i);
    const double got = output.at(recvAt + i);
    // An average is exact but for the rounding of the sum in types that cannot hold it.
    const double tolerance =
        c.op == ReduceOp::avg && isReducing(c.collective) && sizeOf(c.type) == 1 ? 0.26 * std::abs(want) : 0;
    if (!(std::abs(got - want) <= tolerance)) {
      return fmt::format("rank {} of {}: element {} is {}, should be {}", rank, ranks, i, got, want);
    }
  }
  if (!c.inPlace) {
    for (std::size_t i = 0; i < in; ++i) {
      if (input.at(i) != contribution(c, rank, ranks, i))
        return fmt::format("rank {}: input element {} was overwritten", rank, i);
    }
  }
  if (!input.guardsIntact() || !output.guardsIntact()) return fmt::format("rank {}: wrote outside its buffers", rank);
  return std::nullopt;
}

}  // namespace atl::test
