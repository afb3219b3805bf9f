// SPDX-License-Identifier: Apache-2.0
#include "src/plan/composition/collectives.h"

namespace atl::plan {
namespace {

void allReduce(Composer& c, int level, const Place& data) {
  if (c.outermost(level)) return c.inward(level, data, Place::output());
  const std::int32_t leader = c.leadingMember(level);
  c.inward(level, data, Place::output(), leader);
  c.forEachOwned(level, [&] { allReduce(c, level + 1, c.alone(level) ? data : Place::output()); });
  c.outward(level, Place::output(), Place::output(), leader);
}

/// The result belongs in `target`, which only the ranks of the root's groups use.
void reduce(Composer& c, int level, const Place& data, const Place& target) {
  const std::int32_t root = c.rootMember(level);
  if (c.outermost(level)) return c.inward(level, data, target, root);
  if (c.alone(level)) return c.forEachOwned(level, [&] { reduce(c, level + 1, data, target); });
  const std::int64_t mark = c.mark();
  const Place sum = c.isRoot() ? Place::output() : c.reserve(c.mine(level));
  c.inward(level, data, sum, c.leadingMember(level));
  c.forEachOwned(level, [&] { reduce(c, level + 1, sum, sum); });
  if (c.collectives(level).outward && root != kNoMember) c.outward(level, sum, target, root);
  c.release(mark);
}

/// `data` is where ranks of the root's groups have the slice; the others have nothing yet.
void broadcast(Composer& c, int level, const Place& data) {
  const std::int32_t root = c.rootMember(level);
  if (c.outermost(level)) return c.inward(level, data, Place::output(), root);
  const bool scatters = c.collectives(level).inward && root != kNoMember && !c.alone(level);
  if (scatters) c.inward(level, data, Place::output(), root);
  c.forEachOwned(level, [&] { broadcast(c, level + 1, scatters ? Place::output() : data); });
  c.outward(level, Place::output(), Place::output(), c.leadingMember(level));
}

void allGather(Composer& c, int level, const Place& data) {
  if (c.outermost(level)) return c.inward(level, data, Place::output());
  const std::int32_t leader = c.leadingMember(level);
  const bool gathers = c.collectives(level).inward && !c.alone(level);
  if (gathers) c.inward(level, data, Place::output(), leader);
  c.forEachOwned(level, [&] { allGather(c, level + 1, gathers ? Place::output() : data); });
  c.outward(level, Place::output(), Place::output(), leader);
}

/// What this rank holds of the slice belongs in `target`.
void reduceScatter(Composer& c, int level, const Place& data, const Place& target) {
  if (c.outermost(level)) return c.inward(level, data, target);
  if (c.alone(level)) return c.forEachOwned(level, [&] { reduceScatter(c, level + 1, data, target); });
  const std::int64_t mark = c.mark();
  const std::int32_t leader = c.leadingMember(level);
  const bool scatters = c.collectives(level).outward.has_value();
  const Place sum = c.goesOn(level) ? c.reserve(scatters ? c.slice() : c.mine(level)) : Place{};
  c.inward(level, data, sum, leader);
  const Place results = scatters && c.goesOn(level) ? c.reserve(c.ofGroup(level)) : target;
  c.forEachOwned(level, [&] { reduceScatter(c, level + 1, sum, results); });
  if (scatters) c.outward(level, results, target, leader);
  c.release(mark);
}

}  // namespace

void composeAllReduce(Composer& composer) {
  allReduce(composer, 0, Place::input());
}

void composeReduce(Composer& composer) {
  reduce(composer, 0, Place::input(), Place::output());
}

void composeBroadcast(Composer& composer) {
  broadcast(composer, 0, Place::input());
}

void composeAllGather(Composer& composer) {
  allGather(composer, 0, Place::input());
}

void composeReduceScatter(Composer& composer) {
  reduceScatter(composer, 0, Place::input(), Place::output());
}

}  // namespace atl::plan
