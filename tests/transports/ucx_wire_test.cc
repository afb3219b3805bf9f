// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/transports/message_traffic.h"
#include "transports/link.h"
#include "transports/piece_list.h"
#include "transports/ucx/wire.h"

namespace atl::ucx {
namespace {

using testing::HasSubstr;

TEST(UcxGreeting, IsCheckedInEveryField) {
  Greeting good;
  good.addressBytes = 100;
  EXPECT_TRUE(check(good).ok());
  Greeting bad = good;
  bad.magic = 0;
  EXPECT_THAT(check(bad).error().text, HasSubstr("not those of a UCX link"));
  bad = good;
  bad.version = 9;
  EXPECT_THAT(check(bad).error().text, HasSubstr("version 9"));
  for (const std::uint32_t size : {0U, kMostAddressBytes + 1}) {
    bad = good;
    bad.addressBytes = size;
    EXPECT_EQ(check(bad).error().code, ErrorCode::remoteError);
  }
}

class UcxFragment : public testing::Test {
 protected:
  UcxFragment() {
    header_.message = expected_.message = 3;
    header_.messageBytes = expected_.messageBytes = 1000;
    header_.bytes = 1000;
    header_.call = expected_.call = test::callNumber(4);
  }
  FragmentHeader header_;
  Expectation expected_{0, 1, 0, 0, 0, {}};
};

TEST_F(UcxFragment, OfTheExpectedMessageIsTaken) {
  EXPECT_TRUE(check(header_, expected_).ok());
  header_.at = expected_.at = 600;
  header_.bytes = 400;
  header_.call = {};  // counts only where a message begins
  EXPECT_TRUE(check(header_, expected_).ok());
}

TEST_F(UcxFragment, ThatReachesBeyondItsMessageIsAProtocolError) {
  header_.at = expected_.at = 600;
  header_.bytes = 401;
  EXPECT_THAT(check(header_, expected_).error().text, HasSubstr("protocol"));
  header_.bytes = ~std::uint64_t{0};
  EXPECT_THAT(check(header_, expected_).error().text, HasSubstr("protocol"));
}

TEST_F(UcxFragment, OfNoBytesIsTakenOnlyForAnEmptyMessage) {
  header_.bytes = 0;
  EXPECT_FALSE(check(header_, expected_).ok());
  header_.messageBytes = expected_.messageBytes = 0;
  EXPECT_TRUE(check(header_, expected_).ok());
}

TEST_F(UcxFragment, OutOfPlaceIsAProtocolError) {
  header_.at = 8;
  EXPECT_THAT(check(header_, expected_).error().text, HasSubstr("byte 8 of message 3 came where byte 0"));
  header_.at = 0;
  header_.message = 4;
  EXPECT_EQ(check(header_, expected_).error().code, ErrorCode::remoteError);
}

TEST_F(UcxFragment, OfAnotherCallOrSizeIsAMismatch) {
  header_.call = test::callNumber(5);
  EXPECT_EQ(check(header_, expected_).error().code, ErrorCode::mismatch);
  header_.call = {};  // unchecked
  EXPECT_TRUE(check(header_, expected_).ok());
  header_.messageBytes = 2000;
  EXPECT_EQ(check(header_, expected_).error().code, ErrorCode::mismatch);
}

TEST(UcxPieceList, PassesOverPiecesOfNoBytesButNotEmptyMessages) {
  PieceList<SendPiece> list;
  std::vector<SendPiece> pieces(4);
  pieces[0].first = true;  // begins a message of 5 bytes, with none of them
  pieces[0].messageBytes = 5;
  pieces[1].bytes = 5;
  pieces[2].first = true;  // a message of none
  pieces[3].first = true;
  pieces[3].bytes = pieces[3].messageBytes = 1;
  for (auto& piece : pieces) list.push(piece);
  EXPECT_EQ(list.current(), &pieces[1]);
  EXPECT_EQ(list.message(), 1U);
  list.advance(5);
  EXPECT_EQ(list.current(), &pieces[2]);
  EXPECT_EQ(list.message(), 2U);
  list.advance(0);
  EXPECT_EQ(list.current(), &pieces[3]);
  list.advance(1);
  EXPECT_EQ(list.current(), nullptr);
  EXPECT_EQ(list.through(), &pieces[0]);
  EXPECT_FALSE(list.endsMessage());
  list.retire();
  EXPECT_TRUE(pieces[0].done);
  EXPECT_EQ(list.through(), nullptr);
}

}  // namespace
}  // namespace atl::ucx
