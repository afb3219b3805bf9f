// SPDX-License-Identifier: Apache-2.0
// What a reliable connection carries.
#include <arpa/inet.h>

#include "tests/fakeverbs/fixture.h"

namespace fakeverbs {
namespace {

using ::testing::Each;

class DataPath : public FakeVerbs {};

TEST_F(DataPath, Send_FillsTheReceiveAndCompletesAtBothEnds) {
  End one;
  End other({.device = 1});
  connect(one, other);
  Memory from(one, 5000, 3);
  Memory to(other, 6000);
  ASSERT_EQ(other.receive(7, {to.all()}), 0);
  ASSERT_EQ(one.send(work(8, IBV_WR_SEND), {from.all()}), 0);
  const ibv_wc received = other.awaitReceive();
  EXPECT_THAT(received, IsCompletion(7, IBV_WC_SUCCESS));
  EXPECT_EQ(received.opcode, IBV_WC_RECV);
  EXPECT_EQ(received.byte_len, 5000U);
  EXPECT_EQ(received.qp_num, other.qp->qp_num);
  EXPECT_EQ(received.wc_flags & IBV_WC_WITH_IMM, 0U);
  EXPECT_TRUE(std::equal(from.bytes().begin(), from.bytes().end(), to.bytes().begin()));
  const ibv_wc sent = one.awaitSend();
  EXPECT_THAT(sent, IsCompletion(8, IBV_WC_SUCCESS));
  EXPECT_EQ(sent.opcode, IBV_WC_SEND);
  EXPECT_EQ(counters(0, 1).bytesSent, 5000U);
  EXPECT_EQ(counters(1, 1).bytesReceived, 5000U);
  EXPECT_EQ(counters(0, 1).works.at(IBV_WR_SEND), 1U);
  EXPECT_EQ(counters().packetsLost, 0U);
}

TEST_F(DataPath, OneAdapter_ReachesItself) {
  End one;
  End other;
  connect(one, other);
  Memory to(other, 16);
  ASSERT_EQ(other.receive(1, {to.all()}), 0);
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {}), 0);
  EXPECT_EQ(other.awaitReceive().byte_len, 0U);
  EXPECT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_SUCCESS));
}

TEST_F(DataPath, Immediate_ArrivesWithSends) {
  End one;
  End other;
  connect(one, other);
  Memory data(one, 100, 1);
  Memory to(other, 100);
  ASSERT_EQ(other.receive(1, {to.all()}), 0);
  ibv_send_wr wanted = work(2, IBV_WR_SEND_WITH_IMM);
  wanted.imm_data = htonl(0x12345678);
  ASSERT_EQ(one.send(wanted, {data.all()}), 0);
  const ibv_wc received = other.awaitReceive();
  EXPECT_EQ(received.opcode, IBV_WC_RECV);
  EXPECT_NE(received.wc_flags & IBV_WC_WITH_IMM, 0U);
  EXPECT_EQ(ntohl(received.imm_data), 0x12345678U);
}

TEST_F(DataPath, Write_PutsDataWithoutAReceive) {
  End one;
  End other;
  connect(one, other);
  Memory from(one, 300000, 5);
  Memory to(other, 300010);
  ASSERT_EQ(one.send(work(1, IBV_WR_RDMA_WRITE, to.data() + 10, to.region->rkey), {from.all()}), 0);
  const ibv_wc sent = one.awaitSend();
  EXPECT_THAT(sent, IsCompletion(1, IBV_WC_SUCCESS));
  EXPECT_EQ(sent.opcode, IBV_WC_RDMA_WRITE);
  EXPECT_TRUE(std::equal(from.bytes().begin(), from.bytes().end(), to.bytes().begin() + 10));
}

