// SPDX-License-Identifier: Apache-2.0
// Counts the allocations of the program that links it.
#pragma once

namespace atl::test {

/// Counts from 0, in all threads, until stopped.
void startCountingAllocations();
/// Stops and gives the number.
long stopCountingAllocations();

}  // namespace atl::test
