// SPDX-License-Identifier: Apache-2.0
// What goes wrong because a test wants it to.
#include "tests/fakeverbs/fixture.h"

namespace fakeverbs {
namespace {

using ::testing::Each;
using ::testing::Field;

class Faults : public FakeVerbs {
 protected:
  static void sendMany(const End& one, const End& other, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_EQ(other.receive(i, {}), 0);
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_EQ(one.send(work(i, IBV_WR_SEND), {}), 0);
  }
};

TEST_F(Faults, OneCallOfMany_Fails) {
  End one;
  End other;
  connect(one, other);
  std::vector<char> memory(10);
  failCall("ibv_reg_mr", 2, EAGAIN);
  one.add(memory.data(), 10);
  errno = 0;
  EXPECT_EQ(registerMemory(one.domain, memory.data(), 10, 0), nullptr);
  EXPECT_EQ(errno, EAGAIN);
  one.add(memory.data(), 10);
  EXPECT_EQ(callCount("ibv_reg_mr"), 3);
  failCall("ibv_post_send", 1, EIO);
  EXPECT_EQ(one.send(work(1, IBV_WR_SEND), {}), EIO);
  failCall("ibv_modify_qp", 1, ETIMEDOUT);
  EXPECT_EQ(one.modify(one.toInit(), End::kInitMask), ETIMEDOUT);
  failCall("ibv_poll_cq", 1, EIO);
  ibv_wc none{};
  EXPECT_EQ(ibv_poll_cq(one.sends, 1, &none), -1);
  EXPECT_EQ(ibv_poll_cq(one.sends, 1, &none), 0);
}

TEST_F(Faults, FewLosses_AreMadeGood) {
  for (const Traffic traffic : {Traffic::requests, Traffic::responses}) {
    reset();
    End one;
    End other({.device = 1});
    connect(one, other);
    losePackets(traffic == Traffic::requests ? 0 : 1, 1, 5, 2, traffic);
    Memory from(one, 100000, 3);
    Memory to(other, 100000);
    Memory back(one, 100000);
    ASSERT_EQ(other.receive(1, {to.all()}), 0);
    ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {from.all()}), 0);
    ASSERT_EQ(one.send(work(3, IBV_WR_RDMA_READ, to.data(), to.region->rkey), {back.all()}), 0);
    EXPECT_THAT(End::await(one.sends, 2), Each(Field(&ibv_wc::status, IBV_WC_SUCCESS)));
    EXPECT_THAT(other.awaitReceive(), IsCompletion(1, IBV_WC_SUCCESS));
    EXPECT_EQ(from.bytes(), to.bytes());
    EXPECT_EQ(from.bytes(), back.bytes());
    EXPECT_EQ(counters().packetsLost, 2U);
    EXPECT_GT(counters(0, 1).retries, 0U);
  }
}

TEST_F(Faults, LostAcknowledgement_DoesNotDeliverTwice) {
  End one;
  End other({.device = 1});
  connect(one, other);
  losePackets(1, 1, 1, 1, Traffic::responses);
  sendMany(one, other, 3);
  EXPECT_THAT(End::await(one.sends, 3), Each(Field(&ibv_wc::status, IBV_WC_SUCCESS)));
  const std::vector<ibv_wc> received = End::await(other.receives, 3);
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_THAT(received[i], IsCompletion(i, IBV_WC_SUCCESS));
}

TEST_F(Faults, LostAcknowledgement_IsMadeGoodByALaterOne) {
  End one({.retries = 0});
  End other({.device = 1});
  connect(one, other);
  losePackets(1, 1, 1, 1, Traffic::responses);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_EQ(other.receive(i, {}), 0);
  ibv_send_wr second = work(1, IBV_WR_SEND);
  ibv_send_wr first = work(0, IBV_WR_SEND);
  first.next = &second;
  ibv_send_wr* bad = nullptr;
  ASSERT_EQ(ibv_post_send(one.qp, &first, &bad), 0);
  EXPECT_THAT(End::await(one.sends, 2), Each(Field(&ibv_wc::status, IBV_WC_SUCCESS)));
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_SUCCESS));
  EXPECT_EQ(counters(0, 1).retries, 0U);
}

