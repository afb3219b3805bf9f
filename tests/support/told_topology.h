// SPDX-License-Identifier: Apache-2.0
// Topologies from the levels of a file.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>

#include "src/topology/description.h"

namespace atl::test {

/// Of the levels, and what else of a file's top follows them, as YAML in one line. Throws what is wrong with it.
inline Topology topologyOf(std::string_view levels, std::string_view more = "") {
  const auto read =
      TopologyDescription::fromYaml(fmt::format("{{atoll-topology: 1, name: T, levels: [{}]{}}}", levels, more), "t");
  if (!read.ok()) throw std::runtime_error(read.error().text);
  return *read->topology();
}

}  // namespace atl::test
