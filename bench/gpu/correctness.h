// SPDX-License-Identifier: Apache-2.0
// Results of collectives on devices against what they must be.
#pragma once

namespace gpucheck {

/// Runs the cases for 1, 2, 3, 4 and 8 ranks (`quick`: 2 and 3) and prints a line for each; how many were wrong.
int checkResults(int devices, bool quick);

}  // namespace gpucheck
