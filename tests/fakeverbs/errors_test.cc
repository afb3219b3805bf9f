// SPDX-License-Identifier: Apache-2.0
// What goes wrong because a program does wrong, or because its partner is not there.
#include "tests/fakeverbs/fixture.h"

namespace fakeverbs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Errors : public FakeVerbs {
 protected:
  /// Acknowledges what a test has caused and does not look at.
  static void takeEvents(const End& end, int count) {
    for (int i = 0; i < count; ++i) {
      ibv_async_event event{};
      ASSERT_EQ(ibv_get_async_event(end.context, &event), 0);
      ibv_ack_async_event(&event);
    }
  }
};

TEST_F(Errors, BadRemoteKey_EndsBothQueuePairs) {
  End one;
  End other;
  connect(one, other);
  Memory from(one, 100, 1);
  Memory to(other, 100);
  ASSERT_EQ(other.receive(1, {}), 0);
  ASSERT_EQ(one.receive(2, {}), 0);
  ASSERT_EQ(one.send(work(3, IBV_WR_RDMA_WRITE, to.data(), to.region->lkey), {from.all()}), 0);
  ASSERT_EQ(one.send(work(4, IBV_WR_SEND, 0), {from.all()}), 0);
  const std::vector<ibv_wc> sent = End::await(one.sends, 2);
  EXPECT_THAT(sent[0], IsCompletion(3, IBV_WC_REM_ACCESS_ERR));
  EXPECT_THAT(sent[1], IsCompletion(4, IBV_WC_WR_FLUSH_ERR));
  EXPECT_THAT(one.awaitReceive(), IsCompletion(2, IBV_WC_WR_FLUSH_ERR));
  EXPECT_THAT(other.awaitReceive(), IsCompletion(1, IBV_WC_WR_FLUSH_ERR));
  EXPECT_EQ(one.state(), IBV_QPS_ERR);
  EXPECT_EQ(other.state(), IBV_QPS_ERR);
  ibv_async_event event{};
  ASSERT_EQ(ibv_get_async_event(other.context, &event), 0);
  EXPECT_EQ(event.event_type, IBV_EVENT_QP_ACCESS_ERR);
  EXPECT_EQ(event.element.qp, other.qp);
  ibv_ack_async_event(&event);
}

TEST_F(Errors, RemoteMemory_IsGuardedByRangeAndAccess) {
  struct Case {
    const char* what;
    std::size_t bytes;
    std::ptrdiff_t offset;
    int access;
    ibv_wr_opcode opcode;
    unsigned qpAccess;
  };
  constexpr int readWrite = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ;
  for (const Case& one :
       {Case{"past the end", 100, 1, readWrite, IBV_WR_RDMA_WRITE, readWrite},
        Case{"before the beginning", 100, -1, readWrite, IBV_WR_RDMA_WRITE, readWrite},
        Case{"no write", 100, 0, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ, IBV_WR_RDMA_WRITE, readWrite},
        Case{"no read", 100, 0, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE, IBV_WR_RDMA_READ, readWrite},
        Case{"queue pair without write", 100, 0, readWrite, IBV_WR_RDMA_WRITE, 0},
        Case{"queue pair without read", 100, 0, readWrite, IBV_WR_RDMA_READ, 0}}) {
    SCOPED_TRACE(one.what);
    End sender;
    End owner({.access = one.qpAccess});
    connect(sender, owner);
    Memory local(sender, 100, 1);
    std::vector<unsigned char> memory(300);
    ibv_mr* const region = owner.add(memory.data() + 100, 100, one.access);
    ASSERT_EQ(
        sender.send(work(1, one.opcode, memory.data() + 100 + one.offset, region->rkey), {local.part(0, one.bytes)}),
        0);
    EXPECT_THAT(sender.awaitSend(), IsCompletion(1, IBV_WC_REM_ACCESS_ERR));
    takeEvents(owner, 1);
  }
}

TEST_F(Errors, MemoryOfAnotherDomain_IsNotReached) {
  End one;
  End other;
  connect(one, other);
  ibv_pd* const second = ibv_alloc_pd(other.context);
  Memory from(one, 100, 1);
  std::vector<char> memory(100);
  ibv_mr* const region = registerMemory(second, memory.data(), 100, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
  ASSERT_NE(region, nullptr);
  ASSERT_EQ(one.send(work(1, IBV_WR_RDMA_WRITE, memory.data(), region->rkey), {from.all()}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(1, IBV_WC_REM_ACCESS_ERR));
  takeEvents(other, 1);
  EXPECT_EQ(ibv_dereg_mr(region), 0);
  EXPECT_EQ(ibv_dealloc_pd(second), 0);
}

TEST_F(Errors, LocalMemory_IsGuarded) {
  End one;
  End other;
  connect(one, other);
  Memory from(one, 100, 1);
  ASSERT_EQ(other.receive(1, {}), 0);
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {}), 0);
  ibv_sge tooLong = from.all();
  ++tooLong.length;
  ASSERT_EQ(one.send(work(3, IBV_WR_SEND), {tooLong}), 0);
  const std::vector<ibv_wc> sent = End::await(one.sends, 2);
  EXPECT_THAT(sent[0], IsCompletion(2, IBV_WC_SUCCESS));
  EXPECT_THAT(sent[1], IsCompletion(3, IBV_WC_LOC_PROT_ERR));
  EXPECT_EQ(one.state(), IBV_QPS_ERR);
  EXPECT_EQ(other.state(), IBV_QPS_RTS) << "it is told nothing";
}

