// SPDX-License-Identifier: Apache-2.0
// Random work in both directions while packets are lost, receivers are not ready and completions come late: every byte
// arrives, once, and in order.
#include <algorithm>
#include <map>
#include <random>

#include "tests/fakeverbs/fixture.h"

namespace fakeverbs {
namespace {

class Stress : public FakeVerbs {};

constexpr std::size_t kLargest = 20000;
constexpr int kDepth = 8;

/// One direction of a connection: what the sender has sent, as the receiver will have to find it.
class Stream {
 public:
  Stream(End& sender, End& receiver, unsigned seed)
      : sender_(sender),
        receiver_(receiver),
        random_(seed),
        source_(sender, kDepth * kLargest),
        written_(receiver, kDepth * kLargest),
        received_(receiver, kDepth * kLargest) {}

  void run(int messages) {
    for (int done = 0; done < messages; done += kDepth) round(std::min(kDepth, messages - done));
  }

 private:
  struct Message {
    ibv_wr_opcode opcode;
    std::size_t bytes;
  };

  unsigned pick(unsigned below) { return std::uniform_int_distribution<unsigned>(0, below - 1)(random_); }

  /// Posts some messages, then the receives that they need, and looks at what has come.
  void round(int count) {
    static constexpr ibv_wr_opcode kinds[] = {IBV_WR_SEND, IBV_WR_SEND_WITH_IMM, IBV_WR_RDMA_WRITE,
                                              IBV_WR_RDMA_WRITE_WITH_IMM};
    std::vector<Message> messages;
    for (int i = 0; i < count; ++i) {
      messages.push_back({kinds[pick(4)], pick(3) == 0 ? pick(kLargest) : pick(300)});
      post(static_cast<std::size_t>(i), messages.back());
    }
    std::vector<std::size_t> noticed;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (messages[i].opcode == IBV_WR_RDMA_WRITE) continue;
      noticed.push_back(i);
      ASSERT_EQ(receiver_.receive(i, {received_.part(i * kLargest, kLargest)}), 0);
    }
    const std::vector<ibv_wc> arrived = End::await(receiver_.receives, noticed.size());
    for (std::size_t i = 0; i < noticed.size(); ++i) check(noticed[i], messages[noticed[i]], arrived[i]);
    const std::vector<ibv_wc> sent = End::await(sender_.sends, messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
      ASSERT_THAT(sent[i], IsCompletion(i, IBV_WC_SUCCESS));
      const bool writes = messages[i].opcode == IBV_WR_RDMA_WRITE || messages[i].opcode == IBV_WR_RDMA_WRITE_WITH_IMM;
      const unsigned char* const found = (writes ? written_ : received_).data() + i * kLargest;
      ASSERT_EQ(std::memcmp(found, source_.data() + i * kLargest, messages[i].bytes), 0);
    }
  }

  void post(std::size_t number, const Message& message) {
    unsigned char* const data = source_.data() + number * kLargest;
    std::generate_n(data, message.bytes, [&] { return static_cast<unsigned char>(random_()); });
    ibv_send_wr wanted = work(number, message.opcode, written_.data() + number * kLargest, written_.region->rkey);
    wanted.imm_data = static_cast<std::uint32_t>(number);
    if (message.bytes <= 128 && pick(2) == 0) wanted.send_flags |= IBV_SEND_INLINE;
    const std::size_t cut = message.bytes == 0 ? 0 : pick(static_cast<unsigned>(message.bytes));
    ASSERT_EQ(sender_.send(wanted, {source_.part(number * kLargest, cut),
                                    source_.part(number * kLargest + cut, message.bytes - cut)}),
              0);
  }

  static void check(std::size_t number, const Message& message, const ibv_wc& arrived) {
    ASSERT_THAT(arrived, IsCompletion(number, IBV_WC_SUCCESS));
    ASSERT_EQ(arrived.byte_len, message.bytes);
    ASSERT_EQ(arrived.imm_data, message.opcode == IBV_WR_SEND ? 0 : number);
  }

  End& sender_;
  End& receiver_;
  std::mt19937 random_;
  Memory source_;
  Memory written_;
  Memory received_;
};

TEST_F(Stress, RandomWork_ArrivesWhateverHappensOnTheWay) {
#ifdef ATOLL_SANITIZED
  constexpr int messages = 200;
#else
  constexpr int messages = 1000;
#endif
  resetWith([](Configuration& machine) {
    machine.ackTimeout = std::chrono::microseconds(20);
    machine.rnrTimeout = std::chrono::microseconds(20);
    machine.completionJitter = std::chrono::microseconds(50);
  });
  std::vector<std::thread> threads;
  for (int pair = 0; pair < 3; ++pair) {
    threads.emplace_back([pair] {
      const Options options{.limits = {64, 64, 4, 4, 128}, .mtu = pair == 0 ? IBV_MTU_256 : IBV_MTU_4096, .retries = 7};
      Options far = options;
      far.device = 1;
      far.shared = pair == 1;
      End one(options);
      End other(far);
      connect(one, other);
      const auto seed = static_cast<unsigned>(pair);
      Stream there(one, other, seed);
      Stream back(other, one, seed + 10);
      std::thread second([&] { back.run(messages); });
      there.run(messages);
      second.join();
    });
  }
  // One packet in some hundreds, either way, at either adapter.
  for (int loss = 1; loss <= 40; ++loss) {
    for (const int device : {0, 1}) {
      losePackets(device, 1, loss * 37, 1, Traffic::requests);
      losePackets(device, 1, loss * 41, 1, Traffic::responses);
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(counters().packetsLost, 0U);
}

}  // namespace
}  // namespace fakeverbs
