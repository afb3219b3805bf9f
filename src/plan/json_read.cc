// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <limits>

#include "src/base/hash.h"
#include "src/plan/json_document.h"
#include "src/plan/json_object.h"
#include "src/plan/notation.h"
#include "src/plan/serialize.h"

namespace atl::plan {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestDocument = std::size_t{256} << 20;
constexpr std::size_t kLongestName = 64;
constexpr std::int32_t kLeast = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();

/// Reads every item of an array with `read(item, place)` into `into`.
template <class T, class Read>
Status readItems(const json& array, const JsonPlace& place, std::vector<T>& into, const Read& read) {
  into.reserve(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    ATOLL_ASSIGN(T item, read(array[i], place.item(i)));
    into.push_back(std::move(item));
  }
  return success();
}

/// A rank, or an object with a rank and its stride.
Result<Peer> readPeer(const json& value, const JsonPlace& place) {
  Peer peer;
  if (!value.is_object()) {
    ATOLL_ASSIGN(peer.rank, jsonInteger(value, place, 0, kMost));
    return peer;
  }
  ATOLL_ASSIGN(JsonObject object, JsonObject::of(value, place));
  ATOLL_ASSIGN(peer.rank, object.integer("rank", 0, kMost));
  ATOLL_ASSIGN(peer.stride, object.integer("stride", kLeast, kMost));
  ATOLL_TRY(object.noOtherKeys());
  return peer;
}

Result<Buffer> readBuffer(JsonObject& object) {
  ATOLL_ASSIGN(const std::string name, object.text("buffer", kLongestName));
  for (const Buffer buffer : {Buffer::input, Buffer::output, Buffer::scratch}) {
    if (name == nameOf(buffer)) return buffer;
  }
  return wrongAt(object.place().key("buffer"), "\"{}\" is not input, output or scratch", name);
}

Result<Chunk> readChunk(const json& value, const JsonPlace& place) {
  ATOLL_ASSIGN(JsonObject object, JsonObject::of(value, place));
  Chunk chunk;
  ATOLL_ASSIGN(chunk.buffer, readBuffer(object));
  ATOLL_ASSIGN(chunk.parts, object.integer("parts", 1, kMost));
  ATOLL_ASSIGN(chunk.index, object.integer("index", 0, chunk.parts - 1));
  ATOLL_ASSIGN(chunk.span, object.integerOr("span", 1, 1, chunk.parts));
  ATOLL_ASSIGN(chunk.stride, object.integerOr("stride", 0, kLeast, kMost));
  if (chunk.buffer == Buffer::scratch) {
    ATOLL_ASSIGN(chunk.slot, object.integer("slot", 0, kMost));
    ATOLL_ASSIGN(chunk.slotStride, object.integerOr("slotStride", 0, kLeast, kMost));
  }
  ATOLL_TRY(object.noOtherKeys());
  return chunk;
}

Result<Operand> readOperand(const json& value, const JsonPlace& place) {
  ATOLL_ASSIGN(JsonObject object, JsonObject::of(value, place));
  if (object.has("from")) {
    ATOLL_ASSIGN(const json* from, object.any("from"));
    ATOLL_ASSIGN(const Peer peer, readPeer(*from, place.key("from")));
    ATOLL_TRY(object.noOtherKeys());
    return Operand::from(peer);
  }
  ATOLL_ASSIGN(const json* local, object.any("local"));
  ATOLL_ASSIGN(const Chunk chunk, readChunk(*local, place.key("local")));
  ATOLL_TRY(object.noOtherKeys());
  return Operand::local(chunk);
}

Result<Step> readStep(const json& value, const JsonPlace& place) {
  ATOLL_ASSIGN(JsonObject object, JsonObject::of(value, place));
  Step step;
  if (object.has("send")) {
    ATOLL_ASSIGN(const json* chunk, object.any("send"));
    ATOLL_ASSIGN(step.chunk, readChunk(*chunk, place.key("send")));
    ATOLL_ASSIGN(const json* to, object.array("to"));
    ATOLL_TRY(readItems(*to, place.key("to"), step.to, readPeer));
  } else {
    step.kind = Step::Kind::combine;
    ATOLL_ASSIGN(const json* chunk, object.any("combine"));
    ATOLL_ASSIGN(step.chunk, readChunk(*chunk, place.key("combine")));
    ATOLL_ASSIGN(const json* operands, object.array("operands"));
    ATOLL_TRY(readItems(*operands, place.key("operands"), step.operands, readOperand));
    ATOLL_ASSIGN(step.finish, object.booleanOr("finish", false));
  }
  ATOLL_TRY(object.noOtherKeys());
  return step;
}

Result<Round> readRound(const json& value, const JsonPlace& place) {
  ATOLL_ASSIGN(JsonObject object, JsonObject::of(value, place));
  Round round;
  if (object.has("after")) {
    ATOLL_ASSIGN(round.after, object.integer("after", 0, kMost));
  }
  ATOLL_ASSIGN(const json* steps, object.array("steps"));
  ATOLL_TRY(readItems(*steps, place.key("steps"), round.steps, readStep));
  ATOLL_TRY(object.noOtherKeys());
  return round;
}

Result<Loop> readLoop(const json& value, const JsonPlace& place) {
  ATOLL_ASSIGN(JsonObject object, JsonObject::of(value, place));
  Loop loop;
  ATOLL_ASSIGN(loop.repeat, object.integer("repeat", 1, kMost));
  ATOLL_ASSIGN(const json* rounds, object.array("rounds"));
  ATOLL_TRY(readItems(*rounds, place.key("rounds"), loop.rounds, readRound));
  ATOLL_TRY(object.noOtherKeys());
  return loop;
}

Result<Lane> readLane(const json& value, const JsonPlace& place) {
  ATOLL_ASSIGN(JsonObject object, JsonObject::of(value, place));
  Lane lane;
  ATOLL_ASSIGN(lane.share, object.integer("share", 0, kMost));
  ATOLL_ASSIGN(const json* loops, object.array("loops"));
  ATOLL_TRY(readItems(*loops, place.key("loops"), lane.loops, readLoop));
  ATOLL_TRY(object.noOtherKeys());
  return lane;
}

/// The header's fields, which all plans of the family share. Leaves "plans" to the caller.
Result<Plan> readHeader(JsonObject& object) {
  Plan plan;
  ATOLL_ASSIGN(const std::string format, object.text("format", kLongestName));
  if (format != "atoll-plan") return wrongAt(object.place().key("format"), "\"{}\" is not \"atoll-plan\"", format);
  ATOLL_ASSIGN(plan.version, object.integer("version", 0, kMost));
  if (plan.version != kPlanVersion) {
    return wrongAt(object.place().key("version"), "this library reads version {}, not {}", kPlanVersion, plan.version);
  }
  ATOLL_ASSIGN(const std::string name, object.text("collective", kLongestName));
  const auto collective = collectiveNamed(name);
  if (!collective) return wrongAt(object.place().key("collective"), "\"{}\" is no collective", name);
  plan.collective = *collective;
  ATOLL_ASSIGN(plan.algorithm, object.text("algorithm", kLongestName));
  ATOLL_ASSIGN(plan.ranks, object.integer("ranks", 1, kMost));
  if (isRooted(plan.collective)) {
    ATOLL_ASSIGN(plan.root, object.integer("root", 0, plan.ranks - 1));
  }
  ATOLL_ASSIGN(plan.shares, object.integerOr("shares", 1, 1, kMost));
  ATOLL_ASSIGN(plan.ordered, object.booleanOr("ordered", false));
  ATOLL_ASSIGN(plan.tileable, object.booleanOr("tileable", false));
  return plan;
}

Result<Plan> readPlan(const json& value, const JsonPlace& place, const Plan& header, Rank rank) {
  ATOLL_ASSIGN(JsonObject object, JsonObject::of(value, place));
  Plan plan = header;
  ATOLL_ASSIGN(plan.rank, object.integer("rank", rank, rank));
  ATOLL_ASSIGN(plan.scratchSlots, object.integerOr("scratchSlots", 0, 0, kMost));
  ATOLL_ASSIGN(plan.scratchParts, object.integerOr("scratchParts", 1, 1, kMost));
  ATOLL_ASSIGN(const json* lanes, object.array("lanes"));
  ATOLL_TRY(readItems(*lanes, place.key("lanes"), plan.lanes, readLane));
  ATOLL_TRY(object.noOtherKeys());
  return plan;
}

Result<std::vector<Plan>> readFamily(const json& document) {
  const JsonPlace top;
  ATOLL_ASSIGN(JsonObject object, JsonObject::of(document, top));
  ATOLL_ASSIGN(const Plan header, readHeader(object));
  ATOLL_ASSIGN(const json* members, object.array("plans"));
  ATOLL_TRY(object.noOtherKeys());
  const JsonPlace place = top.key("plans");
  if (members->size() != static_cast<std::size_t>(header.ranks)) {
    return wrongAt(place, "{} plans for {} ranks", members->size(), header.ranks);
  }
  std::vector<Plan> family;
  const auto readMember = [&](const json& value, const JsonPlace& here) {
    return readPlan(value, here, header, static_cast<Rank>(family.size()));
  };
  ATOLL_TRY(readItems(*members, place, family, readMember));
  return family;
}

}  // namespace

Result<std::vector<Plan>> fromJson(std::string_view text) {
  ATOLL_ASSIGN(json document, parseJson(text, kLargestDocument));
  ATOLL_ASSIGN(std::vector<Plan> family, readFamily(document));
  document = nullptr;

  const std::uint64_t hash = hashText(toJson(family));
  for (Plan& plan : family) plan.familyHash = hash;
  return family;
}

}  // namespace atl::plan
