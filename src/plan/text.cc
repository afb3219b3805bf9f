// SPDX-License-Identifier: Apache-2.0
// The plan as text for people.
#include <fmt/format.h>

#include "src/plan/notation.h"
#include "src/plan/serialize.h"

namespace atl::plan {
namespace {

/// "send         input[3/8] → rank 4", "recv-reduce  output[2/8] ← input[2/8] + rank 2, finish".
std::string line(const Step& step) {
  std::string text = fmt::format("{:<12} {}", nameOf(actionOf(step)), brief(step.chunk));
  if (step.kind == Step::Kind::send) {
    const char* separator = " → ";
    for (const Peer& peer : step.to) {
      text += separator + brief(peer);
      separator = ", ";
    }
    return text;
  }
  const char* separator = " ← ";
  for (const Operand& operand : step.operands) {
    text += separator + (operand.isPeer() ? brief(*operand.peer) : brief(operand.chunk));
    separator = " + ";
  }
  return step.finish ? text + ", finish" : text;
}

std::string header(const Plan& plan) {
  std::string text =
      fmt::format("{} by {}: rank {} of {}", atl::nameOf(plan.collective), plan.algorithm, plan.rank, plan.ranks);
  if (plan.root != kNoRank) text += fmt::format(", root {}", plan.root);
  text += fmt::format("\n{} share{}", plan.shares, plan.shares == 1 ? "" : "s");
  if (plan.scratchSlots > 0) {
    text += fmt::format(", {} scratch slot{} of 1/{} of the data", plan.scratchSlots, plan.scratchSlots == 1 ? "" : "s",
                        plan.scratchParts);
  }
  if (plan.ordered) text += ", in rank order";
  if (plan.tileable) text += ", tileable";
  return text + fmt::format(", family {:#018x}\n", plan.familyHash);
}

void append(std::string& text, const Loop& loop) {
  text += loop.repeat == 1 ? std::string("  once\n")
                           : fmt::format("  {} times, k = 0..{} (indices go around)\n", loop.repeat, loop.repeat - 1);
  for (std::size_t r = 0; r < loop.rounds.size(); ++r) {
    const Round& round = loop.rounds[r];
    std::string margin = fmt::format("    round {:<4}", r);
    if (round.after) {
      text += margin + fmt::format("after lane {} has ended\n", *round.after);
      margin.assign(margin.size(), ' ');
    }
    for (const Step& step : round.steps) {
      text += margin + line(step) + "\n";
      margin.assign(margin.size(), ' ');
    }
  }
}

}  // namespace

std::string toText(const Plan& plan) {
  std::string text = header(plan);
  for (std::size_t l = 0; l < plan.lanes.size(); ++l) {
    text += fmt::format("lane {}, share {}\n", l, plan.lanes[l].share);
    for (const Loop& loop : plan.lanes[l].loops) append(text, loop);
  }
  return text;
}

}  // namespace atl::plan
