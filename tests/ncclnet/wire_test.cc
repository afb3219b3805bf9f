// SPDX-License-Identifier: Apache-2.0
// What is made of what comes over wires: of links over a plug-in, and of Atoll's own plug-in.
#include "transports/ncclnet/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "integrations/nccl-net/wire.h"

namespace atl {
namespace {

using testing::HasSubstr;

TEST(NcclNetGreeting, TheSmallerBlockIsAgreed) {
  const auto small = ncclnet::greetingOf("Fabric", 100'000);
  const auto large = ncclnet::greetingOf("Fabric", std::size_t{1} << 40);
  EXPECT_EQ(*ncclnet::agreedBlock(small, large), 100'000U);
  EXPECT_EQ(*ncclnet::agreedBlock(large, small), 100'000U);
  EXPECT_EQ(*ncclnet::agreedBlock(large, large), ncclnet::kBlockBytes);
}

TEST(NcclNetGreeting, AnythingElseIsRefusedWithWhatItIs) {
  const auto mine = ncclnet::greetingOf("Fabric", 1 << 20);
  auto theirs = mine;
  theirs.magic = 0x20544547;
  EXPECT_THAT(ncclnet::agreedBlock(theirs, mine).error().text, HasSubstr("(0x20544547)"));
  theirs = mine;
  theirs.version = 9;
  EXPECT_THAT(ncclnet::agreedBlock(theirs, mine).error().text, HasSubstr("version 9"));
  theirs = mine;
  theirs.blockBytes = 17;
  EXPECT_THAT(ncclnet::agreedBlock(theirs, mine).error().text, HasSubstr("blocks of 17 bytes"));
  theirs.blockBytes = std::uint64_t{1} << 60;
  EXPECT_FALSE(ncclnet::agreedBlock(theirs, mine).ok());
  EXPECT_THAT(ncclnet::agreedBlock(ncclnet::greetingOf("Other", 1 << 20), mine).error().text,
              HasSubstr("the peer's network plug-in is 'Other', this process's is 'Fabric'"));
  const std::string longName(100, 'x');
  EXPECT_TRUE(
      ncclnet::agreedBlock(ncclnet::greetingOf(longName, 1 << 20), ncclnet::greetingOf(longName, 1 << 20)).ok());
}

TEST(NcclNetHeader, MustBeOfTheMessageThatIsExpectedAndAsLongAsItSays) {
  ncclnet::Header header;
  header.message = 4;
  header.bytes = 100;
  const ncclnet::Expectation expected{0, 1, 4, 100, {}};
  EXPECT_TRUE(ncclnet::check(header, sizeof header + 100, expected).ok());
  EXPECT_THAT(ncclnet::check(header, sizeof header + 99, expected).error().text,
              HasSubstr("99 bytes behind the header"));
  EXPECT_FALSE(ncclnet::check(header, 8, expected).ok());
  auto other = header;
  other.message = 5;
  EXPECT_THAT(ncclnet::check(other, sizeof header + 100, expected).error().text, HasSubstr("message 5"));
  other = header;
  other.bytes = 7;
  EXPECT_EQ(ncclnet::check(other, sizeof header + 7, expected).error().code, ErrorCode::mismatch);
  header.bytes = 1 << 20;
  EXPECT_TRUE(ncclnet::check(header, sizeof header, {0, 1, 4, 1 << 20, {}}).ok());
  EXPECT_FALSE(ncclnet::check(header, sizeof header + 1, {0, 1, 4, 1 << 20, {}}).ok());
}

ProcessInfo receiver() {
  ProcessInfo process;
  process.host = 77;
  process.pid = 4711;
  NetAddress address;
  address.ip[10] = address.ip[11] = 0xff;
  address.ip[12] = 10;
  address.ip[15] = 1;
  address.port = 4000;
  process.addresses = {address, address, address};
  return process;
}

TEST(NetPluginHandle, SaysWhereTheReceiverIs) {
  Secret secret{};
  secret[5] = 9;
  const auto handle = netplugin::handleOf(receiver(), 12, "tcp", 99, secret);
  const auto told = netplugin::receiverOf(handle, "tcp");
  ASSERT_TRUE(told.ok()) << told.error().text;
  EXPECT_EQ(told->host, 77U);
  EXPECT_EQ(told->pid, 4711);
  EXPECT_EQ(told->addresses.size(), netplugin::Handle::kMostAddresses);
  EXPECT_EQ(told->addresses[0], receiver().addresses[0]);
  EXPECT_EQ(told->hostName, "10.0.0.1:4000");
  EXPECT_FALSE(told->localName.empty());
  EXPECT_EQ(handle.connection, 99U);
  EXPECT_EQ(handle.secret, secret);
  EXPECT_EQ(handle.attempt, 0U);
}

TEST(NetPluginHandle, AnythingElseIsRefusedWithWhatItIs) {
  const auto good = netplugin::handleOf(receiver(), 12, "tcp", 99, {});
  const auto refusal = [](const netplugin::Handle& handle) {
    const auto told = netplugin::receiverOf(handle, "tcp");
    return told.ok() ? "none" : told.error().text;
  };
  auto handle = good;
  handle.magic = 1;
  EXPECT_THAT(refusal(handle), HasSubstr("none of this plug-in's"));
  handle = good;
  handle.version = 3;
  EXPECT_THAT(refusal(handle), HasSubstr("version 3"));
  handle = good;
  handle.transport = 200;
  EXPECT_THAT(refusal(handle), HasSubstr("transport number 200"));
  for (const int addresses : {0, 3, 255}) {
    handle = good;
    handle.addressCount = static_cast<std::uint8_t>(addresses);
    EXPECT_THAT(refusal(handle), HasSubstr(std::to_string(addresses) + " addresses"));
  }
  EXPECT_THAT(refusal(netplugin::handleOf(receiver(), 12, "rdma", 99, {})),
              HasSubstr("the receiver listens by rdma, this process sends by tcp: set ATOLL_NCCL_NET_TRANSPORT"));
}

TEST(NetPluginHeader, MustFitTheReceive) {
  netplugin::Header header;
  header.bytes = 10;
  header.tag = 3;
  EXPECT_TRUE(netplugin::check(header, 10, 3).ok());
  EXPECT_EQ(netplugin::check(header, 9, 3).error().code, ErrorCode::invalidUsage);
  EXPECT_THAT(netplugin::check(header, 10, 4).error().text, HasSubstr("tag 3 came where one with tag 4"));
  header.magic = 0;
  EXPECT_EQ(netplugin::check(header, 10, 3).error().code, ErrorCode::remoteError);
}

}  // namespace
}  // namespace atl
