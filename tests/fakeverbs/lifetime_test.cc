// SPDX-License-Identifier: Apache-2.0
// Making and destroying objects, and registered memory.
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fakeverbs/fixture.h"

namespace fakeverbs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Lifetime : public FakeVerbs {};

TEST_F(Lifetime, WrongOrder_IsBusy) {
  {
    End one({.shared = true, .channel = true});
    EXPECT_EQ(ibv_destroy_cq(one.sends), EBUSY);
    EXPECT_EQ(ibv_destroy_srq(one.shared), EBUSY);
    EXPECT_EQ(ibv_destroy_comp_channel(one.channel), EBUSY);
    EXPECT_EQ(ibv_dealloc_pd(one.domain), EBUSY);
    EXPECT_EQ(ibv_close_device(one.context), -1);
    EXPECT_EQ(errno, EBUSY);
    EXPECT_THAT(takeFailures(), ElementsAre(HasSubstr("closed with")));
    const LiveObjects live = liveObjects();
    EXPECT_EQ(live.queuePairs, 1U);
    EXPECT_EQ(live.completionQueues, 2U);
    EXPECT_EQ(live.sharedReceiveQueues, 1U);
    EXPECT_EQ(live.channels, 1U);
    EXPECT_EQ(live.contexts, 1U);
    one.destroyQueuePair();
    std::vector<int> memory(10);
    one.add(memory.data(), 40);
    EXPECT_EQ(ibv_dealloc_pd(one.domain), EBUSY);
    EXPECT_EQ(liveObjects().registeredBytes, 40U);
  }
  EXPECT_EQ(liveObjects(), LiveObjects{});
}

