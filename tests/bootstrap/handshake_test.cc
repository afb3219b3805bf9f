// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/handshake.h"

#include <gtest/gtest.h>

#include <array>
#include <span>

namespace atl {
namespace {

class Handshake : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(cryptoReady());
    fillRandom(secret_);
    hello_.group = 11;
    fillRandom(hello_.nonce);
  }
  Secret secret_{};
  Hello hello_;
  const StreamKey key_{1, 2, 3, 4, 5};
};

TEST_F(Handshake, BothEndsWithTheSecret_BelieveEachOther) {
  const auto challenge = decodeChallenge(encode(challengeFor(hello_, secret_)));
  ASSERT_TRUE(challenge.has_value());
  EXPECT_TRUE(proves(*challenge, hello_, secret_));
  const auto answer = decodeAnswer(encode(answerFor(*challenge, hello_, key_, secret_)));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->key, key_);
  EXPECT_TRUE(proves(*answer, *challenge, hello_, secret_));
}

TEST_F(Handshake, AnySingleBitChanged_ProvesNothing) {
  const auto challenge = challengeFor(hello_, secret_);
  const Bytes answer = encode(answerFor(challenge, hello_, key_, secret_));
  for (std::size_t byte = 0; byte < answer.size(); ++byte) {
    if (byte >= 20 && byte < 24) continue;  // reserved, not read
    Bytes changed = answer;
    changed[byte] ^= std::byte{1};
    const auto decoded = decodeAnswer(changed);
    EXPECT_FALSE(decoded && proves(*decoded, challenge, hello_, secret_)) << "byte " << byte;
  }
}

TEST_F(Handshake, AnswerToAnEarlierChallenge_ProvesNothing) {
  const auto earlier = challengeFor(hello_, secret_);
  const auto later = challengeFor(hello_, secret_);
  EXPECT_FALSE(proves(answerFor(earlier, hello_, key_, secret_), later, hello_, secret_));
}

TEST_F(Handshake, OtherSecret_ProvesNothing) {
  Secret other = secret_;
  other[31] ^= 0x80;
  EXPECT_FALSE(proves(challengeFor(hello_, other), hello_, secret_));
  const auto challenge = challengeFor(hello_, secret_);
  EXPECT_FALSE(proves(answerFor(challenge, hello_, key_, other), challenge, hello_, secret_));
}

TEST_F(Handshake, OtherBytes_AreNoGreeting) {
  EXPECT_FALSE(decodeHello(Bytes(kHelloBytes, std::byte{'G'})).has_value());
  Bytes swapped = encode(hello_);
  std::swap(swapped[8], swapped[9]);  // the mark of the byte order, as the other kind of machine writes it
  EXPECT_FALSE(decodeHello(swapped).has_value());
  EXPECT_FALSE(decodeHello(std::span(swapped).first(kHelloBytes - 1)).has_value());
}

TEST_F(Handshake, Sealed_OpensWithTheSameSecretOnly) {
  const std::array<std::uint8_t, 5> plain = {1, 2, 3, 4, 5};
  Bytes sealed = seal(plain, secret_);
  const auto opened = unseal(sealed, secret_);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->size(), plain.size());
  EXPECT_EQ(std::memcmp(opened->data(), plain.data(), plain.size()), 0);
  Secret other = secret_;
  other[0] ^= 1;
  EXPECT_FALSE(unseal(sealed, other).has_value());
  sealed.back() ^= std::byte{1};
  EXPECT_FALSE(unseal(sealed, secret_).has_value());
}

}  // namespace
}  // namespace atl
