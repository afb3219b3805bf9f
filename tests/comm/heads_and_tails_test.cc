// SPDX-License-Identifier: Apache-2.0
// All-to-alls of unequal blocks whose heads go in stages and whose tails go straight.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "tests/support/rank_threads.h"

namespace atl {
namespace {

using testing::HasSubstr;

constexpr Rank kRanks = 6;
constexpr const char* kLevels = "{name: host, kind: switch, members: [3, 2, 1]}, {name: net, kind: switch, members: 3}";

/// Elements from each rank to each; the same numbers wherever it is asked.
using Counts = std::vector<std::vector<std::size_t>>;

Counts countsOf(const std::function<std::size_t(std::size_t from, std::size_t to)>& count) {
  Counts counts(kRanks, std::vector<std::size_t>(kRanks));
  for (std::size_t from = 0; from < kRanks; ++from) {
    for (std::size_t to = 0; to < kRanks; ++to) counts[from][to] = count(from, to);
  }
  return counts;
}

/// One rank's side of a call, its buffers and arrays included.
class Side {
 public:
  Side(const Counts& counts, Rank rank, DataType type = DataType::bfloat16) : me_(static_cast<std::size_t>(rank)) {
    std::size_t leaving = 0;
    std::size_t arriving = 0;
    for (std::size_t peer = 0; peer < kRanks; ++peer) {
      sendCounts_.push_back(counts[me_][peer]);
      recvCounts_.push_back(counts[peer][me_]);
      sendDispls_.push_back(leaving + peer);  // blocks with gaps
      recvDispls_.push_back(arriving + peer);
      leaving += sendCounts_.back();
      arriving += recvCounts_.back();
    }
    send_.resize(leaving + kRanks);
    recv_.resize(arriving + kRanks, kUntouched);
    expected_ = recv_;
    for (std::size_t peer = 0; peer < kRanks; ++peer) {
      for (std::size_t i = 0; i < sendCounts_[peer]; ++i) send_[sendDispls_[peer] + i] = element(me_, peer, i);
      for (std::size_t i = 0; i < recvCounts_[peer]; ++i) expected_[recvDispls_[peer] + i] = element(peer, me_, i);
    }
    call_.collective = Collective::allToAll;
    call_.vForm = true;
    call_.type = type;
    call_.send = send_.data();
    call_.recv = recv_.data();
    call_.sendCounts = sendCounts_.data();
    call_.sendDispls = sendDispls_.data();
    call_.recvCounts = recvCounts_.data();
    call_.recvDispls = recvDispls_.data();
  }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  [[nodiscard]] const Call& call() const { return call_; }
  void expectData() const { EXPECT_EQ(recv_, expected_) << "rank " << me_; }

 private:
  static constexpr std::uint16_t kUntouched = 0xdead;
  static std::uint16_t element(std::size_t from, std::size_t to, std::size_t i) {
    return static_cast<std::uint16_t>(1000 * from + 100 * to + i % 97);
  }

  std::size_t me_;
  std::vector<std::size_t> sendCounts_, sendDispls_, recvCounts_, recvDispls_;
  std::vector<std::uint16_t> send_, recv_, expected_;
  Call call_;
};

class HeadsAndTails : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / fmt::format("atoll-heads-{}-{}.yaml", ::getpid(), GetParam());
    std::ofstream(path_) << fmt::format("{{atoll-topology: 1, levels: [{}]}}", kLevels);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  [[nodiscard]] Settings settings() const {
    Settings settings = test::testSettings();
    settings.topologyFile = path_;
    settings.algorithms = "alltoall:hierarchical";
    settings.transports = GetParam();
    return settings;
  }

  /// Every rank makes these calls one after another.
  void run(const std::vector<Counts>& calls) const {
    auto communicators = test::communicators(kRanks, settings());
    test::onThreads(kRanks, [&](Rank rank) {
      for (const Counts& counts : calls) {
        const Side side(counts, rank);
        const Status status = communicators[static_cast<std::size_t>(rank)]->run(side.call());
        ASSERT_TRUE(status.ok()) << status.error().text;
        side.expectData();
      }
    });
  }

