// SPDX-License-Identifier: Apache-2.0
// Which CPUs of a host a process may run on, as few numbers.
#pragma once

#include <cstdint>
#include <vector>

namespace atl {

/// CPUs `first` to `first` + `count` - 1.
struct CpuRange {
  std::uint16_t first = 0;
  std::uint16_t count = 0;
  friend bool operator==(const CpuRange&, const CpuRange&) = default;
};

/// Ascending, none next to another. Empty: not known.
using CpuList = std::vector<CpuRange>;

/// Number of CPUs in a list.
int countOf(const CpuList& cpus);

/// Whether all of `part` is in `whole`.
bool includes(const CpuList& whole, const CpuList& part);

CpuList unionOf(const CpuList& a, const CpuList& b);

}  // namespace atl
