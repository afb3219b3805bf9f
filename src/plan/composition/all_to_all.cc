// SPDX-License-Identifier: Apache-2.0
// All-to-all in stages. With H islands of g ranks:
//
// In slices, one stage a level, inner to outer. A block first goes to the rank of its source's island that owns the
// slice of its destination at that level, together with all others for that slice; so between islands go few, large
// messages, each rank's to the rank that is where it is in the other islands. (g − 1) + (H − 1) messages of a rank
// instead of gH − 1, at twice the traffic within islands and the same between them.
//
// By leaders: everything to the leader, between leaders, and from the leader. H − 1 messages of an island instead of
// g (H − 1) or g² (H − 1).
#include <utility>

#include "src/plan/composition/collectives.h"

namespace atl::plan {
namespace {

/// Blocks on their way: all that goes from some ranks to some ranks, both in the order of their places.
struct Holding {
  std::vector<Rank> sources;
  std::vector<Rank> destinations;
  std::vector<Spot> spots;  ///< of each destination in turn, its block from each source in turn

  void add(Rank destination, std::span<const Spot> fromSources) {
    destinations.push_back(destination);
    spots.insert(spots.end(), fromSources.begin(), fromSources.end());
  }
  [[nodiscard]] std::span<const Spot> to(std::size_t destination) const {
    return std::span(spots).subspan(destination * sources.size(), sources.size());
  }
  [[nodiscard]] std::int32_t blocks() const { return static_cast<std::int32_t>(sources.size() * destinations.size()); }
};

/// All that goes to the same destinations, from sources that follow each other.
Holding joined(const std::vector<Holding>& parts) {
  Holding all;
  for (const Holding& part : parts) all.sources.insert(all.sources.end(), part.sources.begin(), part.sources.end());
  for (std::size_t d = 0; d < parts.front().destinations.size(); ++d) {
    std::vector<Spot> spots;
    for (const Holding& part : parts) spots.insert(spots.end(), part.to(d).begin(), part.to(d).end());
    all.add(parts.front().destinations[d], spots);
  }
  return all;
}

/// Copies of blocks to places, as few as there can be.
Copies copies(std::span<const Spot> from, std::span<const Spot> to) {
  Copies all;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const bool follows = i > 0 && to[i].index == to[i - 1].index + 1;
    if (!follows) all.push_back({{}, to[i]});
    all.back().from.push_back(from[i]);
  }
  return all;
}

void append(Copies& all, const Copies& more) {
  all.insert(all.end(), more.begin(), more.end());
}

class Staging {
 public:
  explicit Staging(Composer& composer) : c_(composer) {}

  void inSlices() { visitSlices(0, mine()); }

  void byLeaders() {
    if (c_.outermost(0)) return deliver(0, mine());
    const Holding result = lead(0, mine());
    const std::vector<Spot> places = outputOf(result.sources);
    if (result.spots.front().buffer != Buffer::output) c_.add(copies(result.spots, places));
  }

 private:
  [[nodiscard]] Holding mine() const {
    Holding mine;
    mine.sources = {c_.request().rank};
    for (const Rank rank : everyone()) {
      const Spot spot{Buffer::input, rank};
      mine.add(rank, std::span(&spot, 1));
    }
    return mine;
  }

  [[nodiscard]] GroupRanks everyone() const { return c_.hierarchy().ranksOf(c_.hierarchy().levels() - 1, 0); }

  static std::vector<Spot> outputOf(std::span<const Rank> sources) {
    std::vector<Spot> places;
    for (const Rank source : sources) places.push_back({Buffer::output, source});
    return places;
  }

  /// A place in scratch for what comes from some ranks to some ranks.
  Holding reserve(std::vector<Rank> sources, std::vector<Rank> destinations) {
    Holding place{std::move(sources), std::move(destinations), {}};
    const std::int32_t first = c_.reserveBlocks(place.blocks());
    for (std::int32_t i = 0; i < place.blocks(); ++i) place.spots.push_back({Buffer::scratch, first + i});
    return place;
  }

  /// The holding's parts by the member of this rank's group that each destination's blocks go to.
  [[nodiscard]] std::vector<Holding> byMember(int level, const Holding& holding, bool home) const {
    std::vector<Holding> parts(static_cast<std::size_t>(c_.members(level)));
    for (Holding& part : parts) part.sources = holding.sources;
    for (std::size_t d = 0; d < holding.destinations.size(); ++d) {
      const Rank destination = holding.destinations[d];
      const std::int32_t member =
          home ? c_.hierarchy().memberOf(level, destination) : c_.memberTowards(level, destination);
      parts[static_cast<std::size_t>(member)].add(destination, holding.to(d));
    }
    return parts;
  }

  /// What is to leave, as one run: as it lies, or packed.
  std::optional<SpotRun> packed(const Holding& part, Copies& before) {
    if (part.spots.empty()) return std::nullopt;
    if (const auto run = asRun(part.spots)) return run;
    const Spot to{Buffer::scratch, c_.reserveBlocks(part.blocks())};
    before.push_back({part.spots, to});
    return SpotRun{to, part.blocks()};
  }

  /// Adds an exchange in which one holding leaves for each member, but for one.
  void add(int level, Collective collective, std::int32_t root, Exchange exchange, const std::vector<Holding>& leaving,
           std::size_t except) {
    const std::int64_t mark = c_.mark();
    Copies before;
    exchange.outgoing.resize(static_cast<std::size_t>(c_.members(level)));
    exchange.incoming.resize(exchange.outgoing.size());
    for (std::size_t member = 0; member < leaving.size(); ++member) {
      if (member != except) exchange.outgoing[member] = packed(leaving[member], before);
    }
    c_.release(mark);
    if (!before.empty()) c_.add(std::move(before));
    c_.add(level, collective, root, std::move(exchange));
  }

