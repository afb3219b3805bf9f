// SPDX-License-Identifier: Apache-2.0
// What the tests of the fake verbs share: one end of a connection with all its objects.
#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/fakeverbs/fakeverbs.h"

namespace fakeverbs {

inline void PrintTo(const LiveObjects& live, std::ostream* out) {
  *out << live.deviceLists << " lists, " << live.contexts << " contexts, " << live.protectionDomains << " domains, "
       << live.memoryRegions << " regions of " << live.registeredBytes << " bytes, " << live.channels << " channels, "
       << live.completionQueues << " completion queues, " << live.sharedReceiveQueues << " shared queues, "
       << live.queuePairs << " queue pairs, " << live.addressHandles << " address handles";
}

/// Fresh adapters for each test, which has to leave nothing behind.
class FakeVerbs : public ::testing::Test {
 protected:
  void SetUp() override { reset(); }
  void TearDown() override {
    EXPECT_THAT(takeFailures(), ::testing::IsEmpty());
    EXPECT_EQ(liveObjects(), LiveObjects{});
  }

  template <class Change>
  static void resetWith(Change&& change) {
    Configuration machine = configurationFromEnvironment();
    change(machine);
    reset(machine);
  }
};

/// Repeats until it is true. Far longer than anything takes, so that only what never happens fails.
template <class Condition>
bool eventually(Condition&& condition) {
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > patience) return false;
    std::this_thread::yield();
  }
  return true;
}

inline ibv_context* openDevice(int number) {
  int count = 0;
  ibv_device** const list = ibv_get_device_list(&count);
  EXPECT_LT(number, count);
  ibv_context* const context = ibv_open_device(list[number]);
  EXPECT_NE(context, nullptr);
  ibv_free_device_list(list);
  return context;
}

/// The function, not the macro of its name, which may call another one.
inline ibv_mr* registerMemory(ibv_pd* domain, void* memory, std::size_t bytes, int access) {
  return (ibv_reg_mr)(domain, memory, bytes, access);
}

struct Options {
  int device = 0;
  std::uint8_t port = 1;
  std::uint8_t gidIndex = 3;
  int entries = 256;
  bool shared = false;   ///< receives come from a shared queue
  bool channel = false;  ///< the completion queues have one
  ibv_qp_cap limits = {64, 64, 4, 4, 128};
  unsigned access = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ;
  bool signalAll = false;
  ibv_mtu mtu = IBV_MTU_1024;
  std::uint8_t retries = 2;
  std::uint8_t notReadyRetries = 7;
  std::uint32_t psn = 0xfffff0;  ///< numbers of packets wrap around soon
};

/// What the other end has to know.
struct Name {
  ibv_gid gid;
  std::uint16_t lid;
  std::uint32_t qp;
  std::uint32_t psn;
};

/// Everything that one end of a connection needs, destroyed at the end.
class End {
 public:
  explicit End(Options options = {}) : options_(options), context(openDevice(options.device)) {
    domain = ibv_alloc_pd(context);
    if (options.channel) channel = ibv_create_comp_channel(context);
    sends = ibv_create_cq(context, options.entries, this, channel, 0);
    receives = ibv_create_cq(context, options.entries, this, channel, 0);
    if (options.shared) {
      ibv_srq_init_attr wanted{nullptr, {64, 4, 0}};
      shared = ibv_create_srq(domain, &wanted);
      EXPECT_NE(shared, nullptr);
    }
    ibv_qp_init_attr wanted{};
    wanted.send_cq = sends;
    wanted.recv_cq = receives;
    wanted.srq = shared;
    wanted.cap = options.limits;
    wanted.qp_type = IBV_QPT_RC;
    wanted.sq_sig_all = options.signalAll ? 1 : 0;
    qp = ibv_create_qp(domain, &wanted);
    EXPECT_NE(qp, nullptr);
  }
  ~End() {
    destroyQueuePair();
    if (shared != nullptr) {
      EXPECT_EQ(ibv_destroy_srq(shared), 0);
    }
    EXPECT_EQ(ibv_destroy_cq(sends), 0);
    EXPECT_EQ(ibv_destroy_cq(receives), 0);
    if (channel != nullptr) {
      EXPECT_EQ(ibv_destroy_comp_channel(channel), 0);
    }
    for (ibv_mr* region : regions_) EXPECT_EQ(ibv_dereg_mr(region), 0);
    EXPECT_EQ(ibv_dealloc_pd(domain), 0);
    EXPECT_EQ(ibv_close_device(context), 0);
  }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  void destroyQueuePair() {
    if (qp != nullptr) {
      EXPECT_EQ(ibv_destroy_qp(std::exchange(qp, nullptr)), 0);
    }
  }

