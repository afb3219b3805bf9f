// SPDX-License-Identifier: Apache-2.0
#include "src/plan/plan.h"

#include "src/base/hash.h"

namespace atl {

std::uint64_t generatedFamilyHash(const Plan& plan) {
  std::uint64_t hash = hashText(plan.algorithm, static_cast<std::uint64_t>(plan.version));
  hash = hashCombine(hash, plan.collective);
  hash = hashCombine(hash, plan.ranks);
  hash = hashCombine(hash, plan.root);
  return hashCombine(hash, plan.shares);
}

}  // namespace atl
