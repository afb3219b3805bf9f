// SPDX-License-Identifier: Apache-2.0
#include "tests/device/world.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <thread>

#include "src/comm/layouts.h"
#include "src/exec/cuda/device/fold.h"
#include "src/exec/cuda/device/launch.h"
#include "src/plan/choice.h"
#include "tests/device/host_reduction.h"

namespace atl::test {
namespace {

using device::Quad;

constexpr std::size_t kMostLanes = 16;
constexpr std::uint64_t kTag = 0x5a5a000000000000;
constexpr std::uint64_t kPatience = 20'000'000'000;

std::size_t quadsOf(std::uint64_t bytes) {
  return (bytes + device::kQuadBytes - 1) / device::kQuadBytes;
}

/// A fold by plain C++: what is tested is when device code moves what, not its arithmetic.
struct HostFolding {
  explicit HostFolding(const device::Run& its) : run(its) {}
  bool operator()(HostSpace& space, const device::Job& job) const {
    switch (run.type) {
      case DataType::uint8: return as<std::uint8_t>(space, job);
      case DataType::int32: return as<std::int32_t>(space, job);
      case DataType::float32: return as<float>(space, job);
      case DataType::uint64: return as<std::uint64_t>(space, job);
      default: throw std::logic_error("no reduction of this type here");
    }
  }
  template <class T>
  bool as(HostSpace& space, const device::Job& job) const {
    return device::fold(space, job, HostReduction<T>{run.op, run.program->ranks});
  }
  const device::Run& run;
};

}  // namespace

/// One rank's side of a launch.
struct World::RankSide {
  RankSide(const CollectiveCase& c, Rank rank, Rank ranks) : input(c.type, inputCount(c, rank, ranks)) {
    for (std::size_t i = 0; i < inputCount(c, rank, ranks); ++i) input.set(i, contribution(c, rank, ranks, i));
  }

