// SPDX-License-Identifier: Apache-2.0
// Lists of numbers in topology files: members of unequal islands, and ranks in the order of their places.
#pragma once

#include <string>

#include "src/plan/hierarchy.h"
#include "src/topology/yaml_value.h"

namespace atl {

/// "8", or a list with a number for each island, in which "4 x 8" is four islands of 8.
Result<plan::Hierarchy::Members> readMembers(const YamlValue& value);
std::string membersText(const plan::Hierarchy::Members& members);

/// The rank at each of `ranks` places: "by-slot" (each at its own number's), "by-island" (dealt to the innermost
/// islands in turn), or a list in which "4-7" is 4, 5, 6, 7.
Result<std::vector<Rank>> readPlacement(const YamlValue& value, const plan::Hierarchy& inOrder);
std::string placementText(const plan::Hierarchy& hierarchy);

}  // namespace atl
