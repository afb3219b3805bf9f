// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>
#include <filesystem>
#include <vector>

#include "tests/transports/fake_switchboard.h"
#include "transports/shm/offer.h"

namespace atl::shm {
namespace {

using testing::HasSubstr;

class OfferTest : public testing::Test {
 protected:
  /// Sends as a peer that may say anything.
  void send(Offer offer, std::size_t descriptors) {
    const std::vector<int> fds(descriptors, 0);
    std::vector<std::byte> control(CMSG_SPACE(fds.size() * sizeof(int)));
    iovec bytes{&offer, sizeof offer};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
    ASSERT_EQ(::sendmsg(sockets_.lower.get(), &message, 0), static_cast<ssize_t>(sizeof offer));
  }
  void expectRefused(std::string_view reason) {
    const auto got = reader_.poll(sockets_.higher.get());
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().code, ErrorCode::remoteError);
    EXPECT_THAT(got.error().text, HasSubstr(reason));
  }

  test::SocketPair sockets_ = test::makeSocketPair(Switchboard::Via::local);
  OfferReader reader_;
};

Offer good() {
  Offer offer;
  offer.descriptors = 2;
  offer.regionBytes = 2560;
  offer.outboxBytes = 1 << 20;
  return offer;
}

TEST_F(OfferTest, ArrivesWithItsDescriptors) {
  EXPECT_FALSE(*reader_.poll(sockets_.higher.get()));
  const int descriptors[] = {0, 1};
  ASSERT_TRUE(*trySend(sockets_.lower.get(), good(), descriptors));
  ASSERT_TRUE(*reader_.poll(sockets_.higher.get()));
  EXPECT_EQ(reader_.offer().outboxBytes, 1U << 20);
  ASSERT_EQ(reader_.descriptors().size(), 2U);
  EXPECT_TRUE(reader_.descriptors()[1].valid());
}

TEST_F(OfferTest, ArrivesInPieces) {
  const Offer offer = good();
  const auto* const bytes = reinterpret_cast<const char*>(&offer);
  for (std::size_t i = 0; i + 1 < sizeof offer; ++i) {
    ASSERT_EQ(::send(sockets_.lower.get(), bytes + i, 1, 0), 1);
    ASSERT_FALSE(*reader_.poll(sockets_.higher.get()));
  }
  ASSERT_EQ(::send(sockets_.lower.get(), bytes + sizeof offer - 1, 1, 0), 1);
  expectRefused("0 descriptors that says 2");  // read as one offer; only its descriptors are missing
}

TEST_F(OfferTest, RefusesAnotherMagic) {
  Offer offer = good();
  offer.magic = 0x1234;
  send(offer, 2);
  expectRefused("protocol: what the peer sent (0x1234) is no offer");
}

TEST_F(OfferTest, RefusesAnotherVersion) {
  Offer offer = good();
  offer.version = kOfferVersion + 1;
  send(offer, 2);
  expectRefused(fmt::format("version {}, this is version {}", kOfferVersion + 1, kOfferVersion));
}

TEST_F(OfferTest, RefusesTooFewDescriptors) {
  send(good(), 1);
  expectRefused("1 descriptors that says 2");
}

TEST_F(OfferTest, RefusesTooManyDescriptorsAndLeaksNone) {
  const auto open = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto before = open();
  send(good(), 40);
  expectRefused("more descriptors than an offer can have");
  reader_ = {};
  EXPECT_EQ(open(), before);
}

TEST_F(OfferTest, RefusesAnEndInTheMiddle) {
  ASSERT_EQ(::send(sockets_.lower.get(), "atoll", 5, 0), 5);
  sockets_.lower.reset();
  expectRefused("closed the socket after 5 bytes");
}

TEST_F(OfferTest, SendingToAPeerThatLeftIsARemoteError) {
  sockets_.higher.reset();
  const int descriptor = 0;
  const auto sent = trySend(sockets_.lower.get(), good(), {&descriptor, 1});
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::remoteError);
}

}  // namespace
}  // namespace atl::shm
