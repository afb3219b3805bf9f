// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_peer/peer_measure.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <set>

#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

/// A job of one rank, whose all-reduce is a copy.
class LonePeer final : public Peer {
 public:
  [[nodiscard]] Library library() const override { return {"Lone", "1"}; }
  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int ranks() const override { return 1; }
  Result<PeerIssue> bind(std::string_view, const PeerCall& call) override {
    bound = call;
    return PeerIssue([this, bytes = call.count * sizeOf(call.type)](const void* send, void* recv) {
      if (!failure.empty()) return Status(makeError(ErrorCode::systemError, "{}", failure));
      places.insert({send, recv});
      ++calls;
      if (send != recv) std::memcpy(recv, send, bytes - leftOut);
      return success();
    });
  }
  Status barrier() override { return success(); }
  Status combine(std::span<double>, Fold) override { return success(); }
  Result<std::vector<std::byte>> gather(std::span<const std::byte> mine) override {
    return std::vector<std::byte>(mine.begin(), mine.end());
  }
  [[noreturn]] void abort(int exitCode) override { std::_Exit(exitCode); }

  std::string failure;      ///< calls fail with it, where it is not empty
  std::size_t leftOut = 0;  ///< bytes at the end that a call forgets to write
  PeerCall bound;
  int calls = 0;
  std::set<std::pair<const void*, const void*>> places;
};

class PeerMeasure : public testing::Test {
 protected:
  static constexpr std::size_t kCapacity = 4096;
  static constexpr std::size_t kCount = 128;

  PeerMeasuring measuring(bool inPlace) { return {peer_, collective_, options_, *send_, *recv_, kCount, inPlace}; }

  LonePeer peer_;
  PeerCollective collective_{"allreduce", &allReduce(), Forms::both};
  Options options_;
  Result<Buffer> send_ = Buffer::allocate(kCapacity, nullptr);
  Result<Buffer> recv_ = Buffer::allocate(kCapacity, nullptr);
};

TEST_F(PeerMeasure, Time_CallsWarmUpAndIterationsOnRotatedBuffers) {
  options_.warmup = 3;
  options_.iterations = 20;
  const auto measurement = measuring(false).time();
  ASSERT_TRUE(measurement.ok());
  EXPECT_EQ(peer_.calls, 23);
  EXPECT_EQ(peer_.places.size(), send_->positions(kCount * sizeof(float)));
  EXPECT_GT(peer_.places.size(), 1U);
  EXPECT_EQ(peer_.bound.count, kCount);
  EXPECT_FALSE(measurement->wrong.has_value());
}

TEST_F(PeerMeasure, Time_UsesTheSameBuffersEveryTimeWhereNothingIsToRotate) {
  options_.rotation = 0;
  ASSERT_TRUE(measuring(false).time().ok());
  EXPECT_EQ(peer_.places.size(), 1U);
}

TEST_F(PeerMeasure, Time_KeepsEveryIterationWhereAsked) {
  options_.iterationSamples = true;
  const auto measurement = measuring(false).time();
  ASSERT_TRUE(measurement.ok());
  EXPECT_EQ(measurement->samples.size(), static_cast<std::size_t>(options_.iterations));
}

TEST_F(PeerMeasure, Check_FindsNothingWrongInARightResult) {
  for (const bool inPlace : {false, true}) {
    const auto wrong = measuring(inPlace).check(1);
    ASSERT_TRUE(wrong.ok());
    EXPECT_EQ(*wrong, 0U) << (inPlace ? "in place" : "out of place");
    EXPECT_EQ(peer_.bound.inPlace, inPlace);
  }
}

TEST_F(PeerMeasure, Check_CountsElementsThatWereNotWritten) {
  peer_.leftOut = 3 * sizeof(float);
  const auto wrong = measuring(false).check(1);
  ASSERT_TRUE(wrong.ok());
  EXPECT_EQ(*wrong, 3U);
}

TEST_F(PeerMeasure, FailureOfACallIsReturned) {
  peer_.failure = "no connection";
  const auto measurement = measuring(false).time();
  ASSERT_FALSE(measurement.ok());
  EXPECT_EQ(measurement.error().text, "no connection");
}

}  // namespace
}  // namespace atl::perf
