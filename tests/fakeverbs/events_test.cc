// SPDX-License-Identifier: Apache-2.0
// File descriptors that wake a program: completions and what happens to adapters.
#include <fcntl.h>
#include <poll.h>

#include "tests/fakeverbs/fixture.h"

namespace fakeverbs {
namespace {

class Events : public FakeVerbs {};

bool isReadable(int descriptor, int milliseconds = 0) {
  pollfd wanted{descriptor, POLLIN, 0};
  return poll(&wanted, 1, milliseconds) == 1;
}

constexpr int kLong = 30000;

ibv_async_event nextEvent(const End& end) {
  ibv_async_event event{};
  EXPECT_EQ(ibv_get_async_event(end.context, &event), 0);
  ibv_ack_async_event(&event);
  return event;
}

void expectCompletionEvent(const End& end, ibv_cq* from) {
  ibv_cq* queue = nullptr;
  void* argument = nullptr;
  ASSERT_EQ(ibv_get_cq_event(end.channel, &queue, &argument), 0);
  EXPECT_EQ(queue, from);
  EXPECT_EQ(argument, &end);
  ibv_ack_cq_events(queue, 1);
}

TEST_F(Events, ArmedQueue_WakesOnce) {
  End one;
  End other({.channel = true});
  connect(one, other);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_EQ(other.receive(i, {}), 0);
  ASSERT_EQ(one.send(work(1, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(other.awaitReceive(), IsCompletion(0, IBV_WC_SUCCESS));
  EXPECT_FALSE(isReadable(other.channel->fd)) << "nobody asked for an event";
  ASSERT_EQ(ibv_req_notify_cq(other.receives, 0), 0);
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {}), 0);
  EXPECT_TRUE(isReadable(other.channel->fd, kLong));
  expectCompletionEvent(other, other.receives);
  EXPECT_FALSE(isReadable(other.channel->fd));
  ASSERT_EQ(one.send(work(3, IBV_WR_SEND), {}), 0);
  EXPECT_EQ(End::await(other.receives, 2).size(), 2U);
  EXPECT_FALSE(isReadable(other.channel->fd)) << "it was not armed again";
}

TEST_F(Events, SolicitedOnly_PassesOverOrdinaryCompletions) {
  End one;
  End other({.channel = true});
  connect(one, other);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_EQ(other.receive(i, {}), 0);
  ASSERT_EQ(ibv_req_notify_cq(other.receives, 1), 0);
  ASSERT_EQ(one.send(work(1, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(other.awaitReceive(), IsCompletion(0, IBV_WC_SUCCESS));
  EXPECT_FALSE(isReadable(other.channel->fd));
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND, IBV_SEND_SIGNALED | IBV_SEND_SOLICITED), {}), 0);
  EXPECT_TRUE(isReadable(other.channel->fd, kLong));
  expectCompletionEvent(other, other.receives);
}

TEST_F(Events, SolicitedOnly_IsWokenByErrors) {
  End one({.channel = true});
  End other;
  connect(one, other);
  ASSERT_EQ(ibv_req_notify_cq(one.sends, 1), 0);
  Memory from(one, 10, 1);
  ibv_sge wrong = from.all();
  wrong.lkey = from.region->rkey;
  ASSERT_EQ(one.send(work(1, IBV_WR_SEND), {wrong}), 0);
  expectCompletionEvent(one, one.sends);
}

TEST_F(Events, WaitingForACompletion_BlocksUnlessTheDescriptorDoesNot) {
  End one;
  End other({.channel = true});
  connect(one, other);
  ASSERT_EQ(other.receive(1, {}), 0);
  ASSERT_EQ(ibv_req_notify_cq(other.receives, 0), 0);
  ASSERT_EQ(fcntl(other.channel->fd, F_SETFL, O_NONBLOCK), 0);
  ibv_cq* queue = nullptr;
  void* argument = nullptr;
  errno = 0;
  EXPECT_EQ(ibv_get_cq_event(other.channel, &queue, &argument), -1);
  EXPECT_EQ(errno, EAGAIN);
  ASSERT_EQ(fcntl(other.channel->fd, F_SETFL, 0), 0);
  std::thread waiting([&] { expectCompletionEvent(other, other.receives); });
  ASSERT_EQ(one.send(work(1, IBV_WR_SEND), {}), 0);
  waiting.join();
}

TEST_F(Events, DestroyingAQueue_WaitsForTheAcknowledgement) {
  End one;
  ibv_comp_channel* const channel = ibv_create_comp_channel(one.context);
  ibv_cq* const queue = ibv_create_cq(one.context, 4, nullptr, channel, 0);
  ibv_qp_init_attr wanted{};
  wanted.send_cq = wanted.recv_cq = queue;
  wanted.cap = {1, 1, 1, 1, 0};
  wanted.qp_type = IBV_QPT_RC;
  ibv_qp* const qp = ibv_create_qp(one.domain, &wanted);
  ibv_qp_attr attributes = one.toInit();
  ASSERT_EQ(ibv_modify_qp(qp, &attributes, End::kInitMask), 0);
  ASSERT_EQ(ibv_req_notify_cq(queue, 0), 0);
  ibv_recv_wr receive{};
  ibv_recv_wr* bad = nullptr;
  ASSERT_EQ(ibv_post_recv(qp, &receive, &bad), 0);
  attributes.qp_state = IBV_QPS_ERR;
  ASSERT_EQ(ibv_modify_qp(qp, &attributes, IBV_QP_STATE), 0);
  ibv_cq* from = nullptr;
  void* argument = nullptr;
  ASSERT_EQ(ibv_get_cq_event(channel, &from, &argument), 0);
  ASSERT_EQ(ibv_destroy_qp(qp), 0);
  std::thread late([&] { ibv_ack_cq_events(queue, 1); });
  EXPECT_EQ(ibv_destroy_comp_channel(channel), EBUSY);
  EXPECT_EQ(ibv_destroy_cq(queue), 0);
  late.join();
  EXPECT_EQ(ibv_destroy_comp_channel(channel), 0);
}

TEST_F(Events, EventNobodyTook_GoesWithItsQueue) {
  End one({.channel = true});
  End other({.channel = true});
  connect(one, other);
  ASSERT_EQ(other.receive(1, {}), 0);
  ASSERT_EQ(ibv_req_notify_cq(other.receives, 0), 0);
  ASSERT_EQ(one.send(work(1, IBV_WR_SEND), {}), 0);
  EXPECT_TRUE(isReadable(other.channel->fd, kLong));
}

TEST_F(Events, Port_GoesDownAndComesUp) {
  End one({.device = 1});
  EXPECT_FALSE(isReadable(one.context->async_fd));
  setPort(1, 1, false);
  setPort(1, 1, false);
  EXPECT_TRUE(isReadable(one.context->async_fd));
  ibv_async_event event = nextEvent(one);
  EXPECT_EQ(event.event_type, IBV_EVENT_PORT_ERR);
  EXPECT_EQ(event.element.port_num, 1);
  ibv_port_attr facts{};
  ASSERT_EQ(ibv_query_port(one.context, 1, &facts), 0);
  EXPECT_EQ(facts.state, IBV_PORT_DOWN);
  setPort(1, 1, true);
  event = nextEvent(one);
  EXPECT_EQ(event.event_type, IBV_EVENT_PORT_ACTIVE);
  EXPECT_FALSE(isReadable(one.context->async_fd));
}

TEST_F(Events, Gids_Change) {
  End one;
  setGids(0, 1, {{"2001:db8::1"}, {""}});
  EXPECT_EQ(nextEvent(one).event_type, IBV_EVENT_GID_CHANGE);
}

TEST_F(Events, LostAdapter_TakesItsQueuePairsAlong) {
  End one;
  End other({.device = 1, .shared = true});
  connect(one, other);
  ASSERT_EQ(one.receive(1, {}), 0);
  loseDevice(0);
  EXPECT_EQ(nextEvent(one).event_type, IBV_EVENT_DEVICE_FATAL);
  EXPECT_THAT(one.awaitReceive(), IsCompletion(1, IBV_WC_WR_FLUSH_ERR));
  EXPECT_EQ(one.send(work(1, IBV_WR_SEND), {}), EIO);
  EXPECT_EQ(ibv_alloc_pd(one.context), nullptr);
  EXPECT_EQ(errno, EIO);
  EXPECT_EQ(other.state(), IBV_QPS_RTS);
  ASSERT_EQ(other.send(work(2, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(other.awaitSend(), IsCompletion(2, IBV_WC_RETRY_EXC_ERR));
  EXPECT_EQ(nextEvent(other).event_type, IBV_EVENT_QP_LAST_WQE_REACHED);
}

}  // namespace
}  // namespace fakeverbs
