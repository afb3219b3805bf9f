// SPDX-License-Identifier: Apache-2.0
// UCX, of which one call fails: the library's own functions behind a table that counts their calls, what they give out
// and what they are given back.
#pragma once

#include <string>
#include <vector>

#include "transports/ucx/api.h"

namespace atl::test {

/// As long as one lives, the transport uses its table. One at a time, and no longer than all that the transport makes.
class FailingUcx {
 public:
  /// `function`, by its name in the table, fails at its `which`-th call, as UCX lets it fail; empty: none does.
  FailingUcx(const std::string& function, int which);
  ~FailingUcx();
  FailingUcx(const FailingUcx&) = delete;
  FailingUcx& operator=(const FailingUcx&) = delete;

  /// Those that can fail.
  static std::vector<std::string> functions();

  /// How often it was called.
  [[nodiscard]] int calls() const;
  /// What UCX gave out and was not given back, by its names; empty when nothing is left.
  [[nodiscard]] std::string held() const;
};

}  // namespace atl::test
