// SPDX-License-Identifier: Apache-2.0
// The same call again and again, and what may come in between: it is recognised, and does what it did.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <random>
#include <vector>

#include "tests/api/world.h"

namespace atl::api {
namespace {

using testing::HasSubstr;

constexpr int kRanks = 3;
/// In a line, in some lines, in a bounce slot, in several tiles.
constexpr std::size_t kCounts[] = {2, 90, 5'000, 200'000};

using Values = std::vector<std::int32_t>;

void sumOfInts(const void* in, void* inout, size_t count, atollDataType_t, void*) {
  const auto* const from = static_cast<const std::int32_t*>(in);
  auto* const to = static_cast<std::int32_t*>(inout);
  for (size_t i = 0; i < count; ++i) to[i] += from[i];
}

/// One rank's part in calls that all ranks make alike. The buffers stay, what is in them does not.
class Caller {
 public:
  Caller(int rank, atollComm_t comm, std::size_t count)
      : rank_(rank), comm_(comm), count_(count), in_(kRanks * count), out_(kRanks * count) {
    EXPECT_EQ(atollStreamCreate(&stream_), atollSuccess);
    EXPECT_EQ(atollRedOpCreateUser(&own_, sumOfInts, nullptr, 1, comm), atollSuccess) << lastError();
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() {
    EXPECT_EQ(atollRedOpDestroy(own_, comm_), atollSuccess);
    EXPECT_EQ(atollStreamDestroy(stream_), atollSuccess);
  }

  void allReduce() { reduceWith(atollSum, nullptr); }
  void allReduceOnAStream() { reduceWith(atollSum, stream_); }
  void allReduceByAFunction() { reduceWith(own_, nullptr); }

  void allReduceInAGroup() {
    expect(atollGroupStart());
    fill();
    expect(atollAllReduce(in_.data(), out_.data(), count_, atollInt32, atollSum, comm_, nullptr));
    expect(atollGroupEnd());
    expectOut(sumOf(0), count_);
  }

  void allReduceInPlace() {
    fill();
    expect(atollAllReduce(in_.data(), in_.data(), count_, atollInt32, atollSum, comm_, nullptr));
    EXPECT_EQ(in_[count_ - 1], sumOf(count_ - 1));
  }

  void scaledSum() {
    std::int32_t scalar = turn_;
    atollRedOp_t op = 0;
    expect(atollRedOpCreatePreMulSum(&op, &scalar, atollInt32, atollScalarHostImmediate, comm_));
    fill();
    expect(atollAllReduce(in_.data(), out_.data(), count_, atollInt32, op, comm_, nullptr));
    EXPECT_EQ(out_[0], scalar * sumOf(0));
    expect(atollRedOpDestroy(op, comm_));
  }

  void reduce() {
    fill();
    expect(atollReduce(in_.data(), out_.data(), count_, atollInt32, atollSum, 1, comm_, nullptr));
    if (rank_ == 1) expectOut(sumOf(0), count_);
  }

  void broadcast() {
    fill();
    expect(atollBroadcast(in_.data(), out_.data(), count_, atollInt32, 1, comm_, nullptr));
    expectOut(valueOf(1, 0), count_);
  }

  void allGather() {
    fill();
    expect(atollAllGather(in_.data(), out_.data(), count_, atollInt32, comm_, nullptr));
    expectBlocks();
  }

  void gather() {
    fill();
    expect(atollGather(in_.data(), out_.data(), count_, atollInt32, 2, comm_, nullptr));
    if (rank_ == 2) expectBlocks();
  }

  void reduceScatter() {
    fill();
    expect(atollReduceScatter(in_.data(), out_.data(), count_, atollInt32, atollSum, comm_, nullptr));
    expectOut(sumOf(own() * count_), count_);
  }

  void allToAll() {
    fill();
    expect(atollAllToAll(in_.data(), out_.data(), count_, atollInt32, comm_, nullptr));
    for (int r = 0; r < kRanks; ++r) EXPECT_EQ(block(r)[0], valueOf(r, own() * count_)) << r;
  }

  void scatter() {
    fill();
    expect(atollScatter(in_.data(), out_.data(), count_, atollInt32, 0, comm_, nullptr));
    expectOut(valueOf(0, own() * count_), count_);
  }

  void exchange() {
    fill();
    expect(atollGroupStart());
    expect(atollSend(in_.data(), count_, atollInt32, (rank_ + 1) % kRanks, comm_, nullptr));
    expect(atollRecv(out_.data(), count_, atollInt32, (rank_ + kRanks - 1) % kRanks, comm_, nullptr));
    expect(atollGroupEnd());
    expectOut(valueOf((rank_ + kRanks - 1) % kRanks, 0), count_);
  }

  void barrier() { expect(atollBarrier(comm_, nullptr)); }

 private:
  static void expect(atollResult_t result) { EXPECT_EQ(result, atollSuccess) << lastError(); }
  [[nodiscard]] std::size_t own() const { return static_cast<std::size_t>(rank_); }
  [[nodiscard]] const std::int32_t* block(int rank) const {
    return out_.data() + static_cast<std::size_t>(rank) * count_;
  }

  [[nodiscard]] std::int32_t valueOf(int rank, std::size_t at) const {
    return (rank + 1) * 1'000 + turn_ + static_cast<std::int32_t>(at % 997);
  }
  [[nodiscard]] std::int32_t sumOf(std::size_t at) const {
    std::int32_t sum = 0;
    for (int r = 0; r < kRanks; ++r) sum += valueOf(r, at);
    return sum;
  }

  void fill() {
    ++turn_;
    for (std::size_t i = 0; i < in_.size(); ++i) in_[i] = valueOf(rank_, i);
    out_.assign(out_.size(), -1);
  }
  void expectOut(std::int32_t first, std::size_t count) {
    EXPECT_EQ(out_[0], first);
    EXPECT_EQ(out_[count], -1) << "written beyond the result";
  }
  void expectBlocks() {
    for (int r = 0; r < kRanks; ++r) EXPECT_EQ(block(r)[count_ - 1], valueOf(r, count_ - 1)) << r;
  }

  void reduceWith(atollRedOp_t op, atollStream_t stream) {
    fill();
    expect(atollAllReduce(in_.data(), out_.data(), count_, atollInt32, op, comm_, stream));
    if (stream != nullptr) expect(atollStreamSynchronize(stream));
    expectOut(sumOf(0), count_);
  }

  int rank_;
  atollComm_t comm_;
  std::size_t count_;
  Values in_;
  Values out_;
  atollStream_t stream_ = nullptr;
  atollRedOp_t own_ = 0;
  std::int32_t turn_ = 0;
};

using Step = void (Caller::*)();
constexpr Step kSteps[] = {&Caller::allReduce,
                           &Caller::allReduceOnAStream,
                           &Caller::allReduceByAFunction,
                           &Caller::allReduceInAGroup,
                           &Caller::allReduceInPlace,
                           &Caller::scaledSum,
                           &Caller::reduce,
                           &Caller::broadcast,
                           &Caller::allGather,
                           &Caller::gather,
                           &Caller::reduceScatter,
                           &Caller::allToAll,
                           &Caller::scatter,
                           &Caller::exchange,
                           &Caller::barrier};

TEST(RepeatedCall, TakesWhatIsInTheBuffersThen) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    for (const std::size_t count : kCounts) {
      Caller caller(rank, comm, count);
      for (const Step step : kSteps) {
        for (int i = 0; i < 4; ++i) (caller.*step)();
      }
    }
  });
}

