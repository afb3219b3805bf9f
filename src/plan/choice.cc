// SPDX-License-Identifier: Apache-2.0
#include "src/plan/choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace atl::plan {

bool canServe(const Algorithm& algorithm, const Choice& choice) {
  return algorithm.serves(choice.collective, choice.ranks, choice.ordered) &&
         (!choice.unequalBlocks || algorithm.servesUnequalBlocks(choice.collective));
}

std::string needsOf(const Choice& choice) {
  return fmt::format(" on {} rank{}{}{}", choice.ranks, choice.ranks == 1 ? "" : "s",
                     choice.ordered ? " in rank order (the operator does not commute)" : "",
                     choice.unequalBlocks ? " over unequal blocks" : "");
}

std::int32_t tilesFor(bool tileable, std::uint64_t payloadBytes, std::uint64_t tileBytes) {
  if (!tileable || tileBytes == 0 || payloadBytes <= tileBytes) return 1;
  const std::uint64_t tiles = (payloadBytes - 1) / tileBytes + 1;
  return static_cast<std::int32_t>(std::min<std::uint64_t>(tiles, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace atl::plan
