// SPDX-License-Identifier: Apache-2.0
// In place of the bootstrap's rendezvous: gives ids that can be told apart, and remembers what it was asked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/bootstrap/session.h"

namespace atl::test {

struct AddressRequest {
  std::string hostPort;
  std::string secretText;
  bool host = false;
};

/// What rendezvousAt was asked so far.
std::vector<AddressRequest>& addressRequests();

/// Set: the next openRendezvous gives this error.
std::optional<Error>& nextOpenFails();

/// An id whose bytes are made from a number.
UniqueId idNumber(unsigned number);

}  // namespace atl::test
