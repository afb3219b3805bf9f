// SPDX-License-Identifier: Apache-2.0
#include "tests/transports/memory_link_conformance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "src/base/clock.h"
#include "transports/peer_memory.h"

namespace atl::test {
namespace {

constexpr std::size_t kLarge = 1000;

/// The content of message m of one direction: its size and bytes follow from (m, salt) alone.
std::vector<std::byte> content(std::uint64_t m, std::uint64_t salt, std::size_t bytes) {
  std::vector<std::byte> data(bytes);
  for (std::size_t i = 0; i < bytes; ++i) data[i] = static_cast<std::byte>((m * 31 + i * 7 + salt) & 0xff);
  return data;
}

MailKind kindOf(std::uint64_t m, const MemoryLink& link) {
  if (m % 3 != 0) return MailKind::inlined;
  if (link.sameProcess) return MailKind::direct;
  return m % 2 == 0 && link.out->followsShared.load() != 0 ? MailKind::shared : MailKind::bounced;
}
std::size_t sizeOf(std::uint64_t m, const MemoryLink& link) {
  return kindOf(m, link) == MailKind::inlined ? m % (kInlineBytes + 1) : kLarge - m % 100;
}

/// One end of a link, run by one thread: posts and takes by the rules of link.h.
class End {
 public:
  End(MemoryLink& link, Outbox* outbox, std::uint64_t salt) : link_(link), outbox_(outbox), salt_(salt) {
    auto area = allocateShareable(kMailSlots * kLarge + (64 << 10));
    EXPECT_TRUE(area.ok());
    shareable_ = static_cast<std::byte*>(*area);
  }
  End(const End&) = delete;
  End& operator=(const End&) = delete;
  ~End() { freeShareable(shareable_); }

  bool trySend() {
    const std::uint64_t m = link_.sent + 1;
    if (m > link_.knownConsumed + kMailSlots) link_.knownConsumed = link_.out->consumed.load(std::memory_order_acquire);
    if (m > link_.knownConsumed + kMailSlots) return false;
    const auto kind = kindOf(m, link_);
    const auto data = content(m, salt_, sizeOf(m, link_));
    MailSlot& slot = link_.out->slots[m % kMailSlots];
    switch (kind) {
      case MailKind::inlined: std::copy(data.begin(), data.end(), slot.payload.bytes); break;
      case MailKind::bounced: {
        std::byte* const room = outbox_->tryAcquire();
        if (room == nullptr) return false;
        std::copy(data.begin(), data.end(), room);
        slot.payload.reference = {outbox_->offsetOf(room), data.size(), 0, 0};
        outbox_->readBy(link_, m);
        break;
      }
      case MailKind::direct: {
        auto& kept = direct_[m % kMailSlots];  // consumed since: the slot is free
        kept = data;
        slot.payload.reference = {reinterpret_cast<std::uint64_t>(kept.data()), data.size(), 0, 0};
        break;
      }
      case MailKind::shared: {
        std::byte* const kept = shareable_ + m % kMailSlots * kLarge;  // consumed since, likewise
        std::copy(data.begin(), data.end(), kept);
        const auto place = findShareable(kept, data.size());
        EXPECT_TRUE(place);
        slot.payload.shared = {*place, data.size(), {}, 0};
        break;
      }
      case MailKind::delivered: break;  // an answer to an offer, of which there is none here
    }
    slot.tag = m * 1000 + salt_;
    const std::uint64_t length = kind == MailKind::inlined ? data.size() : 0;
    slot.flag.store(m << 32 | static_cast<std::uint64_t>(kind) << 24 | length, std::memory_order_release);
    link_.sent = m;
    return true;
  }

  bool tryReceive(std::uint64_t peerSalt) {
    const std::uint64_t m = link_.received + 1;
    MailSlot& slot = link_.in->slots[m % kMailSlots];
    const std::uint64_t flag = slot.flag.load(std::memory_order_acquire);
    if (flag >> 32 != (m & 0xffffffff)) return false;
    const auto kind = static_cast<MailKind>(flag >> 24 & 0xff);
    const std::byte* from = slot.payload.bytes;
    std::size_t bytes = flag & 0xffffff;
    if (kind == MailKind::bounced) {
      bytes = slot.payload.reference.bytes;
      EXPECT_LE(slot.payload.reference.where + bytes, link_.peerOutboxBytes);
      from = link_.peerOutbox + slot.payload.reference.where;
    } else if (kind == MailKind::shared) {
      bytes = slot.payload.shared.bytes;
      const auto area = link_.peerMemory->area(slot.payload.shared.place);
      EXPECT_TRUE(area.ok());
      from = area->data() + slot.payload.shared.place.offset;
    } else if (kind == MailKind::direct) {
      bytes = slot.payload.reference.bytes;
      from = reinterpret_cast<const std::byte*>(slot.payload.reference.where);
    }
    EXPECT_EQ(slot.tag, m * 1000 + peerSalt);
    EXPECT_EQ(std::vector<std::byte>(from, from + bytes), content(m, peerSalt, sizeOf(m, link_))) << "message " << m;
    link_.received = m;
    link_.in->consumed.store(m, std::memory_order_release);
    return true;
  }