  ibv_mr* add(void* memory, std::size_t bytes,
              int access = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ) {
    ibv_mr* const region = registerMemory(domain, memory, bytes, access);
    EXPECT_NE(region, nullptr);
    regions_.push_back(region);
    return region;
  }
  void forget(ibv_mr* region) {
    EXPECT_EQ(ibv_dereg_mr(region), 0);
    std::erase(regions_, region);
  }

  [[nodiscard]] Name name() const {
    Name made{};
    ibv_port_attr facts{};
    EXPECT_EQ(ibv_query_port(context, options_.port, &facts), 0);
    if (options_.gidIndex < facts.gid_tbl_len) {
      EXPECT_EQ(ibv_query_gid(context, options_.port, options_.gidIndex, &made.gid), 0);
    }
    made.lid = facts.lid;
    made.qp = qp->qp_num;
    made.psn = options_.psn;
    return made;
  }

  [[nodiscard]] ibv_qp_attr toInit() const {
    ibv_qp_attr wanted{};
    wanted.qp_state = IBV_QPS_INIT;
    wanted.port_num = options_.port;
    wanted.qp_access_flags = options_.access;
    return wanted;
  }
  [[nodiscard]] ibv_qp_attr toReceive(const Name& partner) const {
    ibv_qp_attr wanted{};
    wanted.qp_state = IBV_QPS_RTR;
    wanted.path_mtu = options_.mtu;
    wanted.dest_qp_num = partner.qp;
    wanted.rq_psn = partner.psn;
    wanted.max_dest_rd_atomic = 4;
    wanted.min_rnr_timer = 1;
    wanted.ah_attr.is_global = 1;
    wanted.ah_attr.port_num = options_.port;
    wanted.ah_attr.grh.dgid = partner.gid;
    wanted.ah_attr.grh.sgid_index = options_.gidIndex;
    wanted.ah_attr.grh.hop_limit = 64;
    return wanted;
  }
  [[nodiscard]] ibv_qp_attr toSend() const {
    ibv_qp_attr wanted{};
    wanted.qp_state = IBV_QPS_RTS;
    wanted.timeout = 14;
    wanted.retry_cnt = options_.retries;
    wanted.rnr_retry = options_.notReadyRetries;
    wanted.sq_psn = options_.psn;
    wanted.max_rd_atomic = 4;
    return wanted;
  }

  static constexpr int kInitMask = IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS;
  static constexpr int kReceiveMask = IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
                                      IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER;
  static constexpr int kSendMask =
      IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC;

  int modify(ibv_qp_attr wanted, int mask) const { return ibv_modify_qp(qp, &wanted, mask); }

  void connect(const Name& partner) const {
    EXPECT_EQ(modify(toInit(), kInitMask), 0);
    EXPECT_EQ(modify(toReceive(partner), kReceiveMask), 0);
    EXPECT_EQ(modify(toSend(), kSendMask), 0);
  }

  int receive(std::uint64_t id, std::vector<ibv_sge> parts) const {
    ibv_recv_wr wanted{id, nullptr, parts.data(), static_cast<int>(parts.size())};
    ibv_recv_wr* bad = nullptr;
    const int error = shared != nullptr ? ibv_post_srq_recv(shared, &wanted, &bad) : ibv_post_recv(qp, &wanted, &bad);
    EXPECT_EQ(bad, error == 0 ? nullptr : &wanted);
    return error;
  }

