// SPDX-License-Identifier: Apache-2.0
// The reductions that a program can measure, by the names of its -o option.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace atl::perf {

/// The built-in operators with the values of atollRedOp_t, and mulsum: a sum of contributions that the library scales
/// by a factor of each rank's own (an operator made with atollRedOpCreatePreMulSum).
enum class Reduction : std::uint8_t { sum = 0, prod = 1, max = 2, min = 3, avg = 4, mulsum = 5 };
inline constexpr int kReductions = 6;

std::string_view nameOf(Reduction reduction);
std::optional<Reduction> reductionNamed(std::string_view name);

}  // namespace atl::perf
