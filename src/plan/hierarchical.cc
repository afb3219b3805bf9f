// SPDX-License-Identifier: Apache-2.0
#include "src/plan/hierarchical.h"

#include "src/base/hash.h"
#include "src/plan/composition/collectives.h"
#include "src/plan/composition/composer.h"

namespace atl::plan {
namespace {

/// The levels' collectives of one composition.
struct Composition {
  LevelCollectives inner;
  Collective outermost;
};

std::optional<Composition> compositionOf(Collective collective, Division division) {
  const bool slices = division == Division::slices;
  switch (collective) {
    case Collective::allReduce:
      return slices ? Composition{{Collective::reduceScatter, Collective::allGather}, collective}
                    : Composition{{Collective::reduce, Collective::broadcast}, collective};
    case Collective::reduce:
      return slices ? Composition{{Collective::reduceScatter, Collective::gather}, collective}
                    : Composition{{Collective::reduce, std::nullopt}, collective};
    case Collective::broadcast:
      return slices ? Composition{{Collective::scatter, Collective::allGather}, collective}
                    : Composition{{std::nullopt, Collective::broadcast}, collective};
    case Collective::allGather:
      return slices ? Composition{{std::nullopt, Collective::allGather}, collective}
                    : Composition{{Collective::gather, Collective::broadcast}, collective};
    case Collective::reduceScatter:
      return slices ? Composition{{Collective::reduceScatter, std::nullopt}, collective}
                    : Composition{{Collective::reduce, Collective::scatter}, collective};
    case Collective::allToAll:
      return slices ? Composition{{collective, std::nullopt}, collective}
                    : Composition{{Collective::gather, Collective::scatter}, collective};
    default: return std::nullopt;
  }
}

void compose(Composer& composer) {
  switch (composer.request().collective) {
    case Collective::allReduce: return composeAllReduce(composer);
    case Collective::reduce: return composeReduce(composer);
    case Collective::broadcast: return composeBroadcast(composer);
    case Collective::allGather: return composeAllGather(composer);
    case Collective::reduceScatter: return composeReduceScatter(composer);
    default: return composeAllToAll(composer);
  }
}

/// Of what else the ranks have to have in common.
std::uint64_t hashOf(const Hierarchy& hierarchy, std::span<const LevelAlgorithms> levels) {
  std::uint64_t hash = plan::hashOf(hierarchy);
  for (const LevelAlgorithms& algorithms : levels) {
    if (algorithms.inward != nullptr) hash = hashText(algorithms.inward->name, hash);
    if (algorithms.outward != nullptr) hash = hashText(algorithms.outward->name, hash);
  }
  return hash;
}

}  // namespace

LevelCollectives levelCollectives(Collective collective, Division division, bool outermost) {
  const auto composition = compositionOf(collective, division);
  if (!composition) return {};
  return outermost ? LevelCollectives{composition->outermost, std::nullopt} : composition->inner;
}

bool composes(Collective collective) {
  return compositionOf(collective, Division::slices).has_value();
}

Hierarchy joiningLevels(Hierarchy hierarchy) {
  for (int level = hierarchy.levels() - 1; level >= 0; --level) {
    if (!hierarchy.joins(level) && hierarchy.levels() > 1) hierarchy = hierarchy.without(level);
  }
  return hierarchy;
}

Result<Plan> compose(const PlanRequest& request, const Hierarchy& hierarchy, std::span<const LevelAlgorithms> levels,
                     Division division, std::string_view name) {
  if (!composes(request.collective)) {
    return makeError(ErrorCode::unsupported, "there is no hierarchical plan of {}", nameOf(request.collective));
  }
  if (request.ranks != hierarchy.ranks() || levels.size() != static_cast<std::size_t>(hierarchy.levels())) {
    return makeError(ErrorCode::invalidArgument,
                     "a hierarchy of {} ranks and {} levels does not fit a request for {} ranks and {} levels",
                     hierarchy.ranks(), hierarchy.levels(), request.ranks, levels.size());
  }
  if (!hierarchy.joins(hierarchy.levels() - 1)) {
    return makeError(ErrorCode::invalidArgument, "the outermost of {} levels joins nothing", hierarchy.levels());
  }
  Composer composer(request, hierarchy, levels, division);
  ATOLL_TRY(composer.prepare());
  compose(composer);
  ATOLL_ASSIGN(Plan plan, composer.build(name));
  plan.familyHash = hashCombine(plan.familyHash, hashOf(hierarchy, levels));
  return plan;
}

}  // namespace atl::plan
