// SPDX-License-Identifier: Apache-2.0
// Which rank goes on which host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/base/types.h"

namespace atl::launch {

/// A host and the ranks that live there, which are consecutive: [first, first + count).
struct HostShare {
  std::string host;
  Rank first = 0;
  Rank count = 0;
};

/// Places `ranks` ranks by a list such as "n1:4,n2:4,n3". A host takes as many as its number says, in the order of the
/// list; hosts without a number share evenly what the numbered ones leave. An IPv6 address goes in brackets. Hosts left
/// without ranks are dropped. `ranks` 0: as many as the numbers say, one for a host without. An empty list is this
/// host.
Result<std::vector<HostShare>> placeRanks(std::string_view hostList, Rank ranks);

/// True for names of this machine: localhost, a loopback address, or what gethostname says.
bool isThisHost(std::string_view host);

/// What gethostname says.
std::string thisHost();

}  // namespace atl::launch
