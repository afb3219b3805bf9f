// SPDX-License-Identifier: Apache-2.0
// Queue pairs of different processes, and what a process is told by its environment.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

#include "tests/fakeverbs/talk.h"

extern char** environ;

namespace fakeverbs {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;

/// All tests of this program run on a wire of its own, on which its workers are, too.
const bool onAWire = setenv("FAKEVERBS_NET", ("test" + std::to_string(getpid())).c_str(), 1) == 0;

/// Is a variable of the same name there?
bool isAmong(const std::vector<std::string>& variables, const std::string& variable) {
  const std::string name = variable.substr(0, variable.find('=') + 1);
  return std::any_of(variables.begin(), variables.end(),
                     [&](const std::string& one) { return one.rfind(name, 0) == 0; });
}

/// A running program; its standard input and output are the other end of a socket.
class Child {
 public:
  explicit Child(std::vector<std::string> command, std::vector<std::string> variables = {}) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    socket = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<char*> environment;
    for (std::string& variable : variables) environment.push_back(variable.data());
    for (char** inherited = environ; *inherited != nullptr; ++inherited) {
      if (!isAmong(variables, *inherited)) environment.push_back(*inherited);
    }
    environment.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&process_, arguments[0], &actions, nullptr, arguments.data(), environment.data()), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
  }
  ~Child() {
    close(socket);
    if (process_ > 0) waitpid(process_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void kill() const { EXPECT_EQ(::kill(process_, SIGKILL), 0); }

  /// Its exit status, -1 if it was killed.
  int end() {
    int status = 0;
    EXPECT_EQ(waitpid(process_, &status, 0), process_);
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  [[nodiscard]] std::string readAll() const {
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t count = 0; (count = read(socket, buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

  int socket = -1;

 private:
  pid_t process_ = -1;
};

class Processes : public FakeVerbs {};

TEST_F(Processes, Messages_GoThereAndBack) {
  Child worker({FAKEVERBS_WORKER, "echo"});
  End end({.mtu = IBV_MTU_4096});
  connectOver(worker.socket, end);
  Memory from(end, 200000, 7);
  Memory to(end, 200000);
  for (const std::size_t bytes : {1U, 4096U, 4097U, 200000U, 10U}) {
    ASSERT_EQ(end.receive(1, {to.all()}), 0);
    ASSERT_EQ(end.send(work(2, IBV_WR_SEND), {from.part(0, bytes)}), 0);
    const ibv_wc received = end.awaitReceive();
    ASSERT_THAT(received, IsCompletion(1, IBV_WC_SUCCESS));
    ASSERT_EQ(received.byte_len, bytes);
    ASSERT_EQ(std::memcmp(from.data(), to.data(), bytes), 0);
    ASSERT_THAT(end.awaitSend(), IsCompletion(2, IBV_WC_SUCCESS));
  }
  ASSERT_EQ(end.send(work(3, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(end.awaitSend(), IsCompletion(3, IBV_WC_SUCCESS));
  EXPECT_EQ(worker.end(), 0);
}

TEST_F(Processes, Memory_IsWrittenAndRead) {
  Child worker({FAKEVERBS_WORKER, "lend"});
  End end;
  connectOver(worker.socket, end);
  const auto window = hear<Window>(worker.socket);
  Memory from(end, 100000, 3);
  Memory back(end, 100000);
  ibv_send_wr write = work(1, IBV_WR_RDMA_WRITE_WITH_IMM);
  write.imm_data = 77;
  write.wr.rdma = {window.address, window.key};
  ASSERT_EQ(end.send(write, {from.all()}), 0);
  ibv_send_wr read = work(2, IBV_WR_RDMA_READ);
  read.wr.rdma = {window.address, window.key};
  ASSERT_EQ(end.send(read, {back.all()}), 0);
  EXPECT_THAT(End::await(end.sends, 2), Each(Field(&ibv_wc::status, IBV_WC_SUCCESS)));
  EXPECT_EQ(from.bytes(), back.bytes());
  read.wr.rdma.rkey ^= 1;
  ASSERT_EQ(end.send(read, {back.all()}), 0);
  EXPECT_THAT(end.awaitSend(), IsCompletion(2, IBV_WC_REM_ACCESS_ERR));
  tell(worker.socket, 'g');
  EXPECT_EQ(worker.end(), 0);
}

TEST_F(Processes, MuchInAllDirections_Arrives) {
  Child first({FAKEVERBS_WORKER, "flood"});
  Child second({FAKEVERBS_WORKER, "flood"});
  Flood one(5);
  Flood other(5);
  connectOver(first.socket, one.end, [&] { one.receive(); });
  connectOver(second.socket, other.end, [&] { other.receive(); });
  one.send();
  other.send();
  one.finish(3);
  other.finish(3);
  for (Child* child : {&first, &second}) {
    tell(child->socket, 'g');
    EXPECT_EQ(child->end(), 0);
  }
}

TEST_F(Processes, Losses_AreMadeGood) {
  losePackets(0, 1, 3, 2);
  Child worker({FAKEVERBS_WORKER, "lend"}, {"FAKEVERBS=lose=1:1:5:1"});
  End end;
  connectOver(worker.socket, end);
  const auto window = hear<Window>(worker.socket);
  Memory from(end, 100000, 3);
  ibv_send_wr write = work(1, IBV_WR_RDMA_WRITE_WITH_IMM);
  write.imm_data = 77;
  write.wr.rdma = {window.address, window.key};
  ASSERT_EQ(end.send(write, {from.all()}), 0);
  EXPECT_THAT(end.awaitSend(), IsCompletion(1, IBV_WC_SUCCESS));
  EXPECT_EQ(counters(0, 1).packetsLost, 2U);
  tell(worker.socket, 'g');
  EXPECT_EQ(worker.end(), 0);
}

TEST_F(Processes, ReceiverNotReady_IsWaitedFor) {
  Child worker({FAKEVERBS_WORKER, "late"});
  End end;
  connectOver(worker.socket, end);
  ASSERT_EQ(end.send(work(1, IBV_WR_SEND), {}), 0);
  ASSERT_TRUE(eventually([] { return counters(0, 1).packetsSent > 3; }));
  tell(worker.socket, 'g');
  EXPECT_THAT(end.awaitSend(), IsCompletion(1, IBV_WC_SUCCESS));
  tell(worker.socket, 'g');
  EXPECT_EQ(worker.end(), 0);
}

TEST_F(Processes, PartnerThatHasEnded_IsGivenUp) {
  Child worker({FAKEVERBS_WORKER, "vanish"});
  End end;
  connectOver(worker.socket, end);
  ASSERT_EQ(end.send(work(1, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(end.awaitSend(), IsCompletion(1, IBV_WC_SUCCESS));
  tell(worker.socket, 'g');
  EXPECT_EQ(worker.end(), 0);
  ASSERT_EQ(end.send(work(2, IBV_WR_SEND), {}), 0);
  ASSERT_EQ(end.send(work(3, IBV_WR_SEND), {}), 0);
  const std::vector<ibv_wc> sent = End::await(end.sends, 2);
  EXPECT_THAT(sent[0], IsCompletion(2, IBV_WC_RETRY_EXC_ERR));
  EXPECT_THAT(sent[1], IsCompletion(3, IBV_WC_WR_FLUSH_ERR));
}

TEST_F(Processes, PartnerThatIsKilledWhileItIsWaitedFor_IsGivenUp) {
  Child worker({FAKEVERBS_WORKER, "late"});
  End end;
  connectOver(worker.socket, end);
  ASSERT_EQ(end.send(work(1, IBV_WR_SEND), {}), 0);
  ASSERT_TRUE(eventually([] { return counters(0, 1).packetsSent > 3; }));
  worker.kill();
  EXPECT_THAT(end.awaitSend(), IsCompletion(1, IBV_WC_RETRY_EXC_ERR));
  EXPECT_EQ(worker.end(), -1);
}

TEST_F(Processes, AnotherWire_IsNotReached) {
  Child worker({FAKEVERBS_WORKER, "vanish"}, {"FAKEVERBS_NET=other" + std::to_string(getpid())});
  End end;
  connectOver(worker.socket, end);
  ASSERT_EQ(end.send(work(1, IBV_WR_SEND), {}), 0);
  EXPECT_THAT(end.awaitSend(), IsCompletion(1, IBV_WC_RETRY_EXC_ERR));
  tell(worker.socket, 'g');
  EXPECT_EQ(worker.end(), 0);
}

TEST_F(Processes, WithFailuresThatNobodyTook_EndBadly) {
  Child worker({FAKEVERBS_WORKER, "overflow"});
  EXPECT_EQ(worker.end(), 70);
}

std::string probe(const std::string& description) {
  Child child({FAKEVERBS_PROBE}, {"LD_LIBRARY_PATH=" FAKEVERBS_FOLDER, "FAKEVERBS_NET=", "FAKEVERBS=" + description});
  const std::string output = child.readAll();
  EXPECT_EQ(child.end(), 0) << output;
  return output;
}

TEST_F(Processes, ThatKnowNothingOfTheFake_FindItByItsFolder) {
  const std::string usual = probe("");
  EXPECT_THAT(usual, HasSubstr("fake_0 max_qp 256\n port 1 active mtu 4096\n  gid 0 fe80::fa4e:1:0:1 type 1\n"));
  EXPECT_THAT(usual, HasSubstr("  gid 3 ::ffff:10.0.1.1 type 2\n"));
  EXPECT_THAT(usual, HasSubstr("fake_1"));
  EXPECT_THAT(usual, Not(HasSubstr("fake_2")));
  const std::string other = probe("devices=3,ports=2,host=9,maxqp=5,mtu=1024,gids=2001:db8::%h:%d:%p,down=2:1+0:2");
  EXPECT_THAT(other, HasSubstr("fake_0 max_qp 5\n port 1 active mtu 1024\n  gid 0 2001:db8::9:0:1 type 1\n"));
  EXPECT_THAT(other, HasSubstr(" port 2 down"));
  EXPECT_THAT(other, HasSubstr("fake_2 max_qp 5\n port 1 down"));
  EXPECT_THAT(probe("devices=1,link=ib"), HasSubstr("  gid 0 fe80::fa4e:1:0:1 type 0\n"));
}

TEST_F(Processes, ToldNonsense_EndAtOnce) {
  Child child({FAKEVERBS_PROBE}, {"LD_LIBRARY_PATH=" FAKEVERBS_FOLDER, "FAKEVERBS=colour=red"});
  EXPECT_EQ(child.end(), 70);
}

}  // namespace
}  // namespace fakeverbs