  /// Sends and receives `messages` each way.
  void exchange(std::uint64_t messages, std::uint64_t peerSalt) {
    const auto lastSent = link_.sent + messages;
    const auto lastReceived = link_.received + messages;
    const auto deadline = Deadline::inSeconds(60);
    while (link_.sent < lastSent || link_.received < lastReceived) {
      bool moved = link_.sent < lastSent && trySend();
      moved = (link_.received < lastReceived && tryReceive(peerSalt)) || moved;
      if (moved) continue;
      if (deadline.passed() || testing::Test::HasFailure()) return;
      std::this_thread::yield();
    }
  }

  /// Until then the other end may still be reading what this one owns.
  void awaitConsumed() {
    const auto deadline = Deadline::inSeconds(60);
    while (link_.out->consumed.load() < link_.sent && !deadline.passed()) std::this_thread::yield();
  }

 private:
  MemoryLink& link_;
  Outbox* outbox_;
  std::uint64_t salt_;
  std::vector<std::byte> direct_[kMailSlots];
  std::byte* shareable_ = nullptr;
};

constexpr std::uint64_t kLowerSalt = 3;
constexpr std::uint64_t kHigherSalt = 90;

}  // namespace

void carriesMixedMessages(LinkedPair& pair, std::uint64_t messages) {
  const auto lowerGoal = pair.lower.received + messages;
  const auto higherGoal = pair.higher.received + messages;
  End higherEnd(pair.higher, pair.higherOutbox, kHigherSalt);
  End lowerEnd(pair.lower, pair.lowerOutbox, kLowerSalt);
  std::thread higher([&] { higherEnd.exchange(messages, kLowerSalt); });
  lowerEnd.exchange(messages, kHigherSalt);
  higher.join();
  EXPECT_EQ(pair.lower.received, lowerGoal);
  EXPECT_EQ(pair.higher.received, higherGoal);
}

void exchangesAsOneEnd(MemoryLink& link, Outbox* outbox, bool lower, std::uint64_t messages) {
  const auto goal = link.received + messages;
  End end(link, outbox, lower ? kLowerSalt : kHigherSalt);
  end.exchange(messages, lower ? kHigherSalt : kLowerSalt);
  end.awaitConsumed();
  EXPECT_EQ(link.received, goal);
}

void wrapsAround(LinkedPair& pair, std::uint64_t messages) {
  // The lower end sends only, the higher receives only: each runs as far ahead as the slots allow.
  const auto goal = pair.higher.received + messages;
  End lowerEnd(pair.lower, pair.lowerOutbox, kLowerSalt);
  End higherEnd(pair.higher, pair.higherOutbox, kHigherSalt);
  const auto deadline = Deadline::inSeconds(60);
  std::thread higher([&] {
    while (pair.higher.received < goal && !deadline.passed() && !testing::Test::HasFailure()) {
      if (!higherEnd.tryReceive(kLowerSalt)) std::this_thread::yield();
    }
  });
  while (pair.lower.sent < goal && !deadline.passed() && !testing::Test::HasFailure()) {
    if (!lowerEnd.trySend()) std::this_thread::yield();
  }
  higher.join();
  EXPECT_EQ(pair.higher.received, goal);
}

void holdsAtMostItsSlots(LinkedPair& pair) {
  End lowerEnd(pair.lower, pair.lowerOutbox, kLowerSalt);
  End higherEnd(pair.higher, pair.higherOutbox, kHigherSalt);
  for (std::size_t i = 0; i < kMailSlots; ++i) ASSERT_TRUE(lowerEnd.trySend());
  EXPECT_FALSE(lowerEnd.trySend());
  ASSERT_TRUE(higherEnd.tryReceive(kLowerSalt));
  EXPECT_TRUE(lowerEnd.trySend());
  EXPECT_FALSE(lowerEnd.trySend());
  for (std::size_t i = 0; i < kMailSlots; ++i) ASSERT_TRUE(higherEnd.tryReceive(kLowerSalt));
  EXPECT_FALSE(higherEnd.tryReceive(kLowerSalt));
}

void showsTheCall(LinkedPair& pair) {
  CallRecord call;
  call.sequence = 12;
  call.count = 345;
  pair.lower.out->calls.publish(call, 1);
  call.sequence = 15;  // a later call of the same kind
  End lowerEnd(pair.lower, pair.lowerOutbox, kLowerSalt);
  End higherEnd(pair.higher, pair.higherOutbox, kHigherSalt);
  std::thread higher([&] {
    const auto deadline = Deadline::inSeconds(60);
    while (!higherEnd.tryReceive(kLowerSalt) && !deadline.passed()) std::this_thread::yield();
    EXPECT_EQ(pair.higher.in->calls.find(TaggedCall(call).tag()), call);
  });
  EXPECT_TRUE(lowerEnd.trySend());
  higher.join();
}

}  // namespace atl::test
