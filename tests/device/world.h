// SPDX-License-Identifier: Apache-2.0
// Ranks whose device code runs on host threads: their links, and collectives on them with real data.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "src/exec/cuda/device/quads.h"
#include "src/exec/cuda/program_image.h"
#include "src/plan/algorithm.h"
#include "tests/device/host_space.h"
#include "tests/support/collective_case.h"

namespace atl::test {

/// How a world's links are made, and how many threads a block has.
struct WorldShape {
  const char* name = "";
  std::uint64_t slotBytes = 512;
  std::uint64_t packetBytes = 64;  ///< 0: links have no packets
  std::uint64_t packetsUpTo = 0;
  bool sharesAddresses = false;
  std::uint32_t threads = 3;
};

class World {
 public:
  World(Rank ranks, const WorldShape& shape);

  /// Runs the case once by the algorithm, in tiles of so many bytes at most, on all ranks; what is wrong, if anything.
  std::optional<std::string> run(const plan::Algorithm& algorithm, const CollectiveCase& c, std::uint64_t tileBytes);

  /// All-reduces in one launch, each of what the one before it gave, by these algorithms. They may have any number of
  /// lanes.
  std::optional<std::string> runTogether(const std::vector<const plan::Algorithm*>& algorithms,
                                         const CollectiveCase& c);

  /// Like run(), but rank `absent` does not come, or calls something else if `tag` is not 0. Gives every rank's
  /// failure.
  std::vector<device::Failure> runBadly(const plan::Algorithm& algorithm, const CollectiveCase& c, Rank absent,
                                        std::uint64_t tag);

  device::Signals& signals() { return signals_; }

 private:
  /// What a rank has of a link.
  struct End {
    device::Region region{};
    std::vector<device::Packet> packets;
    std::vector<device::Quad> slots;
    device::LinkState state;
  };
  struct RankSide;

  End& end(Rank rank, Rank peer, std::int32_t lane);
  device::Link linkOf(Rank rank, Rank peer, std::int32_t lane);
  std::unique_ptr<RankSide> sideOf(const plan::Algorithm& algorithm, const CollectiveCase& c, Rank rank,
                                   std::uint64_t tileBytes, std::uint64_t tagBase);
  device::Run& addRun(RankSide& side, const plan::Algorithm& algorithm, const CollectiveCase& c, Rank rank,
                      std::uint64_t tileBytes, std::uint64_t tagBase, std::int32_t shares);
  [[nodiscard]] std::optional<std::string> failureOf(Rank rank) const;
  void runBlocks(const std::vector<std::unique_ptr<RankSide>>& sides);

  const Rank ranks_;
  const WorldShape shape_;
  device::Signals signals_;
  std::map<std::tuple<Rank, Rank, std::int32_t>, std::unique_ptr<End>> ends_;
  std::vector<device::Control> controls_;
  std::vector<device::Failure> failures_;
  std::vector<std::vector<std::uint64_t>> tilesDone_;
};

}  // namespace atl::test
