// SPDX-License-Identifier: Apache-2.0
#include "transports/outbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace atl {
namespace {

struct Reader {
  std::unique_ptr<Mailbox> mailbox = std::make_unique<Mailbox>();
  MemoryLink link;
  Reader() { link.out = mailbox.get(); }
  void consume(std::uint64_t message) { mailbox->consumed.store(message, std::memory_order_release); }
};

TEST(Outbox, TakesItsMemoryAtFirstUseOnly) {
  Outbox outbox(4096, 4);
  EXPECT_FALSE(outbox.ready());
  EXPECT_EQ(outbox.bytesHeld(), 0U);
  ASSERT_TRUE(outbox.ensure().ok());
  const auto* const data = outbox.memory().data();
  EXPECT_EQ(outbox.bytesHeld(), 4U * 4096);
  ASSERT_TRUE(outbox.ensure().ok());
  EXPECT_EQ(outbox.memory().data(), data);
}

TEST(Outbox, GivesEachSlotOnceWhileNobodyHasRead) {
  Outbox outbox(4096, 4);
  ASSERT_TRUE(outbox.ensure().ok());
  Reader reader;
  std::set<std::uint64_t> offsets;
  for (std::uint64_t m = 1; m <= 4; ++m) {
    std::byte* const slot = outbox.tryAcquire();
    ASSERT_NE(slot, nullptr);
    offsets.insert(outbox.offsetOf(slot));
    outbox.readBy(reader.link, m);
  }
  EXPECT_EQ(offsets, (std::set<std::uint64_t>{0, 4096, 8192, 12288}));
  EXPECT_EQ(outbox.tryAcquire(), nullptr);
}

TEST(Outbox, FreesASlotOnlyWhenEveryReaderHasConsumedIt) {
  Outbox outbox(64, 1);
  ASSERT_TRUE(outbox.ensure().ok());
  Reader a;
  Reader b;
  ASSERT_NE(outbox.tryAcquire(), nullptr);
  outbox.readBy(a.link, 1);
  outbox.readBy(b.link, 7);
  b.consume(7);
  EXPECT_EQ(outbox.tryAcquire(), nullptr);
  a.consume(1);
  b.consume(6);  // what was once seen consumed stays so
  EXPECT_NE(outbox.tryAcquire(), nullptr);
}

TEST(Outbox, FindsASlotFreedOutOfOrderWhenThereIsNoOther) {
  Outbox outbox(64, 3);
  ASSERT_TRUE(outbox.ensure().ok());
  Reader slow;
  Reader quick;
  ASSERT_NE(outbox.tryAcquire(), nullptr);
  outbox.readBy(slow.link, 1);
  std::byte* const middle = outbox.tryAcquire();
  outbox.readBy(quick.link, 1);
  ASSERT_NE(outbox.tryAcquire(), nullptr);
  outbox.readBy(slow.link, 2);
  ASSERT_EQ(outbox.tryAcquire(), nullptr);
  quick.consume(1);
  EXPECT_EQ(outbox.tryAcquire(), middle);
}

TEST(Outbox, ReusesTheSlotLastFreed) {
  Outbox outbox(64, 8);
  ASSERT_TRUE(outbox.ensure().ok());
  Reader reader;
  std::byte* const first = outbox.tryAcquire();
  outbox.readBy(reader.link, 1);
  for (std::uint64_t m = 2; m <= 100; ++m) {
    reader.consume(m - 1);
    ASSERT_EQ(outbox.tryAcquire(), first) << "message " << m;
    outbox.readBy(reader.link, m);
  }
}

TEST(Outbox, ASlotThatNobodyReadsIsFreeAtOnce) {
  Outbox outbox(64, 1);
  ASSERT_TRUE(outbox.ensure().ok());
  std::byte* const slot = outbox.tryAcquire();
  EXPECT_EQ(outbox.tryAcquire(), slot);
}

}  // namespace
}  // namespace atl
