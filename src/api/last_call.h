// SPDX-License-Identifier: Apache-2.0
// A collective as its caller made it, kept so that the same call, made again, is known to be a right one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "atoll/atoll.h"
#include "src/base/types.h"

namespace atl::api {

/// What the collectives with equal counts are called with. What a collective does not have is as it is here.
struct CollectiveArguments {
  Collective collective = Collective::barrier;
  const void* send = nullptr;
  void* recv = nullptr;
  std::size_t count = 0;
  atollDataType_t type = atollUint8;
  atollRedOp_t op = atollSum;
  int root = 0;
  friend bool operator==(const CollectiveArguments&, const CollectiveArguments&) = default;
};

/// The last collective that a communicator ran at once.
struct LastCall {
  CollectiveArguments arguments;
  std::uint64_t number = 0;  ///< Communicator::repeatable() after it
};

}  // namespace atl::api
