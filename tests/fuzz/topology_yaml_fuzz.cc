// SPDX-License-Identifier: Apache-2.0
// Whatever bytes come as a topology file: reading it must end soon and without a fault, and what was read is sound.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/topology/description.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto description =
      atl::TopologyDescription::fromYaml(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!description.ok()) {
    if (!description.error().text.starts_with("fuzz")) std::abort();  // every error names the file
    return 0;
  }
  // Sizes that take memory, not thought.
  if (description->shape && description->shape->ranks() > 1 << 16) return 0;

  const auto again = atl::TopologyDescription::fromYaml(description->toYaml(), "again");
  if (!again.ok() || *again != *description) std::abort();

  const auto topology = description->topology();
  if (topology.has_value() != description->shape.has_value()) std::abort();
  if (!topology) return 0;
  const auto& tree = topology->hierarchy();
  for (int l = 0; l < tree.levels(); ++l) {
    for (const atl::Rank r : {atl::Rank{0}, tree.ranks() / 2, tree.ranks() - 1}) {
      const auto ranks = tree.ranksOf(l, tree.groupOf(l, r));
      if (ranks[tree.indexIn(l, r)] != r) std::abort();
      if (topology->latency(0, r) < 0) std::abort();
    }
    if (topology->rateOfEach(l) < 0) std::abort();
  }
  if (topology->joiningLevels().ranks() != topology->ranks()) std::abort();
  return 0;
}
