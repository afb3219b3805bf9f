// SPDX-License-Identifier: Apache-2.0
// Another process for the tests: it does what its first argument says and ends with 0 if all went well.
#include <unistd.h>

#include <functional>
#include <map>

#include "tests/fakeverbs/talk.h"

namespace fakeverbs {
namespace {

constexpr int kTest = STDIN_FILENO;

/// Sends back what it receives, until something empty comes.
void echo() {
  End end({.device = 1, .mtu = IBV_MTU_4096});
  Memory memory(end, 200000);
  connectOver(kTest, end, [&] { EXPECT_EQ(end.receive(1, {memory.all()}), 0); });
  for (;;) {
    const ibv_wc received = end.awaitReceive();
    EXPECT_EQ(received.status, IBV_WC_SUCCESS);
    if (received.byte_len == 0 || received.status != IBV_WC_SUCCESS) break;
    EXPECT_EQ(end.receive(1, {memory.all()}), 0);  // of the same memory: the test waits for the answer
    EXPECT_EQ(end.send(work(2, IBV_WR_SEND), {memory.part(0, received.byte_len)}), 0);
    EXPECT_EQ(end.awaitSend().status, IBV_WC_SUCCESS);
  }
}

/// Lends its memory; the last byte that the test writes comes with an immediate value.
void lend() {
  End end({.device = 1});
  Memory memory(end, 100000);
  connectOver(kTest, end, [&] { EXPECT_EQ(end.receive(1, {}), 0); });
  tell(kTest, Window{reinterpret_cast<std::uintptr_t>(memory.data()), memory.region->rkey});
  const ibv_wc received = end.awaitReceive();
  EXPECT_EQ(received.opcode, IBV_WC_RECV_RDMA_WITH_IMM);
  EXPECT_EQ(received.imm_data, 77U);
  for (std::size_t i = 0; i < memory.bytes().size(); ++i) {
    ASSERT_EQ(memory.bytes()[i], static_cast<unsigned char>(i * 3 + 3)) << i;
  }
  hear<char>(kTest);  // the test reads it
}

/// Sends much and receives as much at the same time, as the test does.
void flood() {
  Flood traffic(3);
  connectOver(kTest, traffic.end, [&] { traffic.receive(); });
  traffic.send();
  traffic.finish(5);
  hear<char>(kTest);  // the test may still want answers
}

/// Receives late.
void late() {
  End end;
  connectOver(kTest, end);
  hear<char>(kTest);
  EXPECT_EQ(end.receive(1, {}), 0);
  EXPECT_EQ(end.awaitReceive().status, IBV_WC_SUCCESS);
  hear<char>(kTest);
}

/// Ends in the middle of everything.
void vanish() {
  End end;
  Memory memory(end, 1000);
  connectOver(kTest, end, [&] {
    for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(end.receive(i, {memory.all()}), 0);
  });
  hear<char>(kTest);
  _exit(0);
}

/// Overflows a completion queue and does not look at what that is.
void overflow() {
  End end({.entries = 1});
  EXPECT_EQ(end.modify(end.toInit(), End::kInitMask), 0);
  for (std::uint64_t i = 0; i < 2; ++i) EXPECT_EQ(end.receive(i, {}), 0);
  ibv_qp_attr error{};
  error.qp_state = IBV_QPS_ERR;
  EXPECT_EQ(end.modify(error, IBV_QP_STATE), 0);
}

}  // namespace
}  // namespace fakeverbs

int main(int argc, char** argv) {
  const std::map<std::string, std::function<void()>> tasks = {
      {"echo", fakeverbs::echo}, {"lend", fakeverbs::lend},     {"flood", fakeverbs::flood},
      {"late", fakeverbs::late}, {"vanish", fakeverbs::vanish}, {"overflow", fakeverbs::overflow}};
  const auto task = tasks.find(argc > 1 ? argv[1] : "");
  if (task == tasks.end()) return 2;
  dup2(STDERR_FILENO, STDOUT_FILENO);  // what fails is not for the test to take for an answer
  task->second();
  if (!(fakeverbs::liveObjects() == fakeverbs::LiveObjects{})) return 3;
  return ::testing::UnitTest::GetInstance()->ad_hoc_test_result().Failed() ? 1 : 0;
}
