// SPDX-License-Identifier: Apache-2.0
// A section of a composed plan: a plan of the catalogue, made for a few ranks and a payload of its own, and where all
// of that is in the composed plan.
//
// A block of the section's payload is a region of the whole one. A chunk that is not one run there becomes several
// steps of the same round, a chunk of nothing none; as both ends of a message cut it by the payload alone, they cut it
// alike.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "src/plan/builder.h"
#include "src/plan/composition/region.h"

namespace atl::plan {

/// Where a region of the payload is kept. In input and output every part has a place of its own; in scratch the parts
/// of `region` follow each other from `slot` on.
struct Place {
  Buffer buffer = Buffer::output;
  Region region;          ///< scratch only
  std::int64_t slot = 0;  ///< scratch only

  static Place input() { return {Buffer::input, {}, 0}; }
  static Place output() { return {Buffer::output, {}, 0}; }

  /// Whether what is written here may overwrite what is there.
  [[nodiscard]] bool overlaps(const Place& other) const { return buffer == other.buffer && slot == other.slot; }
};

struct Section {
  Plan plan;
  std::vector<Rank> ranks;      ///< by rank of `plan`
  std::vector<Region> blocks;   ///< by block of its payload
  Place source;                 ///< of the plan's input
  Place target;                 ///< of its output
  std::optional<Place> copied;  ///< where its input is copied to the source from before it begins
  std::int64_t scratch = 0;     ///< first slot of its own scratch
  bool finishes = false;        ///< its reductions are the last

  /// Parts of the whole payload that the largest part is, of `parts` in which the section's plan cuts its own.
  [[nodiscard]] std::int64_t largestPart(std::int32_t parts) const;
  /// Slots that the plan's own scratch takes.
  [[nodiscard]] std::int64_t scratchSlots() const;
  /// What this rank's input is.
  [[nodiscard]] Region inputRegion() const;
};

/// Whether the plan keeps every part's name: a section's chunks cannot be found by their names otherwise.
bool keepsNames(const Plan& plan);

/// Adds one lane's rounds to the open lane of the builder. `parts` is the cut of the whole payload.
void write(PlanBuilder& builder, const Section& section, std::int32_t lane, std::int64_t parts);

}  // namespace atl::plan
