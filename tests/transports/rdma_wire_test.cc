// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transports/message_traffic.h"
#include "transports/rdma/wire.h"

namespace atl::rdma {
namespace {

using testing::HasSubstr;

TEST(RdmaGreeting, IsCheckedInEveryField) {
  Greeting good;
  good.paths = 2;
  EXPECT_TRUE(check(good).ok());
  Greeting bad = good;
  bad.magic = 0;
  EXPECT_THAT(check(bad).error().text, HasSubstr("not those of an RDMA link"));
  bad = good;
  bad.version = 9;
  EXPECT_THAT(check(bad).error().text, HasSubstr("version 9"));
  for (const std::size_t paths : {std::size_t{0}, kMostPaths + 1}) {
    bad = good;
    bad.paths = static_cast<std::uint16_t>(paths);
    EXPECT_THAT(check(bad).error().text, HasSubstr("queue pairs"));
  }
}

TEST(RdmaWord, IsCheckedInEveryField) {
  Word good;
  good.path = 1;
  good.offer.queuePair = 17;
  good.offer.mtu = 3;
  EXPECT_TRUE(check(good, 2).ok());
  const auto refused = [&](auto change) {
    Word bad = good;
    change(bad);
    const auto status = check(bad, 2);
    return !status.ok() && status.error().code == ErrorCode::remoteError;
  };
  EXPECT_TRUE(refused([](Word& word) { word.path = 2; }));
  EXPECT_TRUE(refused([](Word& word) { word.kind = static_cast<Word::Kind>(0); }));
  EXPECT_TRUE(refused([](Word& word) { word.kind = static_cast<Word::Kind>(7); }));
  EXPECT_TRUE(refused([](Word& word) { word.offer.queuePair = 1 << 24; }));
  EXPECT_TRUE(refused([](Word& word) { word.offer.packetNumber = 1 << 24; }));
  EXPECT_TRUE(refused([](Word& word) { word.offer.mtu = 0; }));
  EXPECT_TRUE(refused([](Word& word) { word.offer.mtu = 6; }));
  EXPECT_TRUE(refused([](Word& word) { word.offer.ethernet = 2; }));
  EXPECT_TRUE(refused([](Word& word) { word.offer.device = kMostDevices; }));
  good.kind = Word::Kind::lost;
  good.offer = {};
  EXPECT_TRUE(check(good, 2).ok());
}

TEST(RdmaWord, CarriesTheKeyOfAGrant) {
  const Word word = wordOf({1'000'000'000'000, kMostDevices - 1, 0xffffffff});
  EXPECT_TRUE(check(word, 2).ok());
  EXPECT_EQ(keyIn(word).grant, 1'000'000'000'000U);
  EXPECT_EQ(keyIn(word).device, kMostDevices - 1);
  EXPECT_EQ(keyIn(word).key, 0xffffffffU);
  EXPECT_FALSE(check(wordOf({1, kMostDevices, 1}), 2).ok());
}

TEST(RdmaArrival, GoesThroughAnImmediateAndBack) {
  for (const std::uint64_t grant : {0U, 5U, 7U}) {
    for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, kChunkBytes, kMostGrantBytes}) {
      const Arrival back = arrivalOf(immediateOf({grant + 3 * kGrants, bytes}));
      EXPECT_EQ(back.grant, grant % kGrants);
      EXPECT_EQ(back.bytes, bytes);
    }
  }
}

class RdmaFragment : public testing::Test {
 protected:
  RdmaFragment() {
    note_.message = expected_.message = 3;
    note_.messageBytes = expected_.messageBytes = 1000;
    note_.header.bytes = sizeof note_ + 1000;
    note_.call = expected_.call = test::callNumber(4);
  }
  Status judged() { return check(note_, expected_); }
  FragmentNote note_;
  Expectation expected_{0, 1, 0, 0, 0, {}};
};

TEST_F(RdmaFragment, OfTheExpectedMessageIsTaken) {
  EXPECT_TRUE(judged().ok());
  note_.at = expected_.at = 600;
  note_.header.bytes = sizeof note_ + 400;
  note_.call = {};  // counts only where a message begins
  EXPECT_TRUE(judged().ok());
}

TEST_F(RdmaFragment, ThatReachesBeyondItsMessageIsAProtocolError) {
  note_.at = expected_.at = 600;
  note_.header.bytes = sizeof note_ + 401;
  EXPECT_THAT(judged().error().text, HasSubstr("protocol"));
}

TEST_F(RdmaFragment, WithoutPayloadIsAProtocolErrorInASmallMessage) {
  note_.header.bytes = sizeof note_;
  EXPECT_THAT(judged().error().text, HasSubstr("protocol"));
}

TEST_F(RdmaFragment, AnnouncesALargeMessageAndHasNoPayloadThen) {
  note_.messageBytes = expected_.messageBytes = kMostEager + 1;
  EXPECT_THAT(judged().error().text, HasSubstr("protocol"));
  note_.header.bytes = sizeof note_;
  EXPECT_TRUE(judged().ok());
}

TEST_F(RdmaFragment, ElsewhereIsAProtocolError) {
  note_.message = 4;
  EXPECT_THAT(judged().error().text, HasSubstr("byte 0 of message 4 came where byte 0 of message 3 should be"));
}

TEST_F(RdmaFragment, OfAnotherCallOrSizeIsAMismatch) {
  note_.call = test::callNumber(5);
  EXPECT_EQ(judged().error().code, ErrorCode::mismatch);
  note_.call = expected_.call;
  note_.messageBytes = 999;
  EXPECT_EQ(judged().error().code, ErrorCode::mismatch);
  EXPECT_THAT(judged().error().text, HasSubstr("rank 1 sent a message of 999 bytes where rank 0 expects 1000"));
}

}  // namespace
}  // namespace atl::rdma
