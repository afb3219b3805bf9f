// SPDX-License-Identifier: Apache-2.0
// What the host moves between two devices, without any device: the test posts and takes pieces as a kernel would.
#include "src/exec/cuda/relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <utility>
#include <vector>

namespace atl::device {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kSlotBytes = 256;

/// On their way from one end of a link to the other.
struct Wire {
  std::deque<std::byte> bytes;
  bool confirms = true;  ///< the sender hears that its pieces have left
  bool broken = false;
};

/// A message link within the test, which moves at most so many bytes a turn, and checks nothing.
class WireLink final : public MessageLink {
 public:
  WireLink(Wire& out, Wire& in, std::size_t atOnce) : out_(out), in_(in), atOnce_(atOnce) {}
  void post(SendPiece& piece) override { sends_.push_back(&piece); }
  void post(ReceivePiece& piece) override { receives_.push_back(&piece); }
  Result<bool> progress() override {
    bool moved = false;
    for (std::size_t i = 0; i < atOnce_ && !sends_.empty(); ++i, moved = true) {
      SendPiece& piece = *sends_.front();
      out_.bytes.push_back(static_cast<const std::byte*>(piece.data)[piece.at]);
      if (++piece.at < piece.bytes) continue;
      gone_.push_back(&piece);
      sends_.pop_front();
    }
    if (out_.confirms) {
      for (SendPiece* const piece : std::exchange(gone_, {})) piece->done = true;
    }
    for (std::size_t i = 0; i < atOnce_ && !receives_.empty() && !in_.bytes.empty(); ++i, moved = true) {
      ReceivePiece& piece = *receives_.front();
      static_cast<std::byte*>(piece.data)[piece.at] = in_.bytes.front();
      in_.bytes.pop_front();
      if (++piece.at < piece.bytes) continue;
      piece.done = true;
      receives_.pop_front();
    }
    if (out_.broken) return makeError(ErrorCode::remoteError, "broken");
    return moved;
  }
  void wanted(std::vector<pollfd>&) const override {}
  [[nodiscard]] std::string describe() const override { return "wire"; }
  void cancel() override {
    sends_.clear();
    receives_.clear();
  }

 private:
  Wire& out_;
  Wire& in_;
  std::size_t atOnce_;
  std::deque<SendPiece*> sends_;
  std::vector<SendPiece*> gone_;
  std::deque<ReceivePiece*> receives_;
};

class Ready final : public PendingLink {
 public:
  explicit Ready(std::unique_ptr<MessageLink> link) : link_(std::move(link)) {}
  Result<bool> poll() override { return true; }
  atl::Link take() override { return std::move(link_); }

 private:
  std::unique_ptr<MessageLink> link_;
};

/// A device's side of a link, and its relay.
class End {
 public:
  End(Wire& out, Wire& in, std::size_t atOnce)
      : slots_(2 * kMails * kSlotBytes),
        relay(Staging{&in_, slots_.data(), &out_, slots_.data() + kMails * kSlotBytes, kSlotBytes},
              std::make_unique<Ready>(std::make_unique<WireLink>(out, in, atOnce))) {}

  /// As a kernel does; false while no slot is free.
  bool send(std::uint8_t value, std::uint64_t bytes, std::uint64_t tag) {
    if (sent_ - in_.consumed >= kMails) return false;
    const std::uint64_t place = ++sent_ % kMails;
    std::memset(slots_.data() + (kMails + place) * kSlotBytes, value, bytes);
    out_.mails[place] = {sent_, 0, bytes, tag};
    return true;
  }
  /// The next piece, which has to be these; false while there is none.
  bool receive(std::uint8_t value, std::uint64_t bytes, std::uint64_t tag) {
    const std::uint64_t place = (received_ + 1) % kMails;
    const Mail& mail = in_.mails[place];
    if (mail.number != received_ + 1) return false;
    EXPECT_EQ(mail.place, 0U);
    EXPECT_EQ(mail.tag, tag);
    EXPECT_EQ(
        std::vector<std::byte>(slots_.data() + place * kSlotBytes, slots_.data() + place * kSlotBytes + mail.bytes),
        std::vector<std::byte>(bytes, std::byte{value}));
    out_.consumed = ++received_;
    return true;
  }
  [[nodiscard]] std::uint64_t credit() const { return in_.consumed; }

 private:
  Region in_{};
  Region out_{};
  std::vector<std::byte> slots_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;

 public:
  Relay relay;
};

struct Pair {
  explicit Pair(std::size_t atOnce = 1000) : a(ab, ba, atOnce), b(ba, ab, atOnce) {}
  Wire ab, ba;
  End a, b;

  /// Until nothing moves.
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (End* const end : {&a, &b}) {
        const auto progressed = end->relay.progress();
        ASSERT_TRUE(progressed.ok()) << progressed.error().text;
        moved |= *progressed;
      }
    }
  }
};

std::uint64_t bytesOf(int piece) {
  constexpr std::uint64_t kSizes[] = {0, 1, 88, 89, 200, kSlotBytes};
  return kSizes[piece % 6];
}