TEST_F(Faults, LossForGood_IsGivenUp) {
  End one;
  End other;
  connect(one, other);
  losePackets(0, 1, 3);
  sendMany(one, other, 4);
  const std::vector<ibv_wc> sent = End::await(one.sends, 4);
  EXPECT_THAT(sent[1], IsCompletion(1, IBV_WC_SUCCESS));
  EXPECT_THAT(sent[2], IsCompletion(2, IBV_WC_RETRY_EXC_ERR));
  EXPECT_THAT(sent[3], IsCompletion(3, IBV_WC_WR_FLUSH_ERR));
}

TEST_F(Faults, LostWork_IsGivenUpThoughOthersPass) {
  End one;
  End other;
  End third;
  End fourth;
  connect(one, other);
  connect(third, fourth);
  loseWork(0, 1, 1);
  sendMany(one, other, 1);
  EXPECT_THAT(one.awaitSend(), IsCompletion(0, IBV_WC_RETRY_EXC_ERR));
  sendMany(third, fourth, 2);
  EXPECT_THAT(End::await(third.sends, 2), Each(Field(&ibv_wc::status, IBV_WC_SUCCESS)));
}

TEST_F(Faults, ChosenStatus_EndsTheQueuePair) {
  End one;
  End other;
  connect(one, other);
  failWork(0, 1, 2, IBV_WC_FATAL_ERR);
  sendMany(one, other, 3);
  const std::vector<ibv_wc> sent = End::await(one.sends, 3);
  EXPECT_THAT(sent[0], IsCompletion(0, IBV_WC_SUCCESS));
  EXPECT_THAT(sent[1], IsCompletion(1, IBV_WC_FATAL_ERR));
  EXPECT_THAT(sent[2], IsCompletion(2, IBV_WC_WR_FLUSH_ERR));
  EXPECT_EQ(End::await(other.receives, 1).size(), 1U);
}

TEST_F(Faults, QueuePair_BreaksOnItsOwn) {
  End one;
  End other;
  connect(one, other);
  breakQueuePair(0, 1, 1);
  sendMany(one, other, 1);
  EXPECT_THAT(one.awaitSend(), IsCompletion(0, IBV_WC_WR_FLUSH_ERR));
  ibv_async_event event{};
  ASSERT_EQ(ibv_get_async_event(one.context, &event), 0);
  EXPECT_EQ(event.event_type, IBV_EVENT_QP_FATAL);
  EXPECT_EQ(event.element.qp, one.qp);
  ibv_ack_async_event(&event);
}

TEST_F(Faults, Port_GoesDownAfterSomePackets) {
  End one;
  End other({.device = 1});
  connect(one, other);
  downAfter(0, 1, 2);
  sendMany(one, other, 2);
  EXPECT_THAT(End::await(one.sends, 2), Each(Field(&ibv_wc::status, IBV_WC_SUCCESS)));
  sendMany(one, other, 1);
  EXPECT_THAT(one.awaitSend(), IsCompletion(0, IBV_WC_RETRY_EXC_ERR));
  ibv_async_event event{};
  ASSERT_EQ(ibv_get_async_event(one.context, &event), 0);
  EXPECT_EQ(event.event_type, IBV_EVENT_PORT_ERR);
  ibv_ack_async_event(&event);
}

TEST_F(Faults, PortThatComesBackInTime_LosesNothing) {
  resetWith([](Configuration& machine) { machine.ackTimeout = std::chrono::milliseconds(100); });
  End one({.retries = 7});
  End other({.device = 1});
  connect(one, other);
  setPort(1, 1, false);
  sendMany(one, other, 1);
  ASSERT_TRUE(eventually([] { return counters(0, 1).packetsSent > 0; }));
  setPort(1, 1, true);
  EXPECT_THAT(one.awaitSend(), IsCompletion(0, IBV_WC_SUCCESS));
}