TEST_F(DataPath, ScatteredWrite_IsInMemoryWhenALaterCompletionSaysSo) {
  resetWith([](Configuration& machine) { machine.scatteredWrites = true; });
  End one;
  End other;
  connect(one, other);
  Memory from(one, 30000, 5);
  Memory to(other, 30000);
  ASSERT_EQ(one.send(work(1, IBV_WR_RDMA_WRITE, to.data(), to.region->rkey), {from.all()}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(1, IBV_WC_SUCCESS));
  EXPECT_THAT(to.bytes(), Each(0));
  ASSERT_EQ(other.receive(2, {}), 0);
  ASSERT_EQ(one.send(work(3, IBV_WR_RDMA_WRITE_WITH_IMM, to.data(), to.region->rkey), {}), 0);
  EXPECT_THAT(other.awaitReceive(), IsCompletion(2, IBV_WC_SUCCESS));
  EXPECT_EQ(from.bytes(), to.bytes());
  EXPECT_THAT(one.awaitSend(), IsCompletion(3, IBV_WC_SUCCESS));
}

TEST_F(DataPath, WriteWithImmediate_TakesAReceiveAndTellsTheLength) {
  End one;
  End other({.shared = true});
  connect(one, other);
  Memory from(one, 3000, 5);
  Memory to(other, 3000);
  ASSERT_EQ(other.receive(9, {}), 0);
  ibv_send_wr wanted = work(1, IBV_WR_RDMA_WRITE_WITH_IMM, to.data(), to.region->rkey);
  wanted.imm_data = 77;
  ASSERT_EQ(one.send(wanted, {from.all()}), 0);
  const ibv_wc received = other.awaitReceive();
  EXPECT_THAT(received, IsCompletion(9, IBV_WC_SUCCESS));
  EXPECT_EQ(received.opcode, IBV_WC_RECV_RDMA_WITH_IMM);
  EXPECT_EQ(received.byte_len, 3000U);
  EXPECT_EQ(received.imm_data, 77U);
  EXPECT_EQ(from.bytes(), to.bytes());
  EXPECT_EQ(one.awaitSend().opcode, IBV_WC_RDMA_WRITE);
}

TEST_F(DataPath, Read_FetchesIntoAListOfParts) {
  End one;
  End other;
  connect(one, other);
  Memory to(one, 100000);
  Memory from(other, 100000, 7);
  ASSERT_EQ(one.send(work(1, IBV_WR_RDMA_READ, from.data(), from.region->rkey),
                     {to.part(0, 999), to.part(999, 50000), to.part(50999, 49001)}),
            0);
  const ibv_wc done = one.awaitSend();
  EXPECT_THAT(done, IsCompletion(1, IBV_WC_SUCCESS));
  EXPECT_EQ(done.opcode, IBV_WC_RDMA_READ);
  EXPECT_EQ(done.byte_len, 100000U);
  EXPECT_EQ(from.bytes(), to.bytes());
}

TEST_F(DataPath, Fence_WaitsForTheDataOfEarlierReads) {
  End one;
  End other;
  connect(one, other);
  Memory between(one, 50000);
  Memory from(other, 50000, 7);
  Memory to(other, 50000);
  ibv_sge part = between.all();
  ibv_send_wr write = work(2, IBV_WR_RDMA_WRITE, to.data(), to.region->rkey, IBV_SEND_SIGNALED | IBV_SEND_FENCE);
  ibv_send_wr read = work(1, IBV_WR_RDMA_READ, from.data(), from.region->rkey);
  read.sg_list = write.sg_list = &part;
  read.num_sge = write.num_sge = 1;
  read.next = &write;  // posted together, so that nothing but the fence parts them
  ibv_send_wr* bad = nullptr;
  ASSERT_EQ(ibv_post_send(one.qp, &read, &bad), 0);
  EXPECT_THAT(End::await(one.sends, 2), Each(::testing::Field(&ibv_wc::status, IBV_WC_SUCCESS)));
  EXPECT_EQ(from.bytes(), to.bytes());
}

TEST_F(DataPath, ListsOfParts_AreOneMessage) {
  End one;
  End other;
  connect(one, other);
  Memory from(one, 4000, 3);
  Memory to(other, 4000);
  ASSERT_EQ(other.receive(1, {to.part(0, 1), to.part(1, 2999), to.part(3000, 1000)}), 0);
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {from.part(0, 2000), from.part(2000, 0), from.part(2000, 2000)}), 0);
  EXPECT_EQ(other.awaitReceive().byte_len, 4000U);
  EXPECT_EQ(from.bytes(), to.bytes());
  EXPECT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_SUCCESS));
}

