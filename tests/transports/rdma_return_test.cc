// SPDX-License-Identifier: Apache-2.0
// RDMA links whose ports come back, on the fake libibverbs: traffic returns to them, with nothing lost and nothing
// twice, and a port that comes and goes does not make it swing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "tests/transports/rdma_ends.h"

namespace atl {
namespace {

using testing::HasSubstr;
using testing::Not;

using test::adapters;
using test::Ends;
using test::settingsOf;

constexpr double kAtOnce = 0;
constexpr double kSoon = 0.01;
constexpr double kNotInThisTest = 10'000;

Settings returning(double pause, int rails = 1, int queuePairs = 1) {
  Settings settings = settingsOf(rails, queuePairs);
  settings.rdma.returnSeconds = pause;
  return settings;
}

class RdmaReturn : public test::RdmaLinks {
 protected:
  /// Traffic until it holds; the deadline is a safety net only.
  template <class Condition>
  static Status exchangeUntil(Ends& ends, Condition holds) {
    const auto deadline = Deadline::inSeconds(60);
    while (!holds()) {
      ATOLL_TRY(ends.exchange());
      if (deadline.passed()) return makeError(ErrorCode::timeout, "it does not come to pass: {}", ends.describe());
    }
    return success();
  }

  static bool isAtHome(const Ends& ends) {
    return ends.describe().find("fake_1:1") == std::string::npos && fakeverbs::liveObjects().queuePairs == 2;
  }

  /// Traffic, with both ports up, until so many queue pairs, spread over both if they are several, carry all of it.
  static Status exchangeUntilAtHome(Ends& ends, int queuePairs) {
    const auto deadline = Deadline::inSeconds(60);
    for (;;) {
      for (const int device : {0, 1}) fakeverbs::setPort(device, 1, true);  // a fault may come late
      const auto first = fakeverbs::counters(0, 1).bytesSent;
      const auto second = fakeverbs::counters(1, 1).bytesSent;
      ATOLL_TRY(ends.exchange());
      const bool byFirst = fakeverbs::counters(0, 1).bytesSent - first > 500'000;
      const bool bySecond = fakeverbs::counters(1, 1).bytesSent - second > 500'000;
      const bool exactly = fakeverbs::liveObjects().queuePairs == static_cast<std::size_t>(2 * queuePairs);
      if (exactly && byFirst && bySecond == (queuePairs > 1)) return success();
      if (deadline.passed()) return makeError(ErrorCode::timeout, "the link does not return: {}", ends.describe());
    }
  }