TEST(Relay, PiecesOfEverySizeArriveInOrder_BothWaysAtOnce) {
  for (const std::size_t atOnce : {1U, 37U, 100'000U}) {
    Pair pair(atOnce);
    int sent[2] = {};
    int received[2] = {};
    while (received[0] < 200 || received[1] < 200) {
      for (int side = 0; side < 2; ++side) {
        End& from = side == 0 ? pair.a : pair.b;
        End& to = side == 0 ? pair.b : pair.a;
        const auto value = [side](int piece) { return static_cast<std::uint8_t>(piece * 2 + side); };
        const auto tag = [](int piece) { return 0x7700000000000000U + static_cast<std::uint64_t>(piece); };
        if (sent[side] < 200 && from.send(value(sent[side]), bytesOf(sent[side]), tag(sent[side]))) ++sent[side];
        ASSERT_TRUE(from.relay.progress().ok());
        if (to.receive(value(received[side]), bytesOf(received[side]), tag(received[side]))) ++received[side];
      }
    }
    pair.settle();
    EXPECT_EQ(pair.a.credit(), 200U);
    EXPECT_EQ(pair.b.credit(), 200U);
    EXPECT_FALSE(pair.a.relay.busy());
    EXPECT_FALSE(pair.b.relay.busy());
  }
}

TEST(Relay, PiecesThatNobodyTakes_AreAtThePeersHostAndGiveNoCredit) {
  Pair pair;
  std::uint64_t posted = 0;
  while (pair.a.send(1, 200, 5)) ++posted;
  pair.settle();
  EXPECT_EQ(posted, kMails);
  EXPECT_EQ(pair.a.credit(), 0U);
  EXPECT_FALSE(pair.a.relay.busy());
  EXPECT_TRUE(pair.b.receive(1, 200, 5));
  pair.settle();
  EXPECT_EQ(pair.a.credit(), 1U);
}

// A network that may send a piece again still reads its slot.
TEST(Relay, SlotThatTheNetworkHasNotDoneWith_IsNotFreeThoughThePeerHasConsumedIt) {
  Pair pair;
  pair.ab.confirms = false;
  ASSERT_TRUE(pair.a.send(1, 200, 5));
  pair.settle();
  ASSERT_TRUE(pair.b.receive(1, 200, 5));
  pair.settle();
  EXPECT_EQ(pair.a.credit(), 0U);
  pair.ab.confirms = true;
  pair.settle();
  EXPECT_EQ(pair.a.credit(), 1U);
}

TEST(Relay, EndThatLeaves_IsOverWhenThePeerHasAllOfIt) {
  Pair pair;
  ASSERT_TRUE(pair.a.send(9, 200, 1));
  pair.a.relay.leave();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(pair.a.relay.progress().ok());
  EXPECT_FALSE(pair.a.relay.over());
  pair.settle();
  EXPECT_TRUE(pair.a.relay.over());
  EXPECT_TRUE(pair.b.relay.over());
  EXPECT_TRUE(pair.b.receive(9, 200, 1));
}

// With its end of the connection has gone who would confirm the answer.
TEST(Relay, ConnectionThatBreaksAfterThePeersLastNote_IsNoError) {
  Pair pair;
  pair.settle();
  pair.b.relay.leave();
  pair.ab.confirms = false;
  pair.settle();
  EXPECT_TRUE(pair.b.relay.over());
  EXPECT_FALSE(pair.a.relay.over());
  pair.ab.broken = true;
  EXPECT_TRUE(pair.a.relay.progress().ok());
  EXPECT_TRUE(pair.a.relay.over());
}

TEST(Relay, ConnectionThatBreaksWithThePeersLastNote_IsNoError) {
  Pair pair;
  pair.settle();
  pair.b.relay.leave();
  ASSERT_TRUE(pair.b.relay.progress().ok());
  pair.ab.broken = true;
  EXPECT_TRUE(pair.a.relay.progress().ok());
  EXPECT_TRUE(pair.a.relay.over());
}

TEST(Relay, ConnectionThatBreaksBeforeThePeersLastNote_IsAnError) {
  Pair pair;
  pair.settle();
  pair.a.relay.leave();
  pair.ab.broken = true;
  EXPECT_FALSE(pair.a.relay.progress().ok());
  EXPECT_FALSE(pair.a.relay.over());
}

TEST(Relay, BothEndsMayLeaveAtOnce) {
  Pair pair;
  pair.a.relay.leave();
  pair.b.relay.leave();
  pair.settle();
  EXPECT_TRUE(pair.a.relay.over());
  EXPECT_TRUE(pair.b.relay.over());
}

/// The words of a note as they travel: piece, bytes, tag, consumed, last.
std::string errorOfNote(std::array<std::uint64_t, 5> words) {
  Pair pair;
  pair.settle();
  std::byte note[128] = {};
  std::memcpy(note, words.data(), sizeof words);
  pair.ab.bytes.insert(pair.ab.bytes.end(), std::begin(note), std::end(note));
  const auto progressed = pair.b.relay.progress();
  return progressed.ok() ? "" : progressed.error().text;
}

TEST(Relay, WhatNoPeerWouldSay_IsAnErrorAndWritesNothing) {
  EXPECT_THAT(errorOfNote({1, kSlotBytes + 1, 0, 0, 0}), HasSubstr("piece 1 of 257 bytes"));
  EXPECT_THAT(errorOfNote({2, 8, 0, 0, 0}), HasSubstr("piece 2 of 8 bytes after piece 0"));
  EXPECT_THAT(errorOfNote({0, 0, 0, 1, 0}), HasSubstr("of 0 pieces the peer has consumed 1"));
  EXPECT_EQ(errorOfNote({1, 8, 0, 0, 0}), "");
}

TEST(Relay, PieceWithoutAFreeSlot_IsAnError) {
  Pair pair;
  while (pair.a.send(1, 8, 0)) {
  }
  pair.settle();
  std::byte note[128] = {};
  const std::uint64_t words[] = {kMails + 1, 8};
  std::memcpy(note, words, sizeof words);
  pair.ab.bytes.insert(pair.ab.bytes.end(), std::begin(note), std::end(note));
  EXPECT_FALSE(pair.b.relay.progress().ok());
}

}  // namespace
}  // namespace atl::device