TEST(RepeatedCall, IsRecognisedAmongOthersInAnyOrder) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    World world(kRanks);
    world.run([seed](int rank, atollComm_t comm) {
      Caller small(rank, comm, 2);
      Caller large(rank, comm, 5'000);
      std::mt19937 random(seed);  // the same on every rank
      const Step* step = kSteps;
      Caller* caller = &small;
      for (int i = 0; i < 200; ++i) {
        if (random() % 2 == 0) step = &kSteps[random() % std::size(kSteps)];
        if (random() % 4 == 0) caller = caller == &small ? &large : &small;
        (caller->**step)();
      }
    });
  }
}

TEST(RepeatedCall, OfACommunicatorThatWasAborted_Fails) {
  World world(1);
  Values data(10);
  const auto call = [&] {
    return atollAllReduce(data.data(), data.data(), 10, atollInt32, atollSum, world[0], nullptr);
  };
  ASSERT_EQ(call(), atollSuccess);
  ASSERT_EQ(call(), atollSuccess);
  ASSERT_EQ(atollCommAbort(world[0]), atollSuccess);
  EXPECT_EQ(call(), atollInvalidArgument);
  ASSERT_EQ(atollCommInitAll(&world[0], 1), atollSuccess);
}

TEST(RepeatedCall, IsNoneOnThePlacesNextCommunicator) {
  Values data[2] = {Values(10), Values(10)};
  const auto broadcast = [&](Values& buffer, atollComm_t comm) {
    return atollBroadcast(buffer.data(), buffer.data(), 10, atollInt32, 1, comm, nullptr);
  };
  {
    World old(2);
    old.run([&](int rank, atollComm_t comm) { EXPECT_EQ(broadcast(data[rank], comm), atollSuccess); });
  }
  // A call on a stream is the first of this one too, and what was kept of the place's last call is not its.
  World next(1);
  atollStream_t stream = nullptr;
  ASSERT_EQ(atollStreamCreate(&stream), atollSuccess);
  ASSERT_EQ(atollBarrier(next[0], stream), atollSuccess);
  for (Values& buffer : data) {
    EXPECT_EQ(broadcast(buffer, next[0]), atollInvalidArgument);
    EXPECT_THAT(lastError(), HasSubstr("argument root is 1"));
  }
  EXPECT_EQ(atollStreamDestroy(stream), atollSuccess);
}

}  // namespace
}  // namespace atl::api