  int send(ibv_send_wr wanted, std::vector<ibv_sge> parts) const {
    ibv_send_wr* bad = nullptr;
    wanted.sg_list = parts.data();
    wanted.num_sge = static_cast<int>(parts.size());
    const int error = ibv_post_send(qp, &wanted, &bad);
    EXPECT_EQ(bad, error == 0 ? nullptr : &wanted);
    return error;
  }

  /// The next `count` completions.
  [[nodiscard]] static std::vector<ibv_wc> await(ibv_cq* queue, std::size_t count) {
    std::vector<ibv_wc> all;
    EXPECT_TRUE(eventually([&] {
      ibv_wc next{};
      const int polled = ibv_poll_cq(queue, 1, &next);
      EXPECT_GE(polled, 0);
      if (polled == 1) all.push_back(next);
      return all.size() == count || polled < 0;
    })) << all.size()
        << " completions of " << count;
    all.resize(count);
    return all;
  }
  [[nodiscard]] ibv_wc awaitSend() const { return await(sends, 1).front(); }
  [[nodiscard]] ibv_wc awaitReceive() const { return await(receives, 1).front(); }

  [[nodiscard]] ibv_qp_state state() const {
    ibv_qp_attr attributes{};
    ibv_qp_init_attr made{};
    EXPECT_EQ(ibv_query_qp(qp, &attributes, IBV_QP_STATE, &made), 0);
    return attributes.qp_state;
  }

 private:
  Options options_;
  std::vector<ibv_mr*> regions_;

 public:
  ibv_context* context = nullptr;
  ibv_pd* domain = nullptr;
  ibv_comp_channel* channel = nullptr;
  ibv_cq* sends = nullptr;
  ibv_cq* receives = nullptr;
  ibv_srq* shared = nullptr;
  ibv_qp* qp = nullptr;
};

inline void connect(const End& one, const End& other) {
  one.connect(other.name());
  other.connect(one.name());
}

inline ibv_send_wr work(std::uint64_t id, ibv_wr_opcode opcode, unsigned flags = IBV_SEND_SIGNALED) {
  ibv_send_wr made{};
  made.wr_id = id;
  made.opcode = opcode;
  made.send_flags = flags;
  return made;
}

inline ibv_send_wr work(std::uint64_t id, ibv_wr_opcode opcode, const void* remote, std::uint32_t key,
                        unsigned flags = IBV_SEND_SIGNALED) {
  ibv_send_wr made = work(id, opcode, flags);
  made.wr.rdma.remote_addr = reinterpret_cast<std::uintptr_t>(remote);
  made.wr.rdma.rkey = key;
  return made;
}

/// Bytes that are registered at an end, for as long as they are there: a partner may still have been reading them,
/// which nothing but the end of the registration waits for.
class Memory {
 public:
  Memory(End& owner, std::size_t bytes, unsigned seed = 0) : owner_(owner), bytes_(bytes) {
    for (std::size_t i = 0; i < bytes; ++i) bytes_[i] = static_cast<unsigned char>(seed == 0 ? 0 : i * seed + seed);
    region = owner.add(bytes_.data(), bytes);
  }
  ~Memory() { deregister(); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  void deregister() {
    if (region != nullptr) owner_.forget(std::exchange(region, nullptr));
  }
  [[nodiscard]] ibv_sge part(std::size_t offset, std::size_t bytes) const {
    return {reinterpret_cast<std::uintptr_t>(bytes_.data() + offset), static_cast<std::uint32_t>(bytes), region->lkey};
  }
  [[nodiscard]] ibv_sge all() const { return part(0, bytes_.size()); }
  [[nodiscard]] unsigned char* data() { return bytes_.data(); }
  [[nodiscard]] const std::vector<unsigned char>& bytes() const { return bytes_; }

 private:
  End& owner_;
  std::vector<unsigned char> bytes_;

 public:
  ibv_mr* region = nullptr;
};

MATCHER_P2(IsCompletion, id, status, "") {
  *result_listener << "id " << arg.wr_id << ", " << ibv_wc_status_str(arg.status);
  return arg.wr_id == static_cast<std::uint64_t>(id) && arg.status == status;
}

}  // namespace fakeverbs
