// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/plan/family_options.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "src/base/text_file.h"
#include "src/plan/serialize.h"
#include "src/topology/description.h"

namespace atl::tools {
namespace {

constexpr Rank kMostRanks = 1 << 20;

/// What every rank's generation has in common, checked.
struct Request {
  const plan::Algorithm* algorithm = nullptr;
  std::shared_ptr<const plan::Hierarchy> hierarchy;  ///< of --topology, or null
  plan::PlanRequest request;
};

/// What a topology file says of its ranks' islands.
Result<std::shared_ptr<const plan::Hierarchy>> hierarchyFrom(const std::string& path) {
  ATOLL_ASSIGN(const TopologyFile file, readTopologyFile(path));
  if (!file.description.shape) {
    return makeError(ErrorCode::invalidArgument, "--topology {}: does not say how many members its islands have", path);
  }
  return std::make_shared<const plan::Hierarchy>(*file.description.shape);
}

Result<Request> requestFrom(FamilyOptions options) {
  Request result;
  if (!options.topology.empty()) {
    ATOLL_ASSIGN(result.hierarchy, hierarchyFrom(options.topology));
    const Rank ranks = result.hierarchy->ranks();
    if (options.ranks != 0 && options.ranks != ranks) {
      return makeError(ErrorCode::invalidArgument, "--ranks {}: {} has {}", options.ranks, options.topology, ranks);
    }
    options.ranks = ranks;
    result.request.hierarchy = result.hierarchy.get();
  }
  for (const auto& [name, missing] :
       {std::pair{"--coll", options.collective.empty()}, std::pair{"--algo", options.algorithm.empty()},
        std::pair{"--ranks", options.ranks == 0}}) {
    if (missing) return makeError(ErrorCode::invalidArgument, "{} is missing (or give --file)", name);
  }
  ATOLL_ASSIGN(result.request.collective, collectiveFrom(options.collective));
  ATOLL_ASSIGN(result.algorithm, algorithmFrom(options.algorithm));
  const Collective collective = result.request.collective;
  if (!result.algorithm->serves(collective, options.ranks, false)) {
    std::string others;
    for (const plan::Algorithm& a : plan::catalogue()) {
      if (a.serves(collective, options.ranks, false)) others += fmt::format(" {}", a.name);
    }
    return makeError(ErrorCode::invalidArgument, "--algo {}: does not serve {} on {} ranks; these do:{}",
                     options.algorithm, nameOf(collective), options.ranks, others);
  }
  if (options.root && !isRooted(collective)) {
    return makeError(ErrorCode::invalidArgument, "--root {}: {} has no root", *options.root, nameOf(collective));
  }
  if (options.root && *options.root >= options.ranks) {
    return makeError(ErrorCode::invalidArgument, "--root {}: there are {} ranks", *options.root, options.ranks);
  }
  result.request.ranks = options.ranks;
  result.request.shares = options.shares;
  result.request.root = isRooted(collective) ? options.root.value_or(0) : kNoRank;
  return result;
}

Result<std::vector<Plan>> familyFromFile(const FamilyOptions& options) {
  if (!options.collective.empty() || !options.algorithm.empty() || options.ranks != 0 || !options.topology.empty()) {
    return makeError(ErrorCode::invalidArgument, "--file {}: takes the place of --coll, --algo, --ranks and --topology",
                     options.file);
  }
  ATOLL_ASSIGN(const std::string text, readTextFile(options.file, options.file));
  auto family = plan::fromJson(text);
  if (!family.ok()) return std::move(family).error().within(options.file);
  return family;
}

}  // namespace

void addFamilyOptions(CLI::App& command, FamilyOptions& options) {
  command.add_option("--coll", options.collective, "Collective: allreduce, broadcast, …");
  command.add_option("--algo", options.algorithm, "Algorithm, as `atoll plan list` names it");
  command.add_option("--ranks", options.ranks, "Number of ranks")->check(CLI::Range(1, kMostRanks));
  command.add_option("--root", options.root, "Root, where there is one (default 0)")->check(CLI::NonNegativeNumber);
  command.add_option("--shares", options.shares, "Parallel shares of the data")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_option("--topology", options.topology, "Topology file with the islands that the ranks are in")
      ->check(CLI::ExistingFile);
  command.add_option("--file", options.file, "Plans from a JSON file instead")->check(CLI::ExistingFile);
}

Result<Collective> collectiveFrom(const std::string& name) {
  const auto collective = collectiveNamed(name);
  if (collective && *collective != Collective::pointToPoint) return *collective;
  std::string known;
  for (int c = 0; c < kCollectives; ++c) {
    if (static_cast<Collective>(c) != Collective::pointToPoint) {
      known += fmt::format(" {}", nameOf(static_cast<Collective>(c)));
    }
  }
  return makeError(ErrorCode::invalidArgument, "--coll {}: no such collective; known are{}", name, known);
}

Result<const plan::Algorithm*> algorithmFrom(const std::string& name) {
  if (const plan::Algorithm* algorithm = plan::algorithmNamed(name)) return algorithm;
  std::string known;
  for (const plan::Algorithm& a : plan::catalogue()) known += fmt::format(" {}", a.name);
  return makeError(ErrorCode::invalidArgument, "--algo {}: no such algorithm; known are{}", name, known);
}

bool servesSomewhere(const plan::Algorithm& algorithm, Collective collective) {
  constexpr Rank kTried = 8;
  for (Rank ranks = 1; ranks <= kTried; ++ranks) {
    if (algorithm.serves(collective, ranks, false)) return true;
  }
  return false;
}

Result<std::vector<Plan>> familyFrom(const FamilyOptions& options) {
  if (!options.file.empty()) return familyFromFile(options);
  ATOLL_ASSIGN(Request from, requestFrom(options));
  std::vector<Plan> family;
  family.reserve(static_cast<std::size_t>(from.request.ranks));
  for (from.request.rank = 0; from.request.rank < from.request.ranks; ++from.request.rank) {
    family.push_back(from.algorithm->generate(from.request));
  }
  return family;
}

Result<Plan> planFrom(const FamilyOptions& options, Rank rank) {
  const auto outside = [&](Rank ranks) {
    return makeError(ErrorCode::invalidArgument, "--rank {}: there are {} ranks", rank, ranks);
  };
  if (!options.file.empty()) {
    ATOLL_ASSIGN(std::vector<Plan> family, familyFromFile(options));
    if (static_cast<std::size_t>(rank) >= family.size()) return outside(static_cast<Rank>(family.size()));
    return std::move(family[static_cast<std::size_t>(rank)]);
  }
  ATOLL_ASSIGN(Request from, requestFrom(options));
  if (rank >= from.request.ranks) return outside(from.request.ranks);
  from.request.rank = rank;
  return from.algorithm->generate(from.request);
}

Status writeFile(const std::string& path, std::string_view content) {
  const bool standard = path == "-";
  std::FILE* file = standard ? stdout : std::fopen(path.c_str(), "wb");
  if (!file) return systemError(errno, fmt::format("cannot write {}", path));
  const bool written = std::fwrite(content.data(), 1, content.size(), file) == content.size();
  const bool closed = (standard ? std::fflush(file) : std::fclose(file)) == 0;
  if (!written || !closed)
    return systemError(errno, fmt::format("cannot write {}", standard ? "standard output" : path));
  return success();
}

}  // namespace atl::tools
