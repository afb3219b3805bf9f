// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/reduction.h"

#include <array>

namespace atl::perf {
namespace {
constexpr std::array<std::string_view, kReductions> kNames = {"sum", "prod", "max", "min", "avg", "mulsum"};
}  // namespace

std::string_view nameOf(Reduction reduction) {
  return kNames.at(static_cast<std::size_t>(reduction));
}

std::optional<Reduction> reductionNamed(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Reduction>(i);
  }
  return std::nullopt;
}

}  // namespace atl::perf
