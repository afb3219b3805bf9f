// SPDX-License-Identifier: Apache-2.0
// `atoll plan verify`: proofs of one family, or of the whole catalogue, with a table of what was proved.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"
#include "tools/atoll/plan/family_options.h"

namespace atl::tools {

/// Proves one family and prints what was proved. The error is the verifier's.
Status verifyFamily(const std::vector<Plan>& family);

/// What of the catalogue to prove; empty names mean all.
struct SweepOptions {
  std::string collective;
  std::string algorithm;
  Rank maxRanks = 16;
};

/// Proves every algorithm × collective × ranks 1 … maxRanks, for several roots and one and two shares; prints a row for
/// each algorithm and collective. False if one was rejected (the row says why); an error if the options are wrong.
Result<bool> verifyCatalogue(const SweepOptions& options);

}  // namespace atl::tools
