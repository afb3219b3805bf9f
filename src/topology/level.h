// SPDX-License-Identifier: Apache-2.0
// What joins the members of one level's islands: the shape of the network, its rates and times.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/plan/hierarchy.h"

namespace atl {

/// How the members of an island are joined.
enum class LevelKind : std::uint8_t {
  switched,  ///< one stage of switches: every member to every other in one hop
  fullMesh,  ///< a link from every member to every other
  ring,      ///< a link to either neighbour; the last is joined to the first
  torus,     ///< a grid whose lines are rings
  mesh,      ///< a grid whose lines end
  fatTree,   ///< several stages of switches
  circuit,   ///< circuit switches: links that can be laid anew
};
inline constexpr std::array kLevelKinds = {LevelKind::switched, LevelKind::fullMesh, LevelKind::ring,
                                           LevelKind::torus,    LevelKind::mesh,     LevelKind::fatTree,
                                           LevelKind::circuit};

/// "switch", "full-mesh", "ring", "torus", "mesh", "fat-tree", "circuit".
std::string_view nameOf(LevelKind kind);
std::optional<LevelKind> levelKindNamed(std::string_view name);

/// Whether some members of an island are more hops apart than others: in a ring, torus or mesh.
bool takesHops(LevelKind kind);

/// How many ports into a level there are: `count` for each rank, or for each island of a level further in. Eight
/// accelerators that share four network cards have "4 per host".
struct Ports {
  static constexpr int kPerRank = -1;
  std::int32_t count = 1;
  int per = kPerRank;  ///< a level's number, or kPerRank
  friend bool operator==(const Ports&, const Ports&) = default;
};

/// One level. Rates are bytes per second each way, times are seconds; 0 where they are not known.
struct Level {
  std::string name;  ///< of what its islands are: "host", "rack", "pod"
  LevelKind kind = LevelKind::switched;
  std::vector<std::int32_t> dims;  ///< of a torus or mesh, the first running fastest; empty: not known
  double bandwidth = 0;            ///< nominal, of one port
  double usable = 1;               ///< the share of it that data gets, up to 1
  Ports ports;
  std::int32_t planes = 1;  ///< separate networks that a port's bandwidth is spread over evenly
  std::int32_t rails = 1;   ///< ports with the same number, modulo this, of all members meet in switches of their own
  double oversubscription = 1;  ///< what the ports of a member could carry, over what its uplink does carry
  double latency = 0;           ///< of a small message between nearest members, from end to end
  double hopLatency = 0;        ///< what each further hop adds, where the kind takes hops
  double switchTime = 0;        ///< of a circuit switch, to lay its links anew

  friend bool operator==(const Level&, const Level&) = default;
};

/// What is wrong with a level, and with which field of it as files call it.
struct LevelFault {
  std::string_view field;
  std::string text;  ///< the value found and what is allowed
};

/// Whether values are in range and go together; names are compared with those of the levels further in.
std::optional<LevelFault> faultOf(std::span<const Level> levels, int level);

/// Whether `dims` cover the members of the level's islands.
std::optional<LevelFault> shapeFaultOf(const Level& level, const plan::Hierarchy& hierarchy, int number);

/// Hops between two members of an island, by their positions in it: 1 between neighbours, 0 from one to itself.
std::int32_t hopsBetween(const Level& level, std::int32_t members, std::int32_t a, std::int32_t b);

}  // namespace atl
