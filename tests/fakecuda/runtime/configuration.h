// SPDX-License-Identifier: Apache-2.0
// The machine that is made up.
#pragma once

#include "tests/fakecuda/fakecuda.h"

namespace fakecuda {

/// The machine as it is since the start or the last reset.
const Configuration& configuration();

/// Counts resets, so that a thread knows that what it remembers is of an earlier life.
unsigned long long generation();

/// A device's number on the machine, whatever the process sees of it.
int physicalNumber(int device);

/// The number by which this process knows a device of the machine, -1 when it does not see it.
int visibleNumber(int physical);

/// Can two devices, by their numbers on the machine, reach each other's memory?
bool peersByMachine(int physical, int otherPhysical);

/// Does peer access between two devices, by their numbers on the machine, lose what is stored?
bool corruptsByMachine(int physical, int otherPhysical);

}  // namespace fakecuda
