// SPDX-License-Identifier: Apache-2.0
// Host streams: order, return at once, errors that come later, groups over several streams.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/api/world.h"

namespace atl::api {
namespace {

using testing::HasSubstr;

/// A stream that is destroyed at the end, without complaint.
class Stream {
 public:
  Stream() { EXPECT_EQ(atollStreamCreate(&stream_), atollSuccess) << lastError(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { EXPECT_EQ(atollStreamDestroy(stream_), atollSuccess) << lastError(); }
  operator atollStream_t() const { return stream_; }  // NOLINT(google-explicit-constructor)

 private:
  atollStream_t stream_ = nullptr;
};

TEST(Stream, ReturnsBeforeTheOtherRanksHaveCome) {
  World world(2);
  Stream stream;
  std::array<int, 2> data{1, 2};
  ASSERT_EQ(atollAllReduce(&data[0], &data[0], 1, atollInt, atollSum, world[0], stream), atollSuccess);
  EXPECT_EQ(atollStreamQuery(stream), atollInProgress);
  ASSERT_EQ(atollAllReduce(&data[1], &data[1], 1, atollInt, atollSum, world[1], nullptr), atollSuccess) << lastError();
  EXPECT_EQ(atollStreamSynchronize(stream), atollSuccess) << lastError();
  EXPECT_EQ(atollStreamQuery(stream), atollSuccess);
  EXPECT_THAT(data, testing::ElementsAre(3, 3));
}

TEST(Stream, RunsItsCallsInOrder) {
  World world(2);
  world.run([](int rank, atollComm_t comm) {
    Stream stream;
    int value = rank + 1;
    for (int i = 0; i < 10; ++i) {
      ASSERT_EQ(atollAllReduce(&value, &value, 1, atollInt, atollSum, comm, stream), atollSuccess);
    }
    ASSERT_EQ(atollStreamSynchronize(stream), atollSuccess) << lastError();
    EXPECT_EQ(value, 3 << 9);
  });
}

TEST(Stream, OneCommunicatorOnTwoStreams_KeepsTheOrderOfTheCalls) {
  World world(2);
  world.run([](int rank, atollComm_t comm) {
    Stream first;
    Stream second;
    int value = rank + 1;
    for (int i = 0; i < 10; ++i) {
      ASSERT_EQ(atollAllReduce(&value, &value, 1, atollInt, atollSum, comm, i % 2 == 0 ? first : second), atollSuccess);
    }
    // The null stream comes after both.
    ASSERT_EQ(atollAllReduce(&value, &value, 1, atollInt, atollProd, comm, nullptr), atollSuccess) << lastError();
    EXPECT_EQ(value, (3 << 9) * (3 << 9));
  });
}

TEST(Stream, AFailure_IsReportedOnceByTheStreamAndLastinglyByTheCommunicator) {
  World world(2);
  Stream stream;
  std::array<int, 2> data{1, 2};
  ASSERT_EQ(atollAllReduce(data.data(), data.data(), 1, atollInt, atollSum, world[0], stream), atollSuccess);
  EXPECT_EQ(atollAllReduce(data.data(), data.data(), 2, atollInt, atollSum, world[1], nullptr), atollMismatch);
  EXPECT_EQ(atollStreamSynchronize(stream), atollMismatch);
  EXPECT_THAT(lastError(), HasSubstr("atollStreamSynchronize: "));
  EXPECT_EQ(atollStreamSynchronize(stream), atollSuccess);
  atollResult_t state = atollSuccess;
  EXPECT_EQ(atollCommGetAsyncError(world[0], &state), atollSuccess);
  EXPECT_EQ(state, atollMismatch);
  EXPECT_THAT(lastError(world[0]), HasSubstr("count"));
}

TEST(Stream, Destroy_WaitsForWhatIsQueued) {
  World world(2);
  std::array<int, 2> data{1, 2};
  atollStream_t stream = nullptr;
  ASSERT_EQ(atollStreamCreate(&stream), atollSuccess);
  ASSERT_EQ(atollAllReduce(&data[0], &data[0], 1, atollInt, atollSum, world[0], stream), atollSuccess);
  std::thread other(
      [&] { EXPECT_EQ(atollAllReduce(&data[1], &data[1], 1, atollInt, atollSum, world[1], nullptr), atollSuccess); });
  EXPECT_EQ(atollStreamDestroy(stream), atollSuccess) << lastError();
  EXPECT_EQ(data[0], 3);
  other.join();
  EXPECT_EQ(atollStreamSynchronize(stream), atollInvalidArgument);
  EXPECT_EQ(atollStreamDestroy(stream), atollInvalidArgument);
  EXPECT_THAT(lastError(), HasSubstr("neither NULL nor a live stream"));
}

TEST(Stream, TheNullStream_IsAlwaysIdle) {
  EXPECT_EQ(atollStreamSynchronize(nullptr), atollSuccess);
  EXPECT_EQ(atollStreamQuery(nullptr), atollSuccess);
  EXPECT_EQ(atollStreamDestroy(nullptr), atollSuccess);
}

TEST(Stream, DestroyingTheCommunicator_WaitsForItsQueuedCalls) {
  atollComm_t comms[2] = {};
  ASSERT_EQ(atollCommInitAll(comms, 2), atollSuccess);
  Stream stream;
  std::array<int, 2> data{1, 2};
  ASSERT_EQ(atollAllReduce(&data[0], &data[0], 1, atollInt, atollSum, comms[0], stream), atollSuccess);
  std::thread other([&] {
    EXPECT_EQ(atollAllReduce(&data[1], &data[1], 1, atollInt, atollSum, comms[1], nullptr), atollSuccess)
        << lastError();
  });
  EXPECT_EQ(atollCommDestroy(comms[0]), atollSuccess);
  EXPECT_EQ(data[0], 3);
  other.join();
  EXPECT_EQ(atollCommDestroy(comms[1]), atollSuccess);
}

TEST(StreamGroup, OnOneStream_ReturnsAtOnce) {
  World world(3);
  Stream stream;
  std::array<int, 3> data{1, 2, 3};
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < 2; ++rank) {
    int* const own = &data[static_cast<std::size_t>(rank)];
    ASSERT_EQ(atollAllReduce(own, own, 1, atollInt, atollSum, world[rank], stream), atollSuccess);
  }
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  EXPECT_EQ(atollStreamQuery(stream), atollInProgress);
  ASSERT_EQ(atollAllReduce(&data[2], &data[2], 1, atollInt, atollSum, world[2], nullptr), atollSuccess) << lastError();
  ASSERT_EQ(atollStreamSynchronize(stream), atollSuccess) << lastError();
  EXPECT_THAT(data, testing::Each(6));
}

TEST(StreamGroup, OnAStreamForEachRank_RunsTheRanksTogether) {
  constexpr int kRanks = 4;
  World world(kRanks);
  std::vector<Stream> streams(kRanks);
  std::array<int, kRanks> data{1, 2, 3, 4};
  for (int repetition = 0; repetition < 3; ++repetition) {
    ASSERT_EQ(atollGroupStart(), atollSuccess);
    for (int rank = 0; rank < kRanks; ++rank) {
      const auto i = static_cast<std::size_t>(rank);
      ASSERT_EQ(atollAllReduce(&data[i], &data[i], 1, atollInt, atollSum, world[rank], streams[i]), atollSuccess);
    }
    ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  }
  for (const Stream& stream : streams) ASSERT_EQ(atollStreamSynchronize(stream), atollSuccess) << lastError();
  EXPECT_THAT(data, testing::Each(10 * 4 * 4));
}

TEST(StreamGroup, WithTheNullStream_IsCompleteAtTheEnd) {
  World world(2);
  Stream stream;
  std::array<int, 2> data{1, 2};
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  ASSERT_EQ(atollAllReduce(&data[0], &data[0], 1, atollInt, atollSum, world[0], stream), atollSuccess);
  ASSERT_EQ(atollAllReduce(&data[1], &data[1], 1, atollInt, atollSum, world[1], nullptr), atollSuccess);
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  EXPECT_THAT(data, testing::ElementsAre(3, 3));
}

TEST(StreamGroup, TwoThreadsWithTheSameStreams_DoNotLockEachOtherUp) {
  constexpr int kRepetitions = 50;
  World x(2);
  World y(2);
  Stream first;
  Stream second;
  const auto run = [&](World& world, atollStream_t a, atollStream_t b) {
    std::array<int, 2> data{1, 1};
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
      ASSERT_EQ(atollGroupStart(), atollSuccess);
      ASSERT_EQ(atollAllReduce(&data[0], &data[0], 1, atollInt, atollMax, world[0], a), atollSuccess);
      ASSERT_EQ(atollAllReduce(&data[1], &data[1], 1, atollInt, atollMax, world[1], b), atollSuccess);
      ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
    }
    ASSERT_EQ(atollStreamSynchronize(a), atollSuccess) << lastError();
    ASSERT_EQ(atollStreamSynchronize(b), atollSuccess) << lastError();
  };
  std::thread other([&] { run(y, second, first); });
  run(x, first, second);
  other.join();
}

TEST(StreamOperators, DestroyedWhileQueued_StillServe) {
  World pair(2);
  Stream stream;
  atollRedOp_t op[2] = {};
  const auto sum = [](const void* in, void* inout, size_t count, atollDataType_t, void*) {
    for (size_t i = 0; i < count; ++i) static_cast<int*>(inout)[i] += static_cast<const int*>(in)[i];
  };
  std::array<int, 2> data{1, 2};
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < 2; ++rank) {
    ASSERT_EQ(atollRedOpCreateUser(&op[rank], sum, nullptr, 1, pair[rank]), atollSuccess);
    int* const own = &data[static_cast<std::size_t>(rank)];
    ASSERT_EQ(atollAllReduce(own, own, 1, atollInt, op[rank], pair[rank], stream), atollSuccess);
    ASSERT_EQ(atollRedOpDestroy(op[rank], pair[rank]), atollSuccess);
  }
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  ASSERT_EQ(atollStreamSynchronize(stream), atollSuccess) << lastError();
  EXPECT_THAT(data, testing::ElementsAre(3, 3));
}

}  // namespace
}  // namespace atl::api
