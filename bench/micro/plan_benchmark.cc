// SPDX-License-Identifier: Apache-2.0
// What plans cost before anything runs: generating them, choosing among them, proving them, and their JSON form.
#include <benchmark/benchmark.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "src/plan/algorithm.h"
#include "src/plan/chooser.h"
#include "src/plan/hierarchical.h"
#include "src/plan/serialize.h"
#include "src/plan/verify.h"

namespace {

using atl::Collective;
using atl::Plan;
using atl::Rank;
using atl::plan::Algorithm;

/// An algorithm, and the first of these collectives that it serves.
constexpr Collective kCollectives[] = {Collective::allReduce, Collective::allGather, Collective::allToAll,
                                       Collective::broadcast, Collective::gather,    Collective::barrier};

atl::plan::PlanRequest requestOf(Collective collective, Rank ranks) {
  atl::plan::PlanRequest request;
  request.collective = collective;
  request.ranks = ranks;
  if (atl::isRooted(collective)) request.root = 0;
  return request;
}

std::vector<Plan> family(const Algorithm& algorithm, Collective collective, Rank ranks) {
  auto request = requestOf(collective, ranks);
  std::vector<Plan> plans;
  plans.reserve(static_cast<std::size_t>(ranks));
  for (request.rank = 0; request.rank < ranks; ++request.rank) plans.push_back(algorithm.generate(request));
  return plans;
}

void generateOne(benchmark::State& state, const Algorithm* algorithm, Collective collective) {
  auto request = requestOf(collective, static_cast<Rank>(state.range(0)));
  request.rank = request.ranks / 2;
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(algorithm->generate(request));
}

void generateFamily(benchmark::State& state, const Algorithm* algorithm, Collective collective) {
  const auto ranks = static_cast<Rank>(state.range(0));
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(family(*algorithm, collective, ranks));
}

void verifyFamily(benchmark::State& state, const Algorithm* algorithm, Collective collective) {
  const auto plans = family(*algorithm, collective, static_cast<Rank>(state.range(0)));
  for ([[maybe_unused]] auto _ : state) {
    if (const auto proof = atl::plan::verify(plans); !proof.ok()) throw std::runtime_error(proof.error().text);
  }
}

/// Hosts of eight ranks behind uplinks, a pod of 32 hosts each.
atl::plan::SiteModel cluster(Rank ranks) {
  constexpr Rank kEach = 8;
  constexpr Rank kHostsEach = 32;
  const Rank hosts = ranks / kEach;
  const std::vector<atl::plan::Hierarchy::Members> members{
      {kEach}, {std::min(hosts, kHostsEach)}, {std::max(1, hosts / kHostsEach)}};
  const atl::plan::LinkModel memory{.latency = 1e-6, .perMessage = 1e-7, .perByte = 1 / 300e9, .memory = true};
  const atl::plan::LinkModel network{.latency = 5e-6, .perMessage = 1e-6, .perByte = 1 / 50e9};
  const auto made = atl::plan::Hierarchy::make(members);
  if (!made.ok()) throw std::runtime_error(made.error().text);
  atl::plan::Hierarchy tree = atl::plan::joiningLevels(*made);
  std::vector<atl::plan::LevelModel> levels{{"host", memory, {}}, {"pod", network, {400e9}}, {"core", network, {3e12}}};
  levels.resize(static_cast<std::size_t>(tree.levels()));
  return {network, std::move(tree), std::move(levels)};
}

/// A new topology's first choice: every flat plan is walked, every phase's algorithms are priced.
void chooseAnew(benchmark::State& state) {
  const atl::plan::Choice choice{.collective = Collective::allReduce,
                                 .ranks = static_cast<Rank>(state.range(0)),
                                 .bytes = static_cast<std::uint64_t>(state.range(1))};
  for ([[maybe_unused]] auto _ : state) {
    const atl::plan::SiteModel site = cluster(choice.ranks);
    const auto ranked = atl::plan::rank(choice, site, {});
    if (!ranked.ok()) throw std::runtime_error(ranked.error().text);
    state.SetLabel(std::string(ranked->front().algorithm->name));
  }
}
BENCHMARK(chooseAnew)->ArgNames({"ranks", "bytes"})->ArgsProduct({{64, 1024, 16384}, {8, 64 << 20}});

/// The catalogue priced for one call.
void choose(benchmark::State& state) {
  const atl::plan::Choice choice{.collective = Collective::allReduce,
                                 .ranks = static_cast<Rank>(state.range(0)),
                                 .bytes = static_cast<std::uint64_t>(state.range(1))};
  const atl::plan::LinkModel model{.latency = 1e-6, .perMessage = 1e-7, .perByte = 1e-10, .perReducedByte = 1e-10};
  const atl::plan::ForcedAlgorithms free;
  for ([[maybe_unused]] auto _ : state) {
    const auto ranked = atl::plan::rank(choice, model, free);
    if (!ranked.ok()) throw std::runtime_error(ranked.error().text);
    state.SetLabel(std::string(ranked->front().algorithm->name));
  }
}
BENCHMARK(choose)->ArgNames({"ranks", "bytes"})->ArgsProduct({{8, 64, 1024}, {8, 64 << 20}});

void writeJson(benchmark::State& state, const Algorithm* algorithm, Collective collective) {
  const auto plans = family(*algorithm, collective, static_cast<Rank>(state.range(0)));
  std::size_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) bytes = atl::plan::toJson(plans).size();
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void readJson(benchmark::State& state, const Algorithm* algorithm, Collective collective) {
  const auto text = atl::plan::toJson(family(*algorithm, collective, static_cast<Rank>(state.range(0))));
  for ([[maybe_unused]] auto _ : state) {
    if (const auto plans = atl::plan::fromJson(text); !plans.ok()) throw std::runtime_error(plans.error().text);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

/// Registered at run time, algorithm by algorithm of the catalogue.
const bool registered = [] {
  for (const Algorithm& algorithm : atl::plan::catalogue()) {
    for (const Collective collective : kCollectives) {
      if (!algorithm.serves(collective, 8, false)) continue;
      const auto add = [&](const char* what, void (*measure)(benchmark::State&, const Algorithm*, Collective)) {
        const std::string name =
            std::string(what).append("/").append(algorithm.name).append("/").append(atl::nameOf(collective));
        return benchmark::RegisterBenchmark(name.c_str(), measure, &algorithm, collective)->Arg(8)->Arg(64);
      };
      add("generate_one", generateOne)->Arg(1024);
      add("generate_family", generateFamily)->Arg(1024)->Unit(benchmark::kMicrosecond);
      add("verify", verifyFamily)->Unit(benchmark::kMicrosecond);
      add("write_json", writeJson)->Unit(benchmark::kMicrosecond);
      add("read_json", readJson)->Unit(benchmark::kMicrosecond);
      break;
    }
  }
  return true;
}();

}  // namespace
