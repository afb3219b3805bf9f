// SPDX-License-Identifier: Apache-2.0
// The collectives that there are programs for; each is described in a file of its name.
#pragma once

#include "bench/perf/collective.h"

namespace atl::perf {

const Collective& allReduce();
const Collective& allGather();
const Collective& broadcast();
const Collective& reduceScatter();
const Collective& reduce();
const Collective& allToAll();
const Collective& allToAllV();
const Collective& scatter();
const Collective& gather();
const Collective& sendRecv();
const Collective& hypercube();
const Collective& barrier();

}  // namespace atl::perf