  std::filesystem::path path_;
};

TEST_P(HeadsAndTails, BlocksAroundTheSizeOfAHead_Arrive) {
  std::vector<Counts> calls;
  // A head of 64 bytes holds 28 elements of two bytes.
  for (const std::size_t count : {0U, 1U, 27U, 28U, 29U, 5000U}) {
    calls.push_back(countsOf([&](std::size_t, std::size_t) { return count; }));
  }
  run(calls);
}

TEST_P(HeadsAndTails, SkewedBlocks_Arrive) {
  std::vector<Counts> calls;
  std::mt19937 random(20261122);
  for (int i = 0; i < 20; ++i) {
    // As a mixture of experts deals out tokens: most pairs have nothing for each other, some little, one rank gets
    // most.
    const std::size_t hot = random() % kRanks;
    calls.push_back(countsOf([&](std::size_t, std::size_t to) -> std::size_t {
      if (to == hot) return random() % 40000;
      return random() % 3 == 0 ? random() % 60 : 0;
    }));
  }
  // One block alone has a tail.
  calls.push_back(countsOf([](std::size_t from, std::size_t to) { return from == 4 && to == 0 ? 70000 : to; }));
  run(calls);
}

TEST_P(HeadsAndTails, OtherCallsInBetween_AreNotMixedUp) {
  auto communicators = test::communicators(kRanks, settings());
  const Counts counts = countsOf([](std::size_t from, std::size_t to) { return 300 * from + 7 * to; });
  test::onThreads(kRanks, [&](Rank rank) {
    Communicator& communicator = *communicators[static_cast<std::size_t>(rank)];
    for (int i = 0; i < 3; ++i) {
      const Side side(counts, rank);
      ASSERT_TRUE(communicator.run(side.call()).ok());
      side.expectData();
      std::uint32_t to = static_cast<std::uint32_t>(rank);
      std::uint32_t from = 0;
      const PointToPoint ring[] = {{true, &to, 1, DataType::uint32, (rank + 1) % kRanks},
                                   {false, &from, 1, DataType::uint32, (rank + kRanks - 1) % kRanks}};
      ASSERT_TRUE(communicator.run(ring).ok());
      EXPECT_EQ(from, static_cast<std::uint32_t>((rank + kRanks - 1) % kRanks));
    }
  });
}

TEST_P(HeadsAndTails, RanksWithOtherCounts_AreNamed) {
  // Less than a head and more than one, expected where there is none, and the other way round.
  struct Elements {
    int sent;
    int expected;
  };
  for (const Elements elements : {Elements{4, 5}, {4, 4000}, {4000, 4}, {0, 1}, {4000, 5000}}) {
    SCOPED_TRACE(fmt::format("{} elements sent, {} expected", elements.sent, elements.expected));
    const auto counts = [](int between) {
      return countsOf([=](std::size_t from, std::size_t to) -> std::size_t {
        return from == 1 && to == 5 ? static_cast<std::size_t>(between) : 6;
      });
    };
    auto communicators = test::communicators(kRanks, settings());
    std::vector<Status> statuses(kRanks, success());
    test::onThreads(kRanks, [&](Rank rank) {
      const Side side(counts(rank == 5 ? elements.expected : elements.sent), rank);
      Communicator& communicator = *communicators[static_cast<std::size_t>(rank)];
      Status& status = statuses[static_cast<std::size_t>(rank)];
      // Whoever has all that it needs returns before the ranks that differ have found out.
      for (int i = 0; i < 3 && status.ok(); ++i) status = communicator.run(side.call());
    });
    for (const Status& status : statuses) {
      ASSERT_FALSE(status.ok());
      EXPECT_EQ(status.error().code, ErrorCode::mismatch) << status.error().text;
      EXPECT_THAT(status.error().text, testing::AllOf(HasSubstr("rank 1"), HasSubstr("rank 5")));
    }
  }
}

TEST_P(HeadsAndTails, RanksWithOtherTypes_AreNamed) {
  auto communicators = test::communicators(kRanks, settings());
  const Counts counts = countsOf([](std::size_t, std::size_t) { return 2; });
  std::set<ErrorCode> codes;
  std::mutex guard;
  test::onThreads(kRanks, [&](Rank rank) {
    const Side side(counts, rank, rank == 3 ? DataType::float16 : DataType::bfloat16);
    Status status = success();
    for (int i = 0; i < 3 && status.ok(); ++i) status = communicators[static_cast<std::size_t>(rank)]->run(side.call());
    ASSERT_FALSE(status.ok());
    EXPECT_THAT(status.error().text, HasSubstr("type"));
    const std::lock_guard lock(guard);
    codes.insert(status.error().code);
  });
  EXPECT_EQ(codes, std::set{ErrorCode::mismatch});
}

INSTANTIATE_TEST_SUITE_P(Over, HeadsAndTails, testing::Values("inproc", "tcp"),
                         [](const auto& chosen) { return std::string(chosen.param); });

}  // namespace
}  // namespace atl
