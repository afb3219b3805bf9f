// SPDX-License-Identifier: Apache-2.0
#include "src/plan/notation.h"

#include <fmt/format.h>

#include <algorithm>

namespace atl::plan {
namespace {

/// A number that moves by `stride` in every repetition k: "3", "(3+k)", "(3-2k)".
std::string advancing(std::int64_t start, std::int64_t stride) {
  if (stride == 0) return fmt::format("{}", start);
  const std::int64_t size = stride < 0 ? -stride : stride;
  const std::string factor = size == 1 ? "" : fmt::format("{}", size);
  return fmt::format("({}{}{}k)", start, stride < 0 ? '-' : '+', factor);
}

}  // namespace

std::string_view nameOf(Buffer buffer) {
  switch (buffer) {
    case Buffer::input: return "input";
    case Buffer::output: return "output";
    case Buffer::scratch: return "scratch";
  }
  return "unknown buffer";
}

Action actionOf(const Step& step) {
  if (step.kind == Step::Kind::send) return Action::send;
  const bool receives =
      std::any_of(step.operands.begin(), step.operands.end(), [](const Operand& o) { return o.isPeer(); });
  if (step.operands.size() == 1) return receives ? Action::receive : Action::copy;
  return receives ? Action::receiveReduce : Action::reduce;
}

std::string_view nameOf(Action action) {
  switch (action) {
    case Action::send: return "send";
    case Action::receive: return "recv";
    case Action::copy: return "copy";
    case Action::reduce: return "reduce";
    case Action::receiveReduce: return "recv-reduce";
  }
  return "unknown action";
}

std::string brief(const Chunk& chunk) {
  std::string text(nameOf(chunk.buffer));
  if (chunk.buffer == Buffer::scratch) text += "#" + advancing(chunk.slot, chunk.slotStride);
  text += "[" + advancing(chunk.index, chunk.stride);
  if (chunk.span != 1) text += ".." + advancing(std::int64_t{chunk.index} + chunk.span - 1, chunk.stride);
  return text + fmt::format("/{}]", chunk.parts);
}

std::string brief(const Peer& peer) {
  return "rank " + advancing(peer.rank, peer.stride);
}

std::string describe(const Chunk& chunk) {
  const std::int64_t more = std::int64_t{chunk.span} - 1;
  const std::string parts = more == 0
                                ? fmt::format("part {} of {}", chunk.index, chunk.parts)
                                : fmt::format("parts {} to {} of {}", chunk.index, chunk.index + more, chunk.parts);
  if (chunk.buffer != Buffer::scratch) return fmt::format("{} {}", nameOf(chunk.buffer), parts);
  if (more == 0) return fmt::format("scratch slot {} ({})", chunk.slot, parts);
  return fmt::format("scratch slots {} to {} ({})", chunk.slot, chunk.slot + more, parts);
}

std::string describe(const Where& where) {
  std::string text = fmt::format("rank {}", where.rank);
  const auto add = [&text](std::string_view what, std::int32_t value) {
    if (value >= 0) text += fmt::format(", {} {}", what, value);
  };
  add("lane", where.lane);
  add("loop", where.loop);
  add("repetition", where.repetition);
  add("round", where.round);
  add("step", where.step);
  return text;
}

}  // namespace atl::plan