  // ---- in slices

  void visitSlices(int level, const Holding& holding) {
    if (c_.outermost(level)) return deliver(level, holding);
    const std::int64_t mark = c_.mark();
    const Holding here = c_.alone(level) ? holding : exchange(level, holding);
    c_.forEachOwned(level, [&] {
      Holding slice;
      slice.sources = here.sources;
      for (std::size_t d = 0; d < here.destinations.size(); ++d) {
        const Rank destination = here.destinations[d];
        if (c_.sliceOf(level, destination) == c_.path().back()) slice.add(destination, here.to(d));
      }
      visitSlices(level + 1, slice);
    });
    c_.release(mark);
  }

  /// One stage: what all members of this rank's group have for the destinations that go on from here.
  Holding exchange(int level, const Holding& holding) {
    const auto me = static_cast<std::size_t>(c_.member(level));
    const std::vector<Holding> parts = byMember(level, holding, false);
    std::vector<Holding> arrivals;
    Exchange exchange;
    exchange.incoming.resize(parts.size());
    for (std::size_t member = 0; member < parts.size(); ++member) {
      const bool own = member == me;
      arrivals.push_back(
          own ? parts[me]
              : reserve(c_.ranksOfMember(level, static_cast<std::int32_t>(member)), parts[me].destinations));
      if (!own) exchange.incoming[member] = asRun(arrivals.back().spots);
    }
    add(level, Collective::allToAll, kNoMember, std::move(exchange), parts, me);
    return joined(arrivals);
  }

  /// The last stage, into the output: straight where the blocks of a message are neighbours there.
  void deliver(int level, const Holding& holding) {
    const auto me = static_cast<std::size_t>(c_.member(level));
    const std::vector<Holding> parts = byMember(level, holding, true);
    const std::int64_t mark = c_.mark();
    Exchange exchange;
    exchange.incoming.resize(parts.size());
    Copies after;
    const bool receives = !parts[me].destinations.empty();
    for (std::size_t member = 0; member < parts.size() && receives; ++member) {
      const std::vector<Rank> sources = c_.ranksOfMember(level, static_cast<std::int32_t>(member));
      const std::vector<Spot> places = outputOf(sources);
      if (member == me) {
        append(after, copies(parts[me].spots, places));
        continue;
      }
      exchange.incoming[member] = asRun(places);
      if (exchange.incoming[member]) continue;
      const Holding arrival = reserve(sources, parts[me].destinations);
      exchange.incoming[member] = asRun(arrival.spots);
      append(after, copies(arrival.spots, places));
    }
    add(level, Collective::allToAll, kNoMember, std::move(exchange), parts, me);
    c_.add(std::move(after));
    c_.release(mark);
  }

  // ---- by leaders

  /// Takes what this rank speaks for to wherever it goes; gives what comes from all ranks for those it speaks for.
  Holding lead(int level, const Holding& holding) {
    if (c_.outermost(level)) return exchange(level, holding);
    Holding result;
    if (c_.alone(level)) {
      c_.forEachOwned(level, [&] { result = lead(level + 1, holding); });
      return result;
    }
    if (c_.leadingMember(level) == c_.member(level)) {
      const Holding gathered = gather(level, holding);
      c_.forEachOwned(level, [&] { result = lead(level + 1, gathered); });
      return scatter(level, result);
    }
    add(level, Collective::gather, c_.leadingMember(level), {}, onlyMine(level, holding),
        static_cast<std::size_t>(c_.members(level)));
    return await(level);
  }

  /// The leader's side of the way in.
  Holding gather(int level, const Holding& holding) {
    std::vector<Holding> arrivals;
    Exchange exchange;
    for (std::int32_t member = 0; member < c_.members(level); ++member) {
      const bool own = member == c_.member(level);
      arrivals.push_back(own ? holding : reserve(c_.ranksOfMember(level, member), holding.destinations));
      exchange.incoming.push_back(own ? std::nullopt : asRun(arrivals.back().spots));
    }
    add(level, Collective::gather, c_.member(level), std::move(exchange), {}, 0);
    return joined(arrivals);
  }

  /// The leader's side of the way back.
  Holding scatter(int level, const Holding& holding) {
    const auto me = static_cast<std::size_t>(c_.member(level));
    const std::vector<Holding> parts = byMember(level, holding, true);
    add(level, Collective::scatter, c_.member(level), {}, parts, me);
    return parts[me];
  }

  /// The other members' side of it; level 0 straight into the output if ranks are in order.
  Holding await(int level) {
    std::vector<Rank> sources;
    for (const Rank rank : everyone()) sources.push_back(rank);
    const auto me = static_cast<std::size_t>(c_.member(level));
    Holding arrival{sources, {c_.request().rank}, outputOf(sources)};
    if (level > 0 || !asRun(arrival.spots)) arrival = reserve(sources, c_.ranksOfMember(level, c_.member(level)));
    Exchange exchange;
    exchange.incoming.resize(static_cast<std::size_t>(c_.members(level)));
    exchange.incoming[me] = asRun(arrival.spots);
    add(level, Collective::scatter, c_.leadingMember(level), std::move(exchange), {}, 0);
    return arrival;
  }

  /// A member's own part, where a gather's plan looks for it.
  [[nodiscard]] std::vector<Holding> onlyMine(int level, const Holding& holding) const {
    std::vector<Holding> parts(static_cast<std::size_t>(c_.members(level)));
    parts[static_cast<std::size_t>(c_.member(level))] = holding;
    return parts;
  }

  Composer& c_;
};

}  // namespace

void composeAllToAll(Composer& composer) {
  composer.usesLeaders() ? Staging(composer).byLeaders() : Staging(composer).inSlices();
}

}  // namespace atl::plan