TEST_F(DataPath, Inline_IsReadWhenPostedAndNeedsNoKey) {
  End one;
  End other;
  connect(one, other);
  Memory to(other, 128);
  std::string text = "inline";
  ASSERT_EQ(other.receive(1, {to.all()}), 0);
  refuseReceives(0, 1, 3);  // it cannot have been sent when the text changes
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND, IBV_SEND_SIGNALED | IBV_SEND_INLINE),
                     {{reinterpret_cast<std::uintptr_t>(text.data()), 6, 0}}),
            0);
  text = "no";
  EXPECT_EQ(other.awaitReceive().byte_len, 6U);
  EXPECT_EQ(std::memcmp(to.data(), "inline", 6), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_SUCCESS));
  EXPECT_EQ(counters(0, 1).inlineWorks, 1U);
  std::string large(129, 'x');
  EXPECT_EQ(one.send(work(3, IBV_WR_SEND, IBV_SEND_INLINE), {{reinterpret_cast<std::uintptr_t>(large.data()), 129, 0}}),
            EINVAL);
}

TEST_F(DataPath, Messages_ArriveInOrder) {
  End one({.mtu = IBV_MTU_256});
  End other({.mtu = IBV_MTU_256});
  connect(one, other);
  constexpr std::size_t count = 50;
  Memory from(one, count * 700, 11);
  Memory to(other, count * 700);
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(other.receive(i, {to.part(i * 700, 700)}), 0);
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(one.send(work(i, IBV_WR_SEND), {from.part(i * 700, 700)}), 0);
  }
  const std::vector<ibv_wc> received = End::await(other.receives, count);
  const std::vector<ibv_wc> sent = End::await(one.sends, count);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_THAT(received[i], IsCompletion(i, IBV_WC_SUCCESS));
    EXPECT_THAT(sent[i], IsCompletion(i, IBV_WC_SUCCESS));
  }
  EXPECT_EQ(from.bytes(), to.bytes());
}

TEST_F(DataPath, Unsignaled_CompletesNothingAndFreesItsSlotWithALaterCompletion) {
  End one({.limits = {4, 4, 1, 1, 0}});
  End other({.limits = {4, 16, 1, 1, 0}});
  connect(one, other);
  for (std::uint64_t i = 0; i < 8; ++i) ASSERT_EQ(other.receive(i, {}), 0);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_EQ(one.send(work(i, IBV_WR_SEND, 0), {}), 0);
  ASSERT_EQ(one.send(work(3, IBV_WR_SEND), {}), 0);
  ASSERT_THAT(End::await(other.receives, 4), Each(::testing::Field(&ibv_wc::status, IBV_WC_SUCCESS)));
  EXPECT_EQ(one.send(work(4, IBV_WR_SEND), {}), ENOMEM) << "nothing was polled";
  EXPECT_THAT(one.awaitSend(), IsCompletion(3, IBV_WC_SUCCESS));
  for (std::uint64_t i = 4; i < 8; ++i) EXPECT_EQ(one.send(work(i, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(End::await(one.sends, 4), Each(::testing::Field(&ibv_wc::status, IBV_WC_SUCCESS)));
}

TEST_F(DataPath, SignalAll_CompletesEverySend) {
  End one({.signalAll = true});
  End other;
  connect(one, other);
  ASSERT_EQ(other.receive(1, {}), 0);
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND, 0), {}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_SUCCESS));
}

