// SPDX-License-Identifier: Apache-2.0
// A queue pair's way from RESET to RTS, and what is refused on it.
#include "tests/fakeverbs/fixture.h"

namespace fakeverbs {
namespace {

class States : public FakeVerbs {};

TEST_F(States, WayUp_NeedsEveryAttributeOfEachStep) {
  End one;
  End other;
  const ibv_qp_attr init = one.toInit();
  for (const int missing : {IBV_QP_PKEY_INDEX, IBV_QP_PORT, IBV_QP_ACCESS_FLAGS}) {
    EXPECT_EQ(one.modify(init, End::kInitMask & ~missing), EINVAL) << missing;
  }
  EXPECT_EQ(one.modify(init, End::kInitMask | IBV_QP_QKEY), EINVAL);
  EXPECT_EQ(one.modify(one.toReceive(other.name()), End::kReceiveMask), EINVAL);
  ASSERT_EQ(one.modify(init, End::kInitMask), 0);
  EXPECT_EQ(one.qp->state, IBV_QPS_INIT);

  const ibv_qp_attr receive = one.toReceive(other.name());
  for (const int missing :
       {IBV_QP_AV, IBV_QP_PATH_MTU, IBV_QP_DEST_QPN, IBV_QP_RQ_PSN, IBV_QP_MAX_DEST_RD_ATOMIC, IBV_QP_MIN_RNR_TIMER}) {
    EXPECT_EQ(one.modify(receive, End::kReceiveMask & ~missing), EINVAL) << missing;
  }
  EXPECT_EQ(one.modify(one.toSend(), End::kSendMask), EINVAL);
  ASSERT_EQ(one.modify(receive, End::kReceiveMask), 0);

  const ibv_qp_attr send = one.toSend();
  for (const int missing :
       {IBV_QP_TIMEOUT, IBV_QP_RETRY_CNT, IBV_QP_RNR_RETRY, IBV_QP_SQ_PSN, IBV_QP_MAX_QP_RD_ATOMIC}) {
    EXPECT_EQ(one.modify(send, End::kSendMask & ~missing), EINVAL) << missing;
  }
  ASSERT_EQ(one.modify(send, End::kSendMask), 0);
  EXPECT_EQ(one.state(), IBV_QPS_RTS);
}

TEST_F(States, ValuesThatCannotBe_AreRefused) {
  resetWith([](Configuration& machine) { machine.devices[0].ports[0].mtu = 2048; });
  End one;
  End other;
  const auto refused = [&](ibv_qp_attr attributes, int mask, auto change) {
    change(attributes);
    EXPECT_EQ(one.modify(attributes, mask), EINVAL);
  };
  refused(one.toInit(), End::kInitMask, [](ibv_qp_attr& all) { all.port_num = 2; });
  refused(one.toInit(), End::kInitMask, [](ibv_qp_attr& all) { all.port_num = 0; });
  refused(one.toInit(), End::kInitMask, [](ibv_qp_attr& all) { all.pkey_index = 1; });
  ASSERT_EQ(one.modify(one.toInit(), End::kInitMask), 0);
  const ibv_qp_attr receive = one.toReceive(other.name());
  refused(receive, End::kReceiveMask, [](ibv_qp_attr& all) { all.path_mtu = IBV_MTU_4096; });
  refused(receive, End::kReceiveMask, [](ibv_qp_attr& all) { all.dest_qp_num = 1 << 24; });
  refused(receive, End::kReceiveMask, [](ibv_qp_attr& all) { all.min_rnr_timer = 32; });
  refused(receive, End::kReceiveMask, [](ibv_qp_attr& all) { all.ah_attr.is_global = 0; });
  refused(receive, End::kReceiveMask, [](ibv_qp_attr& all) { all.ah_attr.port_num = 2; });
  refused(receive, End::kReceiveMask, [](ibv_qp_attr& all) { all.ah_attr.grh.sgid_index = 4; });
  refused(receive, End::kReceiveMask, [](ibv_qp_attr& all) { all.ah_attr.grh.dgid = {}; });
  ASSERT_EQ(one.modify(receive, End::kReceiveMask), 0);
  refused(one.toSend(), End::kSendMask, [](ibv_qp_attr& all) { all.retry_cnt = 8; });
  refused(one.toSend(), End::kSendMask, [](ibv_qp_attr& all) { all.rnr_retry = 8; });
  refused(one.toSend(), End::kSendMask, [](ibv_qp_attr& all) { all.timeout = 32; });
}

TEST_F(States, Posting_NeedsTheState) {
  End one;
  End other;
  EXPECT_EQ(one.receive(1, {}), EINVAL);
  EXPECT_EQ(one.send(work(1, IBV_WR_SEND), {}), EINVAL);
  ASSERT_EQ(one.modify(one.toInit(), End::kInitMask), 0);
  EXPECT_EQ(one.receive(1, {}), 0);
  EXPECT_EQ(one.send(work(1, IBV_WR_SEND), {}), EINVAL);
  ASSERT_EQ(one.modify(one.toReceive(other.name()), End::kReceiveMask), 0);
  EXPECT_EQ(one.send(work(1, IBV_WR_SEND), {}), EINVAL);
}

TEST_F(States, PartnerReadyToReceive_IsEnoughToSendToIt) {
  End one;
  End other;
  one.connect(other.name());
  ASSERT_EQ(other.modify(other.toInit(), End::kInitMask), 0);
  ASSERT_EQ(other.modify(other.toReceive(one.name()), End::kReceiveMask), 0);
  ASSERT_EQ(other.receive(1, {}), 0);
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_SUCCESS));
  EXPECT_THAT(other.awaitReceive(), IsCompletion(1, IBV_WC_SUCCESS));
}

