// SPDX-License-Identifier: Apache-2.0
// Whatever bytes come as a plan file: reading, proving and showing them must end soon, and without a fault.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/plan/serialize.h"
#include "src/plan/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto family = atl::plan::fromJson(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!family.ok()) return 0;

  // What was read is written so that it reads the same again.
  const auto again = atl::plan::fromJson(atl::plan::toJson(*family));
  if (!again.ok() || *again != *family) std::abort();

  atl::plan::VerifyOptions options;
  options.maxWork = 1 << 16;
  options.maxMemoryBytes = 1 << 24;
  const auto proof = atl::plan::verify(*family, options);
  options.unequalBlocks = true;
  if (!proof.ok() && atl::plan::verify(*family, options).ok()) std::abort();  // the stricter proof cannot hold alone

  bool safe = true;
  for (const atl::Plan& plan : *family) {
    if (plan.lanes.size() > 4) return 0;  // tables over lanes are what would take long
    safe = atl::plan::safeInPlace(plan) && safe;
    if (atl::plan::toText(plan).empty()) std::abort();
  }
  options.unequalBlocks = false;
  options.inPlace = true;
  if (proof.ok() && atl::plan::verify(*family, options).ok() != safe) std::abort();
  if (atl::plan::toSvg(*family).empty()) std::abort();
  return 0;
}