TEST_F(Errors, ReceiveThatIsNotRegistered_FailsAtBothEnds) {
  End one;
  End other;
  connect(one, other);
  Memory from(one, 100, 1);
  Memory to(other, 100);
  ASSERT_EQ(other.receive(1, {to.all()}), 0);
  to.deregister();
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {from.all()}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_REM_OP_ERR));
  EXPECT_THAT(other.awaitReceive(), IsCompletion(1, IBV_WC_LOC_PROT_ERR));
  takeEvents(other, 1);
}

TEST_F(Errors, MessageLongerThanItsReceive_FailsAtBothEnds) {
  End one;
  End other;
  connect(one, other);
  Memory from(one, 100, 1);
  Memory to(other, 99);
  ASSERT_EQ(other.receive(1, {to.all()}), 0);
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {from.all()}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_REM_INV_REQ_ERR));
  EXPECT_THAT(other.awaitReceive(), IsCompletion(1, IBV_WC_LOC_LEN_ERR));
  takeEvents(other, 1);
}

TEST_F(Errors, MessageLongerThanTheAdapterAllows_FailsAtTheSender) {
  resetWith([](Configuration& machine) { machine.devices[0].limits.messageBytes = 99; });
  End one;
  End other;
  connect(one, other);
  Memory from(one, 100, 1);
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {from.all()}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_LOC_LEN_ERR));
}

TEST_F(Errors, ReceiverNotReady_IsWaitedForAsOftenAsToldTo) {
  End one({.notReadyRetries = 2});
  End other;
  connect(one, other);
  ASSERT_EQ(one.send(work(1, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(1, IBV_WC_RNR_RETRY_EXC_ERR));
  EXPECT_EQ(counters(0, 1).notReady, 3U);
  EXPECT_EQ(other.state(), IBV_QPS_RTS);
}

TEST_F(Errors, ReceiverNotReady_IsWaitedForWithoutEndWithSeven) {
  End one({.notReadyRetries = 7});
  End other;
  connect(one, other);
  Memory from(one, 100, 3);
  Memory to(other, 100);
  ibv_send_wr wanted = work(2, IBV_WR_RDMA_WRITE_WITH_IMM, to.data(), to.region->rkey);
  ASSERT_EQ(one.send(work(1, IBV_WR_SEND), {}), 0);
  ASSERT_EQ(one.send(wanted, {from.all()}), 0);
  ASSERT_TRUE(eventually([] { return counters(0, 1).notReady > 20; }));
  ASSERT_EQ(other.receive(1, {}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(1, IBV_WC_SUCCESS));
  ASSERT_EQ(other.receive(2, {}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_SUCCESS));
  EXPECT_EQ(End::await(other.receives, 2)[1].opcode, IBV_WC_RECV_RDMA_WITH_IMM);
}

TEST_F(Errors, PartnerThatIsNotThere_IsGivenUp) {
  End one;
  End other;
  one.connect(other.name());  // but not the other way
  ASSERT_EQ(one.send(work(1, IBV_WR_SEND), {}), 0);
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND, 0), {}), 0);
  const std::vector<ibv_wc> sent = End::await(one.sends, 2);
  EXPECT_THAT(sent[0], IsCompletion(1, IBV_WC_RETRY_EXC_ERR));
  EXPECT_THAT(sent[1], IsCompletion(2, IBV_WC_WR_FLUSH_ERR));
  EXPECT_EQ(counters(0, 1).retries, 2U);
}

TEST_F(Errors, PartnerThatWasDestroyed_IsGivenUp) {
  End one;
  End other;
  connect(one, other);
  other.destroyQueuePair();
  ASSERT_EQ(one.send(work(1, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(1, IBV_WC_RETRY_EXC_ERR));
}

TEST_F(Errors, EndsThatDisagreeOnNumbers_DoNotMeet) {
  for (const std::uint32_t wrong : {0xfffff1U, 0xffffefU, 5U}) {
    End one;
    End other;
    Name name = one.name();
    one.connect(other.name());
    name.psn = wrong;
    other.connect(name);
    ASSERT_EQ(other.receive(1, {}), 0);
    ASSERT_EQ(one.send(work(1, IBV_WR_SEND), {}), 0);
    EXPECT_THAT(one.awaitSend(), IsCompletion(1, IBV_WC_RETRY_EXC_ERR)) << wrong;
  }
}

TEST_F(Errors, SomebodyElsesPartner_IsNotReached) {
  End one;
  End other;
  End stranger;
  connect(one, other);
  stranger.connect(other.name());
  ASSERT_EQ(other.receive(1, {}), 0);
  ASSERT_EQ(stranger.send(work(1, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(stranger.awaitSend(), IsCompletion(1, IBV_WC_RETRY_EXC_ERR));
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_SUCCESS));
}

TEST_F(Errors, FullCompletionQueue_Overflows) {
  End one({.entries = 2});
  End other({.entries = 8});
  connect(one, other);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_EQ(other.receive(i, {}), 0);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_EQ(one.send(work(i, IBV_WR_SEND), {}), 0);
  ibv_async_event event{};
  ASSERT_EQ(ibv_get_async_event(one.context, &event), 0);
  EXPECT_EQ(event.event_type, IBV_EVENT_CQ_ERR);
  EXPECT_EQ(event.element.cq, one.sends);
  ibv_ack_async_event(&event);
  takeEvents(one, 1);
  EXPECT_EQ(one.state(), IBV_QPS_ERR);
  EXPECT_EQ(End::await(one.sends, 2).size(), 2U);
  EXPECT_THAT(takeFailures(), ElementsAre(HasSubstr("overflowed")));
}

}  // namespace
}  // namespace fakeverbs
