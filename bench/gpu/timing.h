// SPDX-License-Identifier: Apache-2.0
// Times on devices, beside what the memory allows.
#pragma once

namespace gpucheck {

/// Prints tables: copies on each device, all-reduces by size and ranks, launched one by one and replayed from a graph.
void printTimes(int devices);

}  // namespace gpucheck
