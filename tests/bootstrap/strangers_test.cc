// SPDX-License-Identifier: Apache-2.0
// Who does not belong is kept out, and those who do belong notice nothing.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "src/bootstrap/handshake.h"
#include "src/bootstrap/socket.h"
#include "src/bootstrap/unique_id.h"
#include "tests/bootstrap/member_process.h"

namespace atl {
namespace {

using test::MemberProcess;

IdFields fieldsOf(const std::string& hex) {
  UniqueId id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i)
    id.bytes[i] = static_cast<std::uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  auto fields = decodeId(id);
  EXPECT_TRUE(fields.ok());
  return *fields;
}

std::string hexOf(const IdFields& fields) {
  std::string hex;
  for (const auto byte : encodeId(fields).bytes) hex += fmt::format("{:02x}", byte);
  return hex;
}

UniqueFd connectTo(const IdFields& id) {
  auto fd = beginConnect({id.addresses.front(), {}});
  EXPECT_TRUE(fd.ok());
  pollfd writable{fd->get(), POLLOUT, 0};
  EXPECT_EQ(::poll(&writable, 1, 20000), 1);
  EXPECT_EQ(connectResult(fd->get()), 0);
  return std::move(fd).value();
}

void sendAll(const UniqueFd& fd, const Bytes& bytes) {
  EXPECT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

Bytes receive(const UniqueFd& fd, std::size_t size) {
  Bytes bytes(size);
  std::size_t have = 0;
  while (have < size) {
    pollfd readable{fd.get(), POLLIN, 0};
    if (::poll(&readable, 1, 20000) != 1) break;
    const auto got = ::recv(fd.get(), bytes.data() + have, size - have, 0);
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

bool isClosedByPeer(const UniqueFd& fd) {
  std::array<std::byte, 256> rest{};
  for (;;) {
    pollfd readable{fd.get(), POLLIN, 0};
    if (::poll(&readable, 1, 20000) != 1) return false;
    if (::recv(fd.get(), rest.data(), rest.size(), 0) <= 0) return true;
  }
}

std::string joinCommand(const std::string& id, int ranks, int rank, const std::string& limit = "30") {
  return "join " + id + " " + std::to_string(ranks) + " " + std::to_string(rank) + " " + limit;
}

TEST(Strangers, Garbage_SilenceAndHalfAGreeting_DoNotDisturbAJoin) {
  std::vector<MemberProcess> members(3);
  const std::string id = members[0].askId();
  const auto fields = fieldsOf(id);
  members[0].tell(joinCommand(id, 3, 0));
  std::vector<UniqueFd> strangers;
  for (int i = 0; i < 30; ++i) {
    strangers.push_back(connectTo(fields));
    if (i % 3 == 0) sendAll(strangers.back(), Bytes(300, std::byte{0x47}));
    if (i % 3 == 1) {
      Bytes half = encode(Hello{kProtocolVersion, Purpose::rendezvous, fields.group, {}});
      half.resize(half.size() / 2);
      sendAll(strangers.back(), half);
    }
  }
  members[1].tell(joinCommand(id, 3, 1));
  members[2].tell(joinCommand(id, 3, 2));
  for (auto& member : members) member.await("joined");
  for (auto& member : members) member.tell("gather");
  for (auto& member : members) member.await("gathered");
  for (const auto& stranger : strangers)
    EXPECT_TRUE(isClosedByPeer(stranger)) << "each is dropped within its time limit";
}

TEST(Strangers, MoreThanThereIsRoomFor_GiveWayToMembers) {
  std::vector<MemberProcess> members(2);
  const std::string id = members[0].askId();
  const auto fields = fieldsOf(id);
  members[0].tell(joinCommand(id, 2, 0));
  std::vector<UniqueFd> strangers;
  for (int i = 0; i < 600; ++i) strangers.push_back(connectTo(fields));
  members[1].tell(joinCommand(id, 2, 1));
  for (auto& member : members) member.await("joined");
}

TEST(Strangers, WithoutTheSecret_GetNeitherProofNorEntry) {
  MemberProcess member;
  const auto fields = fieldsOf(member.askId());
  const auto stranger = connectTo(fields);
  Hello hello{kProtocolVersion, Purpose::rendezvous, fields.group, {}};
  fillRandom(hello.nonce);
  sendAll(stranger, encode(hello));
  const auto challenge = decodeChallenge(receive(stranger, kChallengeBytes));
  ASSERT_TRUE(challenge.has_value());
  EXPECT_TRUE(proves(*challenge, hello, fields.secret));
  // The acceptor's own proof, sent back, is none of the connector's.
  sendAll(stranger, encode(Answer{{}, challenge->proof}));
  EXPECT_TRUE(receive(stranger, 1).empty());
}

TEST(Strangers, UnknownGroup_IsToldSo) {
  MemberProcess member;
  const auto fields = fieldsOf(member.askId());
  const auto stranger = connectTo(fields);
  sendAll(stranger, encode(Hello{kProtocolVersion, Purpose::rendezvous, fields.group + 1, {}}));
  const auto challenge = decodeChallenge(receive(stranger, kChallengeBytes));
  ASSERT_TRUE(challenge.has_value());
  EXPECT_EQ(challenge->verdict, Challenge::Verdict::unknownGroup);
  EXPECT_TRUE(isClosedByPeer(stranger));
}

TEST(JoinErrors, OtherSecret_IsNamedOnBothSides) {
  std::vector<MemberProcess> members(2);
  const std::string id = members[0].askId();
  auto fields = fieldsOf(id);
  fields.secret[5] ^= 0x10;
  members[0].tell(joinCommand(id, 2, 0, "1.5"));
  members[1].tell(joinCommand(hexOf(fields), 2, 1));
  const auto guest = members[1].await("error");
  EXPECT_NE(guest.find("another secret"), std::string::npos) << guest;
  const auto host = members[0].await("error");
  EXPECT_NE(host.find("rank 1 of 2 did not come"), std::string::npos) << host;
  EXPECT_NE(host.find("could not prove that it knows the secret"), std::string::npos) << host;
}

TEST(JoinErrors, OtherProtocolVersion_EndsTheWaitingAtOnce) {
  std::vector<MemberProcess> members(2);
  const std::string id = members[0].askId();
  const auto fields = fieldsOf(id);
  members[0].tell(joinCommand(id, 3, 0));
  members[1].tell(joinCommand(id, 3, 1));
  // Until rank 0 has come there is nothing to spoil: the newcomer of another version tries until it is.
  std::atomic<bool> told = false;
  std::thread newcomer([&] {
    const auto limit = Deadline::inSeconds(20);
    while (!told && !limit.passed()) {
      const auto fd = connectTo(fields);
      Hello hello{kProtocolVersion + 1, Purpose::rendezvous, fields.group, {}};
      fillRandom(hello.nonce);
      sendAll(fd, encode(hello));
      const auto challenge = decodeChallenge(receive(fd, kChallengeBytes));
      if (!challenge || challenge->verdict != Challenge::Verdict::known) return;
      sendAll(fd, encode(answerFor(*challenge, hello, {}, fields.secret)));
      EXPECT_TRUE(isClosedByPeer(fd));
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  for (auto& member : members) {
    const auto line = member.await("error");
    EXPECT_NE(line.find(fmt::format("speaks bootstrap protocol version {}", kProtocolVersion + 1)), std::string::npos)
        << line;
  }
  told = true;
  newcomer.join();
}

}  // namespace
}  // namespace atl