TEST_F(DataPath, SharedQueue_ServesSeveralQueuePairsInItsOrder) {
  End one;
  End other({.shared = true});
  connect(one, other);
  ibv_qp_init_attr wanted{};
  wanted.send_cq = other.sends;
  wanted.recv_cq = other.receives;
  wanted.srq = other.shared;
  wanted.cap = {4, 0, 1, 0, 0};
  wanted.qp_type = IBV_QPT_RC;
  ibv_qp* const second = ibv_create_qp(other.domain, &wanted);
  ASSERT_NE(second, nullptr);
  End third;
  Name name = other.name();
  name.qp = second->qp_num;
  third.connect(name);
  ibv_qp_attr init = other.toInit();
  ibv_qp_attr receive = other.toReceive(third.name());
  ASSERT_EQ(ibv_modify_qp(second, &init, End::kInitMask), 0);
  ASSERT_EQ(ibv_modify_qp(second, &receive, End::kReceiveMask), 0);

  for (std::uint64_t i = 0; i < 4; ++i) ASSERT_EQ(other.receive(i, {}), 0);
  for (const End* sender : {&one, &third, &one, &third}) {
    ASSERT_EQ(sender->send(work(5, IBV_WR_SEND), {}), 0);
    EXPECT_THAT(sender->awaitSend(), IsCompletion(5, IBV_WC_SUCCESS));
  }
  const std::vector<ibv_wc> received = End::await(other.receives, 4);
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_THAT(received[i], IsCompletion(i, IBV_WC_SUCCESS));
    EXPECT_EQ(received[i].qp_num, i % 2 == 0 ? other.qp->qp_num : second->qp_num);
  }
  EXPECT_EQ(ibv_destroy_srq(other.shared), EBUSY);
  EXPECT_EQ(ibv_destroy_qp(second), 0);
}

TEST_F(DataPath, SharedQueue_IsFullUntilItsCompletionsArePolled) {
  End one;
  End other({.shared = true});
  connect(one, other);
  for (std::uint64_t i = 0; i < 64; ++i) ASSERT_EQ(other.receive(i, {}), 0);
  EXPECT_EQ(other.receive(64, {}), ENOMEM);
  ASSERT_EQ(one.send(work(1, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(1, IBV_WC_SUCCESS));
  EXPECT_EQ(other.receive(64, {}), ENOMEM);
  EXPECT_THAT(other.awaitReceive(), IsCompletion(0, IBV_WC_SUCCESS));
  EXPECT_EQ(other.receive(64, {}), 0);
}

TEST_F(DataPath, ListOfRequests_IsPostedUpToTheFirstBadOne) {
  End one;
  End other;
  connect(one, other);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_EQ(other.receive(i, {}), 0);
  ibv_send_wr third = work(3, IBV_WR_SEND);
  ibv_send_wr second = work(2, IBV_WR_ATOMIC_FETCH_AND_ADD);
  ibv_send_wr first = work(1, IBV_WR_SEND);
  first.next = &second;
  second.next = &third;
  ibv_send_wr* bad = nullptr;
  EXPECT_EQ(ibv_post_send(one.qp, &first, &bad), EINVAL);
  EXPECT_EQ(bad, &second);
  EXPECT_THAT(one.awaitSend(), IsCompletion(1, IBV_WC_SUCCESS));
  second.opcode = IBV_WR_SEND;
  EXPECT_EQ(ibv_post_send(one.qp, &second, &bad), 0);
  EXPECT_THAT(End::await(one.sends, 2), Each(::testing::Field(&ibv_wc::status, IBV_WC_SUCCESS)));
}

TEST_F(DataPath, ManyThreads_UseTheirOwnQueuePairs) {
  constexpr int pairs = 4;
  constexpr int rounds = 200;
  std::vector<std::thread> threads;
  for (int p = 0; p < pairs; ++p) {
    threads.emplace_back([p] {
      End one;
      End other({.device = 1, .shared = p % 2 == 0});
      connect(one, other);
      Memory from(one, 3000, static_cast<unsigned>(p) + 1);
      Memory to(other, 3000);
      for (int i = 0; i < rounds; ++i) {
        ASSERT_EQ(other.receive(1, {to.all()}), 0);
        from.data()[i] = static_cast<unsigned char>(i);
        ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {from.all()}), 0);
        ASSERT_THAT(other.awaitReceive(), IsCompletion(1, IBV_WC_SUCCESS));
        ASSERT_EQ(from.bytes(), to.bytes());
        ASSERT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_SUCCESS));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace fakeverbs
