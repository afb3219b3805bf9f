// SPDX-License-Identifier: Apache-2.0
// A peer that is late must not keep a rank from serving the very peer that it waits for.
#include <gtest/gtest.h>

#include "tests/processes/worker_job.h"

namespace atl::test {
namespace {

class LatePeer : public testing::TestWithParam<const char*> {};

TEST_P(LatePeer, HoldsEverySlot_OthersAreServedAllTheSame) {
  const auto result =
      underAtoll(3, {LATE_PEER_WORKER, GetParam()}, {"ATOLL_TRANSPORT=shm", "ATOLL_SLOTS=2", "ATOLL_TIMEOUT=60"});
  expectAllOk(result, 3);
}

// One that is written out flat, and one that is not; each fits one slot.
INSTANTIATE_TEST_SUITE_P(Sizes, LatePeer, testing::Values("8192", "65536"),
                         [](const auto& size) { return std::string(size.param) + "Bytes"; });

}  // namespace
}  // namespace atl::test
