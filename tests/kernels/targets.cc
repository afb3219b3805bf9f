// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/targets.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <set>
#include <string>

#include "kernels/host/kernels.h"

namespace atl::kernels::test {

void forEachTarget(const std::function<void()>& body) {
  hwy::SetSupportedTargetsForTest(0);
  std::set<std::string> seen;
  const std::int64_t every = hwy::SupportedTargets() | HWY_STATIC_TARGET;
  for (std::int64_t left = every; left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    // A set that is not compiled in falls back to one that is.
    if (seen.insert(targetName()).second) {
      SCOPED_TRACE(targetName());
      body();
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  EXPECT_FALSE(seen.empty());
}

}  // namespace atl::kernels::test
