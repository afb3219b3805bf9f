// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/stream_request.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace atl {
namespace {

using Ports = std::vector<std::uint16_t>;

/// The order in which the ports of a process with so many rails are tried.
Ports triedBy(std::uint16_t lane, std::uint16_t index, std::uint16_t rails,
              Switchboard::Via via = Switchboard::Via::tcp) {
  ProcessInfo process;
  process.localName = "somewhere";
  for (const std::uint16_t port : {1, 2, 3, 4}) process.addresses.push_back({{}, port, 0});
  process.rails = rails;
  Ports ports;
  for (const auto& endpoint : endpointsFor({7, 0, 1, lane, index}, process, via)) {
    ports.push_back(endpoint.address.port);
  }
  return ports;
}

TEST(StreamEndpoints, StreamsOfALink_BeginOnDifferentRails) {
  EXPECT_EQ(triedBy(0, 0, 3), (Ports{1, 2, 3, 4}));
  EXPECT_EQ(triedBy(0, 1, 3), (Ports{2, 3, 1, 4}));
  EXPECT_EQ(triedBy(0, 2, 3), (Ports{3, 1, 2, 4}));
  EXPECT_EQ(triedBy(0, 3, 3), (Ports{1, 2, 3, 4}));
}

TEST(StreamEndpoints, Lanes_BeginOnDifferentRails) {
  EXPECT_EQ(triedBy(1, 0, 3), (Ports{2, 3, 1, 4}));
}

TEST(StreamEndpoints, OneRail_LeavesTheOrder) {
  EXPECT_EQ(triedBy(1, 1, 1), (Ports{1, 2, 3, 4}));
}

TEST(StreamEndpoints, MoreRailsThanAddresses_AreNotBelieved) {
  EXPECT_EQ(triedBy(1, 1, 5), (Ports{1, 2, 3, 4}));
}

TEST(StreamEndpoints, LocalStream_HasOneEndpoint) {
  EXPECT_EQ(triedBy(1, 1, 3, Switchboard::Via::local).size(), 1U);
}

}  // namespace
}  // namespace atl
