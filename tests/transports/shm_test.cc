// SPDX-License-Identifier: Apache-2.0
#include "transports/shm/shm.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "tests/transports/fake_switchboard.h"
#include "tests/transports/memory_link_conformance.h"

namespace atl {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kCommunicator = 31;
/// Room for every bounced message that a full mailbox can hold: the conformance suite bounces one in three at most.
constexpr int kOutboxSlots = kMailSlots / 3 + 1;

/// Two ranks of different processes of one host, each with its transport. (Or one of them, in a process of its own.)
class Host {
 public:
  explicit Host(std::size_t slotBytes = 4096)
      : outboxes_{Outbox(slotBytes, kOutboxSlots), Outbox(slotBytes, kOutboxSlots)} {
    settings_.timeoutSeconds = 30;
    directory_.processes.resize(2);
    directory_.processOf = {0, 1};
    for (std::size_t i = 0; i < 2; ++i) {
      auto& process = directory_.processes[i];
      process.id = i + 1;
      process.host = 7;
      process.hostName = "islet";
      process.pid = static_cast<std::int32_t>(100 + i);
      process.localName = "somewhere";
      contexts_[i].communicator = kCommunicator;
      contexts_[i].rank = static_cast<Rank>(i);
      contexts_[i].directory = &directory_;
      contexts_[i].settings = &settings_;
      contexts_[i].outbox = &outboxes_[i];
      contexts_[i].switchboard = &switchboard;
      transports_[i] = makeShm(contexts_[i]);
    }
  }

  Transport& of(Rank rank) { return *transports_[static_cast<std::size_t>(rank)]; }
  Outbox& outbox(Rank rank) { return outboxes_[static_cast<std::size_t>(rank)]; }
  Settings& settings() { return settings_; }
  Directory& directory() { return directory_; }

  test::LinkedPair pair(int lane = 0) {
    auto lower = of(0).connect(1, lane);
    auto higher = of(1).connect(0, lane);
    bool lowerReady = false;
    bool higherReady = false;
    for (int i = 0; i < 10 && !(lowerReady && higherReady); ++i) {
      if (!lowerReady) lowerReady = ready(*lower);
      if (!higherReady) higherReady = ready(*higher);
    }
    EXPECT_TRUE(lowerReady && higherReady);
    return {std::get<MemoryLink>(lower->take()), std::get<MemoryLink>(higher->take()), &outbox(0), &outbox(1)};
  }

  /// This process's end alone, however long the other process takes.
  Result<MemoryLink> link(Rank me, Rank peer) {
    auto pending = of(me).connect(peer, 0);
    while (true) {
      ATOLL_ASSIGN(const bool done, pending->poll());
      if (done) return std::get<MemoryLink>(pending->take());
      std::this_thread::yield();
    }
  }

  test::FakeSwitchboard switchboard;

 private:
  static bool ready(PendingLink& pending) {
    const auto result = pending.poll();
    EXPECT_TRUE(result.ok()) << result.error().text;
    return result.ok() && *result;
  }

  Settings settings_;
  Directory directory_;
  Outbox outboxes_[2];
  TransportContext contexts_[2];
  std::unique_ptr<Transport> transports_[2];
};

/// Lines of /proc/self/maps that belong to Atoll's shared memory.
int mappedRegions() {
  std::ifstream maps("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find("memfd:atoll-") != std::string::npos ? 1 : 0;
  return count;
}

std::set<std::string> namesInDevShm() {
  std::set<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm", ignored)) {
    const auto name = entry.path().filename().string();
    if (name.find("atoll") != std::string::npos) names.insert(name);
  }
  return names;
}

TEST(ShmLink, CarriesMixedMessagesInOrder) {
  Host host;
  auto pair = host.pair();
  test::carriesMixedMessages(pair, 5000);
}

TEST(ShmLink, WrapsAroundItsSlots) {
  Host host;
  auto pair = host.pair();
  test::wrapsAround(pair, 70000);
}

TEST(ShmLink, HoldsAtMostItsSlots) {
  Host host;
  auto pair = host.pair();
  test::holdsAtMostItsSlots(pair);
}

TEST(ShmLink, ShowsTheCall) {
  Host host;
  auto pair = host.pair();
  test::showsTheCall(pair);
}

TEST(ShmLink, ConnectWaitsForTheOtherEndWithoutBlocking) {
  Host host;
  auto higher = host.of(1).connect(0, 0);
  for (int i = 0; i < 3; ++i) {
    const auto early = higher->poll();
    ASSERT_TRUE(early.ok()) << early.error().text;
    EXPECT_FALSE(*early);
  }
  auto lower = host.of(0).connect(1, 0);
  EXPECT_TRUE(*lower->poll());
  EXPECT_TRUE(*higher->poll());
}

TEST(ShmLinkDeathTest, MapsThePeersOutboxReadOnly) {
  Host host;
  auto pair = host.pair();
  EXPECT_EQ(pair.lower.peerOutboxBytes, kOutboxSlots * 4096U);
  EXPECT_FALSE(pair.lower.sameProcess);
  EXPECT_DEATH(const_cast<std::byte*>(pair.lower.peerOutbox)[0] = std::byte{1}, "");
}

TEST(ShmLink, KeepsNoDescriptorsButTheOutboxes) {
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto before = descriptors();
  Host host;
  auto first = host.pair(0);
  auto second = host.pair(1);
  EXPECT_EQ(descriptors(), before + 2);
}

TEST(ShmLink, UnmapsEverythingWithTheLink) {
  const int before = mappedRegions();
  {
    Host host;
    auto pair = host.pair();
    EXPECT_GT(mappedRegions(), before);
  }
  EXPECT_EQ(mappedRegions(), before);
}

TEST(ShmLink, APeerThatGoesAwayBeforeItsOfferIsNamed) {
  Host host;
  auto lower = host.of(0).connect(1, 0);
  { const auto higher = host.of(1).connect(0, 0); }
  const auto result = lower->poll();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::remoteError);
  EXPECT_THAT(result.error().text, HasSubstr("rank 1 (host islet, pid 101)"));
}