TEST_F(Faults, RefusedReceives_AreRetried) {
  End one;
  End other({.device = 1});
  connect(one, other);
  refuseReceives(1, 1, 5);
  sendMany(one, other, 2);
  EXPECT_THAT(End::await(one.sends, 2), Each(Field(&ibv_wc::status, IBV_WC_SUCCESS)));
  EXPECT_EQ(counters(1, 1).notReady, 5U);
}

TEST_F(Faults, HeldCompletions_AreOvertakenByOtherQueuePairs) {
  End one;
  End other;
  End third;
  End fourth;
  connect(one, other);
  connect(third, fourth);
  holdCompletions(one.qp->qp_num);
  sendMany(one, other, 2);
  EXPECT_EQ(End::await(other.receives, 2).size(), 2U);
  sendMany(third, fourth, 1);
  EXPECT_THAT(third.awaitSend(), IsCompletion(0, IBV_WC_SUCCESS));
  ibv_wc none{};
  EXPECT_EQ(ibv_poll_cq(one.sends, 1, &none), 0);
  releaseCompletions(one.qp->qp_num);
  const std::vector<ibv_wc> late = End::await(one.sends, 2);
  EXPECT_THAT(late[0], IsCompletion(0, IBV_WC_SUCCESS));
  EXPECT_THAT(late[1], IsCompletion(1, IBV_WC_SUCCESS));
}

TEST_F(Faults, DelayedCompletions_KeepTheirOrder) {
  delayCompletions(std::chrono::microseconds(50), std::chrono::microseconds(500));
  End one;
  End other;
  connect(one, other);
  sendMany(one, other, 40);
  const std::vector<ibv_wc> sent = End::await(one.sends, 40);
  const std::vector<ibv_wc> received = End::await(other.receives, 40);
  for (std::uint64_t i = 0; i < 40; ++i) {
    EXPECT_THAT(sent[i], IsCompletion(i, IBV_WC_SUCCESS));
    EXPECT_THAT(received[i], IsCompletion(i, IBV_WC_SUCCESS));
  }
}

TEST_F(Faults, DelayedCompletions_GoWithTheirQueuePair) {
  delayCompletions(std::chrono::seconds(1), std::chrono::microseconds(0));
  End one;
  End other({.shared = true});
  connect(one, other);
  sendMany(one, other, 3);
  ASSERT_TRUE(eventually([] { return counters(0, 1).packetsReceived >= 6; }));
}

TEST_F(Faults, PlansOfTheConfiguration_Happen) {
  resetWith([](Configuration& machine) {
    machine.faults = "fail=ibv_alloc_pd:3:12,failwork=0:1:2:19,rnrfor=1:1:3,lose=0:1:1:1+0:1:3:1,down=2:1";
    machine.devices.resize(3);
  });
  End one;
  End other({.device = 1});
  EXPECT_EQ(ibv_alloc_pd(one.context), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  connect(one, other);
  sendMany(one, other, 2);
  const std::vector<ibv_wc> sent = End::await(one.sends, 2);
  EXPECT_THAT(sent[0], IsCompletion(0, IBV_WC_SUCCESS));
  EXPECT_THAT(sent[1], IsCompletion(1, IBV_WC_FATAL_ERR));
  EXPECT_EQ(counters(1, 1).notReady, 3U);
  EXPECT_EQ(counters(0, 1).packetsLost, 2U);
  ibv_context* const third = openDevice(2);
  ibv_port_attr facts{};
  EXPECT_EQ(ibv_query_port(third, 1, &facts), 0);
  EXPECT_EQ(facts.state, IBV_PORT_DOWN);
  EXPECT_EQ(ibv_close_device(third), 0);
}

}  // namespace
}  // namespace fakeverbs
