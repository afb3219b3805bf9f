// SPDX-License-Identifier: Apache-2.0
// Memory links as a communicator makes them: over a session's directory, with streams from the real
// switchboard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <variant>

#include "tests/support/rank_pair.h"
#include "tests/transports/memory_link_conformance.h"

namespace atl {
namespace {

/// Few and small bounce slots, so that they are used over and over.
Settings onlyBy(const char* transport) {
  Settings settings;
  settings.transports = transport;
  settings.timeoutSeconds = 30;
  settings.slotBytes = 4096;
  settings.slots = 4;
  return settings;
}

class MemoryTransports : public testing::TestWithParam<const char*> {};

TEST_P(MemoryTransports, LinkOfEachLaneCarriesMessages) {
  test::RankPair ranks(onlyBy(GetParam()));
  std::array<test::LinkedPair, 3> lanes;  // a rank has one outbox, so each lane's links stay while another is used
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    auto ends = ranks.join(static_cast<int>(lane));
    ASSERT_TRUE(ends.ok()) << ends.error().text;
    lanes[lane] = {std::get<MemoryLink>(std::move(ends->first)), std::get<MemoryLink>(std::move(ends->second)),
                   &ranks.outbox(0), &ranks.outbox(1)};
    test::carriesMixedMessages(lanes[lane], 500);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, MemoryTransports, testing::Values("inproc", "shm"));

}  // namespace
}  // namespace atl
