// SPDX-License-Identifier: Apache-2.0
// The plan's outside forms: JSON (docs/plan-format.md), text for people, and a drawing.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/plan/plan.h"

namespace atl::plan {

/// A whole family, one plan per rank, as one JSON document.
std::string toJson(std::span<const Plan> plans);

/// Reads such a document. Bounded and strict: an unknown key, a missing one, one that comes twice, a number out of
/// range or a document over 256 MiB is an error that names where ("plans[3].lanes[0].loops[1]: …"). The family hash is
/// computed from the content, so two documents that say anything different are different families. Does not verify:
/// call verify() before running it.
Result<std::vector<Plan>> fromJson(std::string_view text);

/// One rank's plan, a line per step: `recv-reduce  output[5/8] ← input[5/8] + rank 2`.
std::string toText(const Plan& plan);

/// A space-time diagram of the family: ranks down, rounds across, an arrow per message, a box per combine.
/// A complete, self-contained SVG document. Families of more than `maxRanks` ranks are drawn with the first ones only,
/// long programs with their first rounds only, and the drawing says so.
std::string toSvg(std::span<const Plan> plans, Rank maxRanks = 16);

}  // namespace atl::plan