TEST_F(States, Error_FlushesWhatIsPostedAndWhatWillBe) {
  End one;
  End other;
  connect(one, other);
  ASSERT_EQ(one.receive(1, {}), 0);
  ASSERT_EQ(one.receive(2, {}), 0);
  ibv_qp_attr error{};
  error.qp_state = IBV_QPS_ERR;
  ASSERT_EQ(one.modify(error, IBV_QP_STATE), 0);
  const std::vector<ibv_wc> flushed = End::await(one.receives, 2);
  EXPECT_THAT(flushed[0], IsCompletion(1, IBV_WC_WR_FLUSH_ERR));
  EXPECT_THAT(flushed[1], IsCompletion(2, IBV_WC_WR_FLUSH_ERR));
  ASSERT_EQ(one.receive(3, {}), 0);
  ASSERT_EQ(one.send(work(4, IBV_WR_SEND, 0), {}), 0);
  EXPECT_THAT(one.awaitReceive(), IsCompletion(3, IBV_WC_WR_FLUSH_ERR));
  EXPECT_THAT(one.awaitSend(), IsCompletion(4, IBV_WC_WR_FLUSH_ERR));
}

TEST_F(States, Reset_ForgetsAndBeginsAnew) {
  End one;
  End other;
  connect(one, other);
  ASSERT_EQ(one.receive(1, {}), 0);
  ibv_qp_attr reset{};
  reset.qp_state = IBV_QPS_RESET;
  ASSERT_EQ(one.modify(reset, IBV_QP_STATE), 0);
  ASSERT_EQ(other.modify(reset, IBV_QP_STATE), 0);
  ibv_wc none{};
  EXPECT_EQ(ibv_poll_cq(one.receives, 1, &none), 0);
  connect(one, other);
  ASSERT_EQ(other.receive(5, {}), 0);
  ASSERT_EQ(one.send(work(6, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(other.awaitReceive(), IsCompletion(5, IBV_WC_SUCCESS));
  EXPECT_THAT(one.awaitSend(), IsCompletion(6, IBV_WC_SUCCESS));
}

TEST_F(States, DestroyedQueuePair_TakesItsCompletionsAlong) {
  End one;
  End other;
  connect(one, other);
  ASSERT_EQ(other.receive(1, {}), 0);
  ASSERT_EQ(one.send(work(2, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(2, IBV_WC_SUCCESS));
  other.destroyQueuePair();
  ibv_wc none{};
  EXPECT_EQ(ibv_poll_cq(other.receives, 1, &none), 0);
}

}  // namespace
}  // namespace fakeverbs
