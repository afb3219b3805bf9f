// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "src/plan/notation.h"
#include "src/plan/serialize.h"

namespace atl::plan {
namespace {

using Json = nlohmann::ordered_json;

Json toValue(const Peer& peer) {
  if (peer.stride == 0) return peer.rank;
  return {{"rank", peer.rank}, {"stride", peer.stride}};
}

Json toValue(const Chunk& chunk) {
  Json value{{"buffer", nameOf(chunk.buffer)}, {"index", chunk.index}, {"parts", chunk.parts}};
  if (chunk.span != 1) value["span"] = chunk.span;
  if (chunk.stride != 0) value["stride"] = chunk.stride;
  if (chunk.buffer == Buffer::scratch) {
    value["slot"] = chunk.slot;
    if (chunk.slotStride != 0) value["slotStride"] = chunk.slotStride;
  }
  return value;
}

Json toValue(const Step& step) {
  Json value = Json::object();
  if (step.kind == Step::Kind::send) {
    value["send"] = toValue(step.chunk);
    Json& to = value["to"] = Json::array();
    for (const Peer& peer : step.to) to.push_back(toValue(peer));
    return value;
  }
  value["combine"] = toValue(step.chunk);
  Json& operands = value["operands"] = Json::array();
  for (const Operand& operand : step.operands) {
    operands.push_back(operand.isPeer() ? Json{{"from", toValue(*operand.peer)}}
                                        : Json{{"local", toValue(operand.chunk)}});
  }
  if (step.finish) value["finish"] = true;
  return value;
}

Json toValue(const Round& round) {
  Json value = Json::object();
  if (round.after) value["after"] = *round.after;
  Json& steps = value["steps"] = Json::array();
  for (const Step& step : round.steps) steps.push_back(toValue(step));
  return value;
}

Json toValue(const Lane& lane) {
  Json loops = Json::array();
  for (const Loop& loop : lane.loops) {
    Json rounds = Json::array();
    for (const Round& round : loop.rounds) rounds.push_back(toValue(round));
    loops.push_back({{"repeat", loop.repeat}, {"rounds", std::move(rounds)}});
  }
  return {{"share", lane.share}, {"loops", std::move(loops)}};
}

Json toValue(const Plan& plan) {
  Json value{{"rank", plan.rank}};
  if (plan.scratchSlots != 0) value["scratchSlots"] = plan.scratchSlots;
  if (plan.scratchParts != 1) value["scratchParts"] = plan.scratchParts;
  Json& lanes = value["lanes"] = Json::array();
  for (const Lane& lane : plan.lanes) lanes.push_back(toValue(lane));
  return value;
}

/// A step, a chunk, a header field: what a reader takes in at a glance stays on one line; the levels above get one line
/// per item, so that two documents can be compared line by line.
void print(std::string& text, const Json& value, int depth, int openLevels) {
  if (openLevels == 0 || !value.is_structured() || value.empty()) {
    text += value.dump(-1, ' ', false, Json::error_handler_t::replace);
    return;
  }
  const bool isObject = value.is_object();
  text += isObject ? "{" : "[";
  const std::string margin(static_cast<std::size_t>(depth + 1), ' ');
  const char* separator = "\n";
  for (const auto& item : value.items()) {
    text += separator + margin;
    if (isObject) text += fmt::format("\"{}\": ", item.key());
    print(text, item.value(), depth + 1, openLevels - 1);
    separator = ",\n";
  }
  text += "\n" + std::string(static_cast<std::size_t>(depth), ' ') + (isObject ? "}" : "]");
}

}  // namespace

std::string toJson(std::span<const Plan> plans) {
  Json document{{"format", "atoll-plan"}, {"version", kPlanVersion}};
  Json members = Json::array();
  for (const Plan& plan : plans) members.push_back(toValue(plan));
  if (!plans.empty()) {
    const Plan& first = plans.front();
    document["version"] = first.version;
    document["collective"] = atl::nameOf(first.collective);
    document["algorithm"] = first.algorithm;
    document["ranks"] = first.ranks;
    if (first.root != kNoRank) document["root"] = first.root;
    document["shares"] = first.shares;
    document["ordered"] = first.ordered;
    document["tileable"] = first.tileable;
  }
  document["plans"] = std::move(members);
  // Open: document, plans, a plan, lanes, a lane, loops, a loop, rounds, a round, steps.
  constexpr int kOpenLevels = 10;
  std::string text;
  print(text, document, 0, kOpenLevels);
  return text + "\n";
}

}  // namespace atl::plan