TEST_F(Lifetime, Limits_Hold) {
  resetWith([](Configuration& machine) {
    Limits& limits = machine.devices[0].limits;
    limits.queuePairs = 1;
    limits.memlockBytes = 1000;
    limits.inlineBytes = 64;
    limits.sges = 3;
    limits.entries = 500;
    limits.completionVectors = 1;
    limits.dmabuf = false;
  });
  End one({.limits = {1, 1, 3, 3, 64}});
  const auto make = [&](ibv_qp_cap limits, ibv_qp_type type = IBV_QPT_RC) {
    ibv_qp_init_attr wanted{};
    wanted.send_cq = wanted.recv_cq = one.sends;
    wanted.cap = limits;
    wanted.qp_type = type;
    errno = 0;
    EXPECT_EQ(ibv_create_qp(one.domain, &wanted), nullptr);
    return errno;
  };
  EXPECT_EQ(make({1, 1, 1, 1, 0}), ENOMEM);
  EXPECT_EQ(make({1, 1, 4, 1, 0}), EINVAL);
  EXPECT_EQ(make({1, 1, 1, 1, 65}), EINVAL);
  EXPECT_EQ(make({1 << 20, 1, 1, 1, 0}), EINVAL);
  EXPECT_EQ(make({1, 1, 1, 1, 0}, IBV_QPT_UD), EOPNOTSUPP);
  EXPECT_EQ(ibv_create_cq(one.context, 501, nullptr, nullptr, 0), nullptr);
  EXPECT_EQ(ibv_create_cq(one.context, 1, nullptr, nullptr, 1), nullptr);
  std::vector<char> memory(1001);
  ibv_mr* const first = one.add(memory.data(), 600);
  errno = 0;
  EXPECT_EQ(registerMemory(one.domain, memory.data(), 401, IBV_ACCESS_LOCAL_WRITE), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  one.add(memory.data(), 400);
  one.forget(first);
  one.add(memory.data(), 600);
  EXPECT_EQ(ibv_reg_dmabuf_mr(one.domain, 0, 1, 0, 0, IBV_ACCESS_LOCAL_WRITE), nullptr);
}

TEST_F(Lifetime, MemoryThatIsNotThere_CannotBeRegistered) {
  End one;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  auto* const two = static_cast<char*>(mmap(nullptr, 2 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_EQ(munmap(two + page, page), 0);
  errno = 0;
  EXPECT_EQ(registerMemory(one.domain, two, page + 1, IBV_ACCESS_LOCAL_WRITE), nullptr);
  EXPECT_EQ(errno, EFAULT);
  one.add(two, page);
  errno = 0;
  EXPECT_EQ(registerMemory(one.domain, two, page, IBV_ACCESS_REMOTE_WRITE), nullptr)
      << "a peer's write needs a local one";
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(munmap(two, page), 0);
}

TEST_F(Lifetime, ChosenAddresses_AreWhatRequestsName) {
  End one;
  End other;
  connect(one, other);
  Memory from(one, 100, 9);
  std::vector<unsigned char> to(100);
  ibv_mr* const region = ibv_reg_mr_iova2(
      other.domain, to.data(), 100, 0x1000,
      unsigned{IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE} | unsigned{IBV_ACCESS_RELAXED_ORDERING});
  ASSERT_NE(region, nullptr);
  ibv_send_wr wanted = work(1, IBV_WR_RDMA_WRITE);
  wanted.wr.rdma = {0x1000, region->rkey};
  ASSERT_EQ(one.send(wanted, {from.all()}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(1, IBV_WC_SUCCESS));
  EXPECT_EQ(from.bytes(), to);
  EXPECT_EQ(ibv_dereg_mr(region), 0);
}

TEST_F(Lifetime, RelaxedOrdering_IsRefusedWhereAnAdapterCannot) {
  resetWith([](Configuration& machine) { machine.devices[1].limits.relaxedOrdering = false; });
  constexpr unsigned kAccess = unsigned{IBV_ACCESS_LOCAL_WRITE} | unsigned{IBV_ACCESS_RELAXED_ORDERING};
  std::vector<unsigned char> memory(100);
  End other({.device = 1});
  EXPECT_EQ(ibv_reg_mr_iova2(other.domain, memory.data(), 100, 0x1000, kAccess), nullptr);
  EXPECT_EQ(errno, EOPNOTSUPP);
  End one;
  ibv_mr* const region = ibv_reg_mr_iova2(one.domain, memory.data(), 100, 0x1000, kAccess);
  ASSERT_NE(region, nullptr);
  const auto known = regions();
  ASSERT_EQ(known.size(), 1U);
  EXPECT_EQ(known[0].bytes, 100U);
  EXPECT_EQ(known[0].access, kAccess);
  EXPECT_EQ(ibv_dereg_mr(region), 0);
}

TEST_F(Lifetime, Dmabuf_IsWrittenThroughItsDescriptor) {
  End one;
  End other;
  connect(one, other);
  Memory from(one, 5000, 9);
  const int descriptor = memfd_create("buffer", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(descriptor, 20000), 0);
  ibv_mr* const region = ibv_reg_dmabuf_mr(other.domain, 5000, 5000, 0x70000, descriptor,
                                           IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
  ASSERT_NE(region, nullptr);
  ibv_send_wr wanted = work(1, IBV_WR_RDMA_WRITE);
  wanted.wr.rdma = {0x70000, region->rkey};
  ASSERT_EQ(one.send(wanted, {from.all()}), 0);
  EXPECT_THAT(one.awaitSend(), IsCompletion(1, IBV_WC_SUCCESS));
  std::vector<unsigned char> found(5000);
  ASSERT_EQ(pread(descriptor, found.data(), 5000, 5000), 5000);
  EXPECT_EQ(from.bytes(), found);
  EXPECT_EQ(ibv_dereg_mr(region), 0);
  EXPECT_EQ(close(descriptor), 0);
  EXPECT_EQ(ibv_reg_dmabuf_mr(other.domain, 0, 100, 0, descriptor, IBV_ACCESS_LOCAL_WRITE), nullptr);
}

}  // namespace
}  // namespace fakeverbs
