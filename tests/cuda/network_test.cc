// SPDX-License-Identifier: Apache-2.0
// Devices that do not reach each other's memory: by way of their hosts, between which a proxy of each rank moves what
// they send, and by pinned memory that they share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <latch>
#include <numeric>
#include <thread>
#include <vector>

#include "src/base/clock.h"
#include "tests/cuda/captured_graph.h"
#include "tests/cuda/world.h"
#include "tests/support/case_matrix.h"
#include "tests/support/rank_threads.h"

namespace atl {
namespace {

using test::Between;
using test::CapturedGraph;
using test::CollectiveCase;
using test::DeviceBuffer;
using test::deviceCall;
using test::DeviceWorld;
using test::kSum;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::size_t kCount = kSum.count;

// Of nothing, of 8 bytes, and of more than the slots of a link; sanitizers slow a case down tens of times.
#ifdef ATOLL_SANITIZED
constexpr std::size_t kCounts[] = {0, 2, 5000};
constexpr std::size_t kLarge = 1 << 18;
const std::vector<int> kDevices = {0, 0, 1};
#else
constexpr std::size_t kCounts[] = {0, 2, 333, 40'000};
constexpr std::size_t kLarge = 1 << 20;
const std::vector<int> kDevices = {0, 1, 2};
#endif

class CudaNetwork : public testing::TestWithParam<Between> {};

TEST_P(CudaNetwork, EveryAlgorithm_GivesTheRightData) {
  const auto ranks = static_cast<Rank>(kDevices.size());
  for (const test::Served& served : test::servedBetween(ranks, ranks)) {
    SCOPED_TRACE(served.rule());
    DeviceWorld world(kDevices, GetParam(), 20, served.rule());
    const Rank root = isRooted(served.collective) ? ranks - 1 : kNoRank;
    for (const std::size_t count : kCounts) {
      if (served.collective == Collective::barrier && count > 0) continue;
      const auto wrong = world.run({served.collective, count, DataType::int32, ReduceOp::sum, root, false});
      ASSERT_FALSE(wrong) << "count " << count << ": " << *wrong;
    }
  }
}

TEST_P(CudaNetwork, EveryType_GivesTheRightData) {
  DeviceWorld world(kDevices, GetParam());
  for (const DataType type : test::typesToTry()) {
    for (const std::size_t count : {1U, 1031U}) {
      const CollectiveCase c{Collective::allReduce, count, type, ReduceOp::sum, kNoRank, count > 1};
      const auto wrong = world.run(c);
      ASSERT_FALSE(wrong) << test::describe(c) << ": " << *wrong;
    }
  }
}

TEST_P(CudaNetwork, LargeMessages_GoThroughSlotsOverAndOver) {
  DeviceWorld world(kDevices, GetParam());
  for (const Collective collective : {Collective::allReduce, Collective::allGather, Collective::allToAll}) {
    const auto wrong = world.run({collective, kLarge, DataType::float32, ReduceOp::sum, kNoRank, false});
    ASSERT_FALSE(wrong) << nameOf(collective) << ": " << *wrong;
  }
}

TEST_P(CudaNetwork, SendsAndReceives_OfEverySize) {
  DeviceWorld world({0, 1}, GetParam());
  for (const std::size_t count : {std::size_t{0}, std::size_t{2}, std::size_t{100'000}}) {
    world.onRanks([&](Rank rank, cudaStream_t stream) {
      DeviceBuffer send(count * sizeof(int));
      DeviceBuffer recv(count * sizeof(int));
      std::vector<int> numbers(count);
      std::iota(numbers.begin(), numbers.end(), rank);
      send.put(numbers.data());
      const std::vector<PointToPoint> operations = {
          {true, send.data(), count, DataType::int32, 1 - rank, true, stream},
          {false, recv.data(), count, DataType::int32, 1 - rank, true, stream}};
      for (int i = 0; i < 3; ++i) {
        const Status status = world[rank].run(operations);
        ASSERT_TRUE(status.ok()) << status.error().text;
      }
      ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
      std::iota(numbers.begin(), numbers.end(), 1 - rank);
      std::vector<int> got(count);
      recv.get(got.data());
      EXPECT_EQ(got, numbers);
    });
  }
}

TEST_P(CudaNetwork, ReplaysOfAGraph_AreMovedWheneverTheyCome) {
  DeviceWorld world({0, 1}, GetParam());
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    DeviceBuffer buffer(kCount * sizeof(int));
    CapturedGraph graph(stream);
    ASSERT_NO_FATAL_FAILURE(
        graph.capture([&] { return world[rank].run(deviceCall(kSum, buffer.data(), buffer.data(), stream)); }));
    for (int replay = 0; replay < 12; ++replay) {
      // Now and then the proxies have long gone to sleep.
      if (replay % 4 == 3) std::this_thread::sleep_for(std::chrono::milliseconds(40));
      buffer.put(std::vector<int>(kCount, rank + replay).data());
      ASSERT_NO_FATAL_FAILURE(graph.replay());
      std::vector<int> got(kCount);
      buffer.get(got.data());
      EXPECT_EQ(got, std::vector<int>(kCount, 1 + 2 * replay));
    }
  });
}

TEST_P(CudaNetwork, RankThatDoesNotCome_IsNamedByTheTimeLimit) {
  DeviceWorld world({0, 1}, GetParam(), 0.5);
  ASSERT_FALSE(world.run(kSum));
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    if (rank != 0) return;
    DeviceBuffer buffer(kCount * sizeof(int));
    ASSERT_TRUE(world[0].run(deviceCall(kSum, buffer.data(), buffer.data(), stream)).ok());
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    const Status status = world[0].failure();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::timeout);
    EXPECT_THAT(status.error().text, HasSubstr("rank 1"));
  });
}