TEST(ShmLink, TimesOutWhenTheOtherEndNeverOffers) {
  Host host;
  host.settings().timeoutSeconds = 0.05;
  auto lower = host.of(0).connect(1, 0);
  auto result = lower->poll();
  while (result.ok() && !*result) result = lower->poll();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::timeout);
  EXPECT_THAT(result.error().text, HasSubstr("rank 1"));
}

TEST(ShmLink, AMachineShortOfMemoryIsAnErrorThatNamesTheSize) {
  constexpr std::size_t kSlotBytes = std::size_t{1} << 48;
  Host host(kSlotBytes);
  auto lower = host.of(0).connect(1, 0);
  const auto result = lower->poll();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::systemError);
  EXPECT_THAT(result.error().text, HasSubstr(fmt::format("{} bytes", kOutboxSlots * kSlotBytes)));
}

TEST(Shm, SaysWhyNot) {
  Host host;
  const auto a = host.directory().processes[0];
  auto b = host.directory().processes[1];
  EXPECT_EQ(host.of(0).whyNot(a, b), "");
  EXPECT_EQ(host.of(0).whyNot(b, a), "");
  b.localName.clear();
  EXPECT_EQ(host.of(0).whyNot(a, b), "pid 101 on host islet has no local socket");
  EXPECT_EQ(host.of(0).whyNot(b, a), "pid 101 on host islet has no local socket");
  b.host = 8;
  b.hostName = "reef";
  EXPECT_EQ(host.of(0).whyNot(a, b), "on different hosts (islet and reef)");
}

/// Runs `body` in a child process, whose exit code is 0 when no expectation failed there.
template <class Body>
pid_t inChild(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  return child;
}

StreamKey keyOfPair() {
  return {kCommunicator, 0, 1, 0, 0};
}

TEST(ShmProcesses, TwoProcessesExchangeMessagesBothWays) {
  Host host;
  host.switchboard.prepare(keyOfPair(), Switchboard::Via::local);
  const auto run = [&host](Rank me) {
    auto link = host.link(me, 1 - me);
    ASSERT_TRUE(link.ok()) << link.error().text;
    test::exchangesAsOneEnd(*link, &host.outbox(me), me == 0, 20000);
  };
  const pid_t child = inChild([&] { run(1); });
  ASSERT_GT(child, 0);
  run(0);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(ShmProcesses, NothingIsLeftOfAPeerThatIsKilled) {
  const auto namesBefore = namesInDevShm();
  const int mappedBefore = mappedRegions();
  {
    Host host;
    host.switchboard.prepare(keyOfPair(), Switchboard::Via::local);
    const pid_t child = inChild([&] {
      const auto link = host.link(1, 0);
      link->out->slots[1].tag = 4711;
      link->out->slots[1].flag.store(1, std::memory_order_release);
      while (true) ::pause();
    });
    ASSERT_GT(child, 0);
    const auto link = host.link(0, 1);
    ASSERT_TRUE(link.ok()) << link.error().text;
    const auto deadline = Deadline::inSeconds(30);
    while (link->in->slots[1].flag.load(std::memory_order_acquire) == 0 && !deadline.passed())
      std::this_thread::yield();
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    // What it shared stays readable as long as it is mapped here …
    EXPECT_EQ(link->in->slots[1].tag, 4711U);
    EXPECT_EQ(link->peerOutbox[link->peerOutboxBytes - 1], std::byte{0});
    EXPECT_EQ(namesInDevShm(), namesBefore);
  }
  // … and nothing names or maps it afterwards, so the kernel has it back.
  EXPECT_EQ(mappedRegions(), mappedBefore);
  EXPECT_EQ(namesInDevShm(), namesBefore);
}

}  // namespace
}  // namespace atl