  /// What a run needs besides what all share.
  struct Program {
    std::vector<Quad> scratch;
    std::vector<Quad> image;
    device::Program program;
  };
  GuardedBuffer input;
  std::deque<GuardedBuffer> outputs;  ///< by run
  std::deque<Program> programs;       ///< likewise
  device::Launch launch;
};

World::World(Rank ranks, const WorldShape& shape)
    : ranks_(ranks),
      shape_(shape),
      controls_(static_cast<std::size_t>(ranks)),
      failures_(static_cast<std::size_t>(ranks)),
      tilesDone_(static_cast<std::size_t>(ranks), std::vector<std::uint64_t>(kMostLanes)) {}

World::End& World::end(Rank rank, Rank peer, std::int32_t lane) {
  auto& end = ends_[{rank, peer, lane}];
  if (end == nullptr) {
    end = std::make_unique<End>();
    if (shape_.packetBytes > 0) end->packets.resize(device::kMails * device::packetsOf(shape_.packetBytes));
    end->slots.resize(quadsOf(device::kMails * shape_.slotBytes));
  }
  return *end;
}

device::Link World::linkOf(Rank rank, Rank peer, std::int32_t lane) {
  End& mine = end(rank, peer, lane);
  End& theirs = end(peer, rank, lane);
  device::Link link;
  link.here = &mine.region;
  link.there = &theirs.region;
  if (shape_.packetBytes > 0) {
    link.packetsHere = mine.packets.data();
    link.packetsThere = theirs.packets.data();
  }
  link.slotsHere = reinterpret_cast<std::byte*>(mine.slots.data());
  link.slotsThere = reinterpret_cast<std::byte*>(theirs.slots.data());
  link.state = &mine.state;
  link.peer = peer;
  link.sharesAddresses = shape_.sharesAddresses;
  return link;
}

device::Run& World::addRun(RankSide& side, const plan::Algorithm& algorithm, const CollectiveCase& c, Rank rank,
                           std::uint64_t tileBytes, std::uint64_t tagBase, std::int32_t shares) {
  plan::PlanRequest request;
  request.collective = c.collective;
  request.ranks = ranks_;
  request.rank = rank;
  request.root = c.root;
  request.shares = shares;
  const Plan plan = algorithm.generate(request);
  Call call;
  call.collective = c.collective;
  call.count = c.count;
  call.type = c.type;
  const std::uint64_t payload =
      c.count * sizeOf(c.type) * static_cast<std::uint64_t>(payloadBlocks(c.collective, ranks_));
  const exec::Layout layout = layoutOf(call, plan, plan::tilesFor(plan.tileable, payload, tileBytes));

  const device::LoweringOptions options{shape_.slotBytes, shape_.packetBytes, shape_.packetsUpTo, tagBase,
                                        c.collective == Collective::barrier};
  const auto image = device::ProgramImage::of(
      plan, layout, [&](Rank peer, std::int32_t lane) -> Result<device::Link> { return linkOf(rank, peer, lane); },
      options);
  RankSide::Program& its = side.programs.emplace_back();
  its.image.resize(quadsOf(image->bytes().size()));
  auto* const at = reinterpret_cast<std::byte*>(its.image.data());
  std::ranges::copy(image->bytes(), at);
  its.program = image->program(at);
  its.scratch.resize(quadsOf(layout.scratchBytes()));
  side.launch.blocks = std::max(side.launch.blocks, its.program.laneCount);
  device::Run& run = side.launch.runs[side.launch.perRank++];
  run.program = &its.program;
  run.control = &controls_[static_cast<std::size_t>(rank)];
  run.failure = &failures_[static_cast<std::size_t>(rank)];
  run.tilesDone = tilesDone_[static_cast<std::size_t>(rank)].data();
  run.input = side.input.data();
  run.output = side.outputs.emplace_back(c.type, outputCount(c, rank, ranks_)).data();
  run.scratch = reinterpret_cast<std::byte*>(its.scratch.data());
  run.type = c.type;
  run.op = c.op;
  return run;
}

std::unique_ptr<World::RankSide> World::sideOf(const plan::Algorithm& algorithm, const CollectiveCase& c, Rank rank,
                                               std::uint64_t tileBytes, std::uint64_t tagBase) {
  auto side = std::make_unique<RankSide>(c, rank, ranks_);
  addRun(*side, algorithm, c, rank, tileBytes, tagBase, 2);
  return side;
}

void World::runBlocks(const std::vector<std::unique_ptr<RankSide>>& sides) {
  std::vector<std::unique_ptr<HostBlock>> blocks;
  std::vector<std::unique_ptr<device::Block<HostSpace>>> memories;
  std::vector<std::thread> threads;
  for (const auto& side : sides) {
    for (std::int32_t lane = 0; lane < side->launch.blocks; ++lane) {
      blocks.push_back(std::make_unique<HostBlock>(shape_.threads, signals_));
      memories.push_back(std::make_unique<device::Block<HostSpace>>());
      for (std::uint32_t t = 0; t < shape_.threads; ++t) {
        threads.emplace_back([&block = *blocks.back(), &memory = *memories.back(), t, &launch = side->launch, lane] {
          HostSpace space(block, t);
          device::walkAll<HostFolding>(space, memory, launch, 0, lane);
        });
      }
    }
  }
  for (auto& thread : threads) thread.join();
}

std::optional<std::string> World::failureOf(Rank rank) const {
  const device::Failure& failure = failures_[static_cast<std::size_t>(rank)];
  if (failure.kind == 0) return std::nullopt;
  return fmt::format("rank {} failed ({}) in lane {}, tile {}, loop {}, repetition {}, round {}, waiting for {}", rank,
                     failure.kind, failure.lane, failure.tile, failure.loop, failure.repetition, failure.round,
                     failure.peer);
}

std::optional<std::string> World::run(const plan::Algorithm& algorithm, const CollectiveCase& c,
                                      std::uint64_t tileBytes) {
  signals_.patience = kPatience;
  std::vector<std::unique_ptr<RankSide>> sides;
  for (Rank rank = 0; rank < ranks_; ++rank) sides.push_back(sideOf(algorithm, c, rank, tileBytes, kTag));
  runBlocks(sides);
  for (Rank rank = 0; rank < ranks_; ++rank) {
    auto& side = *sides[static_cast<std::size_t>(rank)];
    auto& output = side.outputs.front();
    if (auto failure = failureOf(rank)) return failure;
    for (std::size_t i = 0; i < outputCount(c, rank, ranks_); ++i) {
      const double want = expected(c, rank, ranks_, i);
      if (output.at(i) != want)
        return fmt::format("rank {}: element {} is {}, should be {}", rank, i, output.at(i), want);
    }
    if (!side.input.guardsIntact() || !output.guardsIntact()) return fmt::format("rank {} wrote elsewhere", rank);
  }
  return std::nullopt;
}

std::optional<std::string> World::runTogether(const std::vector<const plan::Algorithm*>& algorithms,
                                              const CollectiveCase& c) {
  signals_.patience = kPatience;
  std::vector<std::unique_ptr<RankSide>> sides;
  for (Rank rank = 0; rank < ranks_; ++rank) {
    auto& side = *sides.emplace_back(std::make_unique<RankSide>(c, rank, ranks_));
    for (std::size_t i = 0; i < algorithms.size(); ++i) {
      // Runs of more and of fewer lanes than the one before.
      const std::int32_t shares = i % 2 == 0 ? 1 : 3;
      device::Run& run = addRun(side, *algorithms[i], c, rank, 1024, kTag, shares);
      if (i > 0) run.input = side.outputs[i - 1].data();
    }
  }
  runBlocks(sides);
  const double times = std::pow(ranks_, algorithms.size() - 1);
  for (Rank rank = 0; rank < ranks_; ++rank) {
    if (auto failure = failureOf(rank)) return failure;
    auto& output = sides[static_cast<std::size_t>(rank)]->outputs.back();
    for (std::size_t i = 0; i < outputCount(c, rank, ranks_); ++i) {
      const double want = times * expected(c, rank, ranks_, i);
      if (output.at(i) != want)
        return fmt::format("rank {}: element {} is {}, should be {}", rank, i, output.at(i), want);
    }
  }
  return std::nullopt;
}

std::vector<device::Failure> World::runBadly(const plan::Algorithm& algorithm, const CollectiveCase& c, Rank absent,
                                             std::uint64_t tag) {
  std::vector<std::unique_ptr<RankSide>> sides;
  for (Rank rank = 0; rank < ranks_; ++rank) {
    if (rank == absent && tag == 0) continue;
    sides.push_back(sideOf(algorithm, c, rank, 1 << 20, rank == absent ? tag : kTag));
  }
  runBlocks(sides);
  return failures_;
}

}  // namespace atl::test