  /// The first adapter fails in the middle of traffic, which goes on by the other.
  static void moveAway(Ends& ends) {
    fakeverbs::downAfter(0, 1, 30);
    const auto outcome = ends.exchange();
    ASSERT_TRUE(outcome.ok()) << outcome.error().text;
    ASSERT_THAT(ends.describe(), Not(HasSubstr("fake_0:1")));
  }
};

TEST_F(RdmaReturn, ToTheFirstPortWhenItWorksAgain) {
  Ends ends(returning(kSoon));
  ASSERT_TRUE(ends.join().ok());
  moveAway(ends);
  fakeverbs::setPort(0, 1, true);
  const auto returned = exchangeUntil(ends, [&] { return isAtHome(ends); });
  ASSERT_TRUE(returned.ok()) << returned.error().text;
  const auto before = fakeverbs::counters(1, 1).bytesSent;
  EXPECT_TRUE(ends.exchange().ok());
  EXPECT_EQ(fakeverbs::counters(1, 1).bytesSent, before);
}

TEST_F(RdmaReturn, IsNoneBeforeThePauseIsOver) {
  Ends ends(returning(kNotInThisTest));
  ASSERT_TRUE(ends.join().ok());
  moveAway(ends);
  fakeverbs::setPort(0, 1, true);
  // The home's queue pairs are there again, beside the stand-in's.
  const auto joined = exchangeUntil(ends, [] { return fakeverbs::liveObjects().queuePairs == 4; });
  ASSERT_TRUE(joined.ok()) << joined.error().text;
  ASSERT_TRUE(ends.exchange().ok());
  const auto before = fakeverbs::counters(0, 1).bytesSent;
  EXPECT_TRUE(ends.exchange().ok());
  EXPECT_EQ(fakeverbs::counters(0, 1).bytesSent, before);
  EXPECT_THAT(ends.describe(), Not(HasSubstr("fake_0:1")));
}

TEST_F(RdmaReturn, SpreadsOverItsRailsAgain) {
  Ends ends(returning(kSoon, 2, 3));
  ASSERT_TRUE(ends.join().ok());
  moveAway(ends);
  fakeverbs::setPort(0, 1, true);
  const auto returned = exchangeUntilAtHome(ends, 3);
  EXPECT_TRUE(returned.ok()) << returned.error().text;
}

TEST_F(RdmaReturn, APortThatWasDownAtTheStartIsReturnedToLikeAnyOther) {
  for (const int rails : {1, 2}) {
    auto configuration = adapters();
    const int absent = rails - 1;
    configuration.devices[static_cast<std::size_t>(absent)].ports[0].up = false;
    fakeverbs::reset(configuration);
    Ends ends(returning(kSoon, rails));
    ASSERT_TRUE(ends.join().ok());
    ASSERT_TRUE(ends.exchange().ok());
    EXPECT_EQ(fakeverbs::counters(absent, 1).bytesSent, 0U);
    fakeverbs::setPort(absent, 1, true);
    const auto returned = exchangeUntil(ends, [&] { return fakeverbs::counters(absent, 1).bytesSent > 1'000'000; });
    EXPECT_TRUE(returned.ok()) << returned.error().text;
  }
}

TEST_F(RdmaReturn, DoesNotSwingWithAPortThatComesAndGoes) {
  Ends ends(returning(kNotInThisTest));
  ASSERT_TRUE(ends.join().ok());
  testing::internal::CaptureStderr();
  moveAway(ends);
  const auto before = fakeverbs::counters(0, 1).bytesSent;
  int steps = 0;
  for (int i = 0; i < 5; ++i) {
    const auto outcome = ends.exchange([&steps] {
      if (++steps % 60 == 0) fakeverbs::setPort(0, 1, steps % 120 == 0);
    });
    EXPECT_TRUE(outcome.ok()) << outcome.error().text;
  }
  EXPECT_GT(steps, 1'000);
  EXPECT_LT(fakeverbs::counters(0, 1).bytesSent - before, 100'000U) << "only probes";
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(said, '\n'), 2) << said;  // of the first loss, at each end
}

TEST_F(RdmaReturn, IsNoneToAPortThatIsUpAndCarriesNothing) {
  Ends ends(returning(kSoon));
  ASSERT_TRUE(ends.join().ok());
  fakeverbs::losePackets(0, 1, 30, 60);
  testing::internal::CaptureStderr();
  const auto returned =
      exchangeUntil(ends, [&] { return fakeverbs::counters(0, 1).packetsLost == 60 && isAtHome(ends); });
  const std::string said = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(returned.ok()) << returned.error().text;
  EXPECT_EQ(std::ranges::count(said, '\n'), 2) << said;  // what was lost while nothing went by it is not told
}

TEST_F(RdmaReturn, FailsAgainRightAfter) {
  Ends ends(returning(kAtOnce));
  ASSERT_TRUE(ends.join().ok());
  moveAway(ends);
  for (int at = 0; at < 8; ++at) {
    fakeverbs::setPort(0, 1, true);
    const auto returned = exchangeUntil(ends, [&] { return isAtHome(ends); });
    ASSERT_TRUE(returned.ok()) << returned.error().text;
    fakeverbs::downAfter(0, 1, 3 * at * at);
    const auto outcome = ends.exchange();
    ASSERT_TRUE(outcome.ok()) << outcome.error().text;
  }
}

TEST_F(RdmaReturn, WaitsForAPeerThatIsInNoCall) {
  Ends ends(returning(kAtOnce));
  ASSERT_TRUE(ends.join().ok());
  moveAway(ends);
  fakeverbs::setPort(0, 1, true);
  for (int i = 0; i < 5; ++i) {
    const auto outcome = ends.sendToAnAbsentRank(0.1);
    EXPECT_TRUE(outcome.ok()) << outcome.error().text;
  }
  const auto returned = exchangeUntil(ends, [&] { return isAtHome(ends); });
  EXPECT_TRUE(returned.ok()) << returned.error().text;
}

/// Ports go and come in the middle of traffic, every so many steps: the first, or each in turn, so that half of the
/// time there is none. Only so often: no traffic has to live with that for ever.
class RdmaFlapping : public RdmaReturn, public testing::WithParamInterface<std::tuple<int, int, bool>> {};

TEST_P(RdmaFlapping, LosesNothingAndDeliversNothingTwice) {
  const auto [period, queuePairs, both] = GetParam();
  Ends ends(returning(kAtOnce, queuePairs > 1 ? 2 : 1, queuePairs));
  ASSERT_TRUE(ends.join().ok());
  int steps = 0;
  for (int i = 0; i < 3; ++i) {
    const auto outcome = ends.exchange([&, period = period, both = both] {
      constexpr int kTurns = 16;
      const int turn = ++steps / period;
      if (steps % period != 0 || turn > kTurns) return;
      fakeverbs::setPort(both ? turn / 2 % 2 : 0, 1, turn % 2 == 0);
      if (turn == kTurns) {
        fakeverbs::setPort(0, 1, true);
        fakeverbs::setPort(1, 1, true);
      }
    });
    ASSERT_TRUE(outcome.ok()) << outcome.error().text;
  }
  const auto returned = exchangeUntilAtHome(ends, queuePairs);
  EXPECT_TRUE(returned.ok()) << returned.error().text;
}

INSTANTIATE_TEST_SUITE_P(Each, RdmaFlapping,
                         testing::Combine(testing::Values(13, 50, 133, 400), testing::Values(1, 3), testing::Bool()),
                         [](const auto& chosen) {
                           return fmt::format("Every{}By{}{}", std::get<0>(chosen.param), std::get<1>(chosen.param),
                                              std::get<2>(chosen.param) ? "InTurn" : "");
                         });

/// Something more goes wrong while a link returns: at the home, at the stand-in, or in a verb.
struct ReturnFault {
  std::string name;
  void (*plant)(int);
};

std::ostream& operator<<(std::ostream& out, const ReturnFault& fault) {
  return out << fault.name;
}

class RdmaReturnFault : public RdmaReturn, public testing::WithParamInterface<std::tuple<ReturnFault, int, int>> {};

TEST_P(RdmaReturnFault, LosesNothingAndDeliversNothingTwice) {
  const ReturnFault& fault = std::get<0>(GetParam());
  const int at = std::get<1>(GetParam());
  const int queuePairs = std::get<2>(GetParam());
  Ends ends(returning(kAtOnce, queuePairs > 1 ? 2 : 1, queuePairs));
  ASSERT_TRUE(ends.join().ok());
  moveAway(ends);
  int steps = 0;
  const auto outcome = ends.exchange([&] {
    if (++steps != 25) return;
    fakeverbs::setPort(0, 1, true);
    fault.plant(at);
  });
  ASSERT_TRUE(outcome.ok()) << outcome.error().text;
  const auto returned = exchangeUntilAtHome(ends, queuePairs);
  EXPECT_TRUE(returned.ok()) << returned.error().text;
}

const std::vector<ReturnFault> kReturnFaults = {
    {"WorkLostAtHome", [](int at) { fakeverbs::loseWork(0, 1, at); }},
    {"WorkLostAtTheStandIn", [](int at) { fakeverbs::loseWork(1, 1, at); }},
    {"BrokenAtHome", [](int at) { fakeverbs::breakQueuePair(0, 1, at); }},
    {"BrokenAtTheStandIn", [](int at) { fakeverbs::breakQueuePair(1, 1, at); }},
    {"AnswersLostAtHome", [](int at) { fakeverbs::losePackets(0, 1, at, 12, fakeverbs::Traffic::responses); }},
    {"AnswersLostAtTheStandIn", [](int at) { fakeverbs::losePackets(1, 1, at, 12, fakeverbs::Traffic::responses); }},
    {"HomeDownAgain",
     [](int at) {
       fakeverbs::downAfter(0, 1, at);
       fakeverbs::losePackets(1, 1, 3 * at, 2);
     }},
    {"NoQueuePair", [](int at) { fakeverbs::failCall("ibv_create_qp", at, ENOMEM); }},
    {"NotJoined", [](int at) { fakeverbs::failCall("ibv_modify_qp", at, EINVAL); }},
    {"PostRefused", [](int at) { fakeverbs::failCall("ibv_post_send", at, ENOMEM); }},
    {"LateCompletions",
     [](int at) { fakeverbs::delayCompletions(std::chrono::microseconds(10 * at), std::chrono::microseconds(100)); }},
    {"VeryLateCompletions",
     [](int at) { fakeverbs::delayCompletions(std::chrono::microseconds(0), std::chrono::microseconds(300 * at)); }},
};

INSTANTIATE_TEST_SUITE_P(Each, RdmaReturnFault,
                         testing::Combine(testing::ValuesIn(kReturnFaults), testing::Values(1, 2, 3, 5, 8, 13, 21),
                                          testing::Values(1, 3)),
                         [](const auto& chosen) {
                           return fmt::format("{}At{}By{}", std::get<0>(chosen.param).name, std::get<1>(chosen.param),
                                              std::get<2>(chosen.param));
                         });

}  // namespace
}  // namespace atl
