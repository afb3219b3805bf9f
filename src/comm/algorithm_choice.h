// SPDX-License-Identifier: Apache-2.0
// What a communicator says of the algorithm that a call would run.
#pragma once

#include <string>

#include "src/plan/chooser.h"

namespace atl {

/// Which algorithm runs a call, and who says so.
struct AlgorithmChoice {
  std::string algorithm;
  plan::Decision::By by = plan::Decision::By::model;
  double seconds = 0;     ///< measured where a table decides, else predicted; 0 for a plan of the user's own
  std::string ofModel;    ///< what the cost model would take; empty where the user forces or brings a plan
  plan::TuningSite site;  ///< what a table's rows have to be for
};

}  // namespace atl
