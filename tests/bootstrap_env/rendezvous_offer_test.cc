// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/rendezvous_offer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bootstrap_env/fake_rendezvous.h"

namespace atl {
namespace {

TEST(RendezvousOffer, Id_ComesBackTheSame) {
  const UniqueId id = test::idNumber(5);
  const auto back = decodeOffer(encodeOffer(id));
  ASSERT_TRUE(back.ok()) << back.error().text;
  EXPECT_EQ(*back, id);
}

TEST(RendezvousOffer, Error_ComesBackWithItsCodeAndText) {
  const auto back = decodeOffer(encodeOffer(makeError(ErrorCode::timeout, "nothing came")));
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, ErrorCode::timeout);
  EXPECT_THAT(back.error().text, testing::HasSubstr("nothing came"));
}

TEST(RendezvousOffer, LongError_IsCutToFit) {
  const auto text = encodeOffer(makeError(ErrorCode::systemError, "{}", std::string(5000, 'x')));
  EXPECT_LE(text.size(), kMaxOfferBytes);
  EXPECT_FALSE(decodeOffer(text).ok());
}

TEST(RendezvousOffer, HasNoSpaceOrLineEnd) {
  EXPECT_EQ(encodeOffer(makeError(ErrorCode::systemError, "two words\n")).find_first_of(" \n"), std::string::npos);
}

TEST(RendezvousOffer, WrongTexts_AreRefused) {
  const std::string good = encodeOffer(test::idNumber(5));
  for (const std::string& text : {std::string(), std::string("i"), good.substr(1), good + "0", std::string("e"),
                                  std::string("e0"), std::string("ezz"), std::string("x00")}) {
    EXPECT_FALSE(decodeOffer(text).ok()) << text;
  }
  std::string broken = good;
  broken[7] = 'g';
  EXPECT_FALSE(decodeOffer(broken).ok());
}

TEST(RendezvousOffer, UnknownErrorCode_IsStillAnError) {
  const auto back = decodeOffer("eff41");
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, ErrorCode::remoteError);
}

}  // namespace
}  // namespace atl
