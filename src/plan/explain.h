// SPDX-License-Identifier: Apache-2.0
// Why an algorithm was chosen, for people: what ATOLL_DEBUG=plan prints.
#pragma once

#include <string>

#include "src/plan/chooser.h"

namespace atl::plan {

/// "allreduce 1 MiB on 8 ranks: two-shot 212 µs (2 rounds 10 µs, …); then ring 388 µs, …", or with a table "allreduce
/// 1 MiB on 8 ranks: two-shot 198 µs, measured at 1 MiB on 8 ranks on 1 host over shm; then ring …; the cost model
/// would take ring". In islands what each level takes is said, and which takes longest.
std::string explain(const Choice& choice, const Decision& decision, const SiteModel& site);

}  // namespace atl::plan
