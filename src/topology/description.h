// SPDX-License-Identifier: Apache-2.0
// A topology file, docs/topology.md: what it says, and reading and writing it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/plan/hierarchy.h"
#include "src/topology/level.h"
#include "src/topology/topology.h"

namespace atl {

/// What a file says.
struct TopologyDescription {
  std::string name;
  std::string note;                  ///< for people
  std::vector<std::string> sources;  ///< where its facts come from
  std::vector<Level> levels;         ///< inner to outer
  Topology::Labels labels;
  /// Absent where the file says only what joins the islands, and each job has islands of its own.
  std::optional<plan::Hierarchy> shape;

  /// Errors name the source, line, column and field, the value found and what is allowed.
  static Result<TopologyDescription> fromYaml(std::string_view text, std::string_view source);

  /// What describes a topology again.
  static TopologyDescription of(const Topology& topology);

  /// Reads the same again.
  [[nodiscard]] std::string toYaml() const;

  /// The topology, where the file says how many members there are.
  [[nodiscard]] std::optional<Topology> topology() const;

  friend bool operator==(const TopologyDescription&, const TopologyDescription&) = default;
};

struct TopologyFile {
  std::string path;
  std::uint64_t hash = 0;  ///< of the file's text; never 0
  TopologyDescription description;
};

/// Errors name the file, and line and field in it.
Result<TopologyFile> readTopologyFile(const std::string& path);

/// The same, once in a process for each path, so that all communicators of a process go by the same content. An error
/// is not kept. From any thread.
Result<std::shared_ptr<const TopologyFile>> topologyFileAt(const std::string& path);

}  // namespace atl