// Rank 1 does not come, and there is no time limit: only the news of its abort ends the call that rank 0 waits for.
TEST_P(CudaNetwork, AbortElsewhere_EndsTheWaitOfACommunicatorThatGoes) {
  DeviceWorld world({0, 1}, GetParam(), 0);
  ASSERT_FALSE(world.run(kSum));
  std::latch going(1);
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    if (rank == 1) {
      going.wait();
      world[1].abort();
      return;
    }
    DeviceBuffer buffer(kCount * sizeof(int));
    ASSERT_TRUE(world[0].run(deviceCall(kSum, buffer.data(), buffer.data(), stream)).ok());
    going.count_down();
    world.destroy(0);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  });
}

TEST_P(CudaNetwork, Abort_EndsACallThatWaitsOnTheDevice) {
  DeviceWorld world({0, 1}, GetParam(), 0);
  ASSERT_FALSE(world.run(kSum));
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    if (rank != 0) return;
    DeviceBuffer buffer(kCount * sizeof(int));
    ASSERT_TRUE(world[0].run(deviceCall(kSum, buffer.data(), buffer.data(), stream)).ok());
    world[1].abort();
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(world[0].failure().error().code, ErrorCode::aborted);
  });
}

// What the root has sent is at the other's host when it goes, although nobody has taken it there yet.
TEST_P(CudaNetwork, CommunicatorCanGoWhileAPeersCallIsUnderWay) {
  constexpr CollectiveCase kBroadcast{Collective::broadcast, 50'000, DataType::int32, ReduceOp::sum, 0, false};
  DeviceWorld world({0, 1}, GetParam());
  ASSERT_FALSE(world.run(kBroadcast));
  std::latch queued(1);
  std::latch gone(1);
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    DeviceBuffer input(kBroadcast.count * sizeof(int));
    DeviceBuffer output(kBroadcast.count * sizeof(int));
    input.put(std::vector<int>(kBroadcast.count, 7).data());
    if (rank == 1) {
      const auto wait = [](void* until) { static_cast<std::latch*>(until)->wait(); };
      ASSERT_EQ(cudaLaunchHostFunc(stream, wait, &gone), cudaSuccess);
    }
    ASSERT_TRUE(world[rank].run(deviceCall(kBroadcast, input.data(), output.data(), stream)).ok());
    if (rank == 0) {
      queued.wait();
      world.destroy(0);
      gone.count_down();
    } else {
      queued.count_down();
      ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
      std::vector<int> got(kBroadcast.count);
      output.get(got.data());
      EXPECT_EQ(got, std::vector<int>(kBroadcast.count, 7));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(By, CudaNetwork, testing::Values(Between::hosts, Between::pinned),
                         [](const auto& chosen) { return chosen.param == Between::hosts ? "Hosts" : "PinnedMemory"; });

/// How often this process's proxies have gone to sleep.
long sleepsOfProxies() {
  long sleeps = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    if (name != "atoll-proxy") continue;
    std::ifstream status(task.path() / "status");
    for (std::string word; status >> word;) {
      long count = 0;
      if (word == "voluntary_ctxt_switches:" && status >> count) sleeps += 1 + count;
    }
  }
  return sleeps;
}

TEST(CudaProxies, SleepWhileNothingIsUnderWay) {
  DeviceWorld world({0, 1}, Between::hosts);
  ASSERT_FALSE(world.run(kSum));
  ASSERT_GT(sleepsOfProxies(), 0);
  // A while after the call is over they do not wake any more.
  bool asleep = false;
  for (int i = 0; i < 100 && !asleep; ++i) {
    const long before = sleepsOfProxies();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    asleep = sleepsOfProxies() == before;
  }
  EXPECT_TRUE(asleep);
  ASSERT_FALSE(world.run(kSum));
}

TEST(CudaNetworkErrors, DevicesWithoutPeerAccess_ShareMemoryOfTheProcess) {
  fakecuda::Configuration apart;
  apart.peers = "0-1";
  DeviceWorld world({0, 1, 2}, apart);
  for (const Collective collective : {Collective::allReduce, Collective::allToAll}) {
    const auto wrong = world.run({collective, 5000, DataType::float32, ReduceOp::sum, kNoRank, false});
    ASSERT_FALSE(wrong) << *wrong;
  }
}

TEST(CudaNetworkErrors, NoNetworkBetweenDevicesWithoutPeerAccess_IsSaidByTheFirstCall) {
  DeviceWorld world({0, 1}, Between::nothing);
  const auto wrong = world.run(kSum);
  ASSERT_TRUE(wrong);
  EXPECT_THAT(*wrong, AllOf(HasSubstr("linking device"), HasSubstr("no transport joins"), HasSubstr("tcp:")));
}

TEST(CudaNetworkErrors, PeerAccessForbiddenOnOneRankOnly_IsAMismatch) {
  fakecuda::reset(fakecuda::configurationFromEnvironment());
  Settings settings = test::testSettings();
  settings.algorithms = "ring";
  const auto session = Session::local(2, settings);
  test::onThreads(2, [&](Rank rank) {
    Settings own = settings;
    own.device = rank;
    own.peerAccess = rank == 0;
    auto communicator = Communicator::create(session, rank, own);
    ASSERT_TRUE(communicator.ok()) << communicator.error().text;
    ASSERT_EQ(cudaSetDevice(rank), cudaSuccess);
    DeviceBuffer buffer(kCount * sizeof(int));
    const Status status = (*communicator)->run(deviceCall(kSum, buffer.data(), buffer.data(), nullptr));
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::mismatch);
    EXPECT_THAT(status.error().text, HasSubstr("ATOLL_CUDA_P2P"));
  });
}

/// Ends every connection of this process, as a network does that breaks.
void breakConnections() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int descriptor = std::stoi(entry.path().filename());
    sockaddr_storage peer{};
    socklen_t bytes = sizeof peer;
    if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &bytes) != 0) continue;
    if (peer.ss_family == AF_INET || peer.ss_family == AF_INET6) ::shutdown(descriptor, SHUT_RDWR);
  }
}

// Nobody is in a call by then, and no proxy is awake.
TEST(CudaNetworkErrors, ConnectionThatBreaks_EndsTheCommunicatorOfBothItsRanks) {
  DeviceWorld world({0, 1}, Between::hosts);
  ASSERT_FALSE(world.run(kSum));
  breakConnections();
  for (const Rank rank : {0, 1}) {
    const Deadline deadline = Deadline::in(std::chrono::seconds(20));
    while (world[rank].failure().ok() && !deadline.passed()) std::this_thread::yield();
    const Status status = world[rank].failure();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::remoteError);
    EXPECT_THAT(status.error().text,
                AllOf(HasSubstr("relaying lane 0 of the device to rank"), HasSubstr("connection")));
  }
  EXPECT_TRUE(world.run(kSum));
}

}  // namespace
}  // namespace atl
