// SPDX-License-Identifier: Apache-2.0
// What calls promise beyond the right sums: order of reduction, repeatability, unequal blocks, messages, several
// communicators.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "src/plan/algorithm.h"
#include "src/plan/serialize.h"
#include "tests/support/rank_threads.h"
#include "tests/support/unequal_blocks.h"

namespace atl {
namespace {

/// Runs `body` on every rank and expects success.
void onEach(std::vector<std::unique_ptr<Communicator>>& communicators,
            const std::function<Status(Communicator&)>& body) {
  std::vector<Status> statuses(communicators.size(), success());
  test::onThreads(static_cast<Rank>(communicators.size()), [&](Rank r) {
    statuses[static_cast<std::size_t>(r)] = body(*communicators[static_cast<std::size_t>(r)]);
  });
  for (const Status& status : statuses) {
    if (!status.ok()) ADD_FAILURE() << status.error().text;
  }
}

/// 2×2 integer matrices: their product is associative and does not commute.
void multiplyMatrices(const void* in, void* inout, std::size_t count, DataType, void*) {
  const auto* a = static_cast<const std::int64_t*>(in);
  auto* b = static_cast<std::int64_t*>(inout);
  for (std::size_t i = 0; i + 3 < count; i += 4, a += 4, b += 4) {
    const std::int64_t product[4] = {a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2],
                                     a[2] * b[1] + a[3] * b[3]};
    std::memcpy(b, product, sizeof product);
  }
}

TEST(OrderedReduction, NonCommutativeFunction_IsAppliedInRankOrder) {
  UserReduction product{multiplyMatrices, nullptr, false};
  for (const Rank ranks : {1, 2, 3, 5, 8}) {
    // The payload is small enough that no algorithm cuts a matrix in two.
    std::vector<std::int64_t> expected = {1, 0, 0, 1};
    for (Rank r = 0; r < ranks; ++r) {
      std::vector<std::int64_t> next = expected;
      std::vector<std::int64_t> mine = {1, r + 1, r % 2, 1};
      multiplyMatrices(next.data(), mine.data(), 4, DataType::int64, nullptr);
      expected = mine;
    }
    auto communicators = test::communicators(ranks, test::testSettings());
    onEach(communicators, [&](Communicator& communicator) -> Status {
      const std::vector<std::int64_t> in = {1, communicator.rank() + 1, communicator.rank() % 2, 1};
      std::vector<std::int64_t> out(4);
      Call call;
      call.collective = Collective::allReduce;
      call.send = in.data();
      call.recv = out.data();
      call.count = 4;
      call.type = DataType::int64;
      call.op.kind = Operator::Kind::user;
      call.op.user = &product;
      ATOLL_TRY(communicator.run(call));
      EXPECT_EQ(out, expected) << ranks << " ranks";
      return success();
    });
  }
}

TEST(Reproducibility, SameCall_GivesTheSameBitsEveryTime) {
  constexpr Rank kRanks = 5;
  for (const plan::Algorithm& algorithm : plan::catalogue()) {
    if (!algorithm.serves(Collective::allReduce, kRanks, false)) continue;
    Settings settings = test::testSettings();
    settings.algorithms = fmt::format("allreduce:{}", algorithm.name);
    auto communicators = test::communicators(kRanks, settings);
    onEach(communicators, [&](Communicator& communicator) -> Status {
      std::mt19937 random(static_cast<unsigned>(communicator.rank()));
      std::normal_distribution<float> normal(0, 1e3F);
      std::vector<float> in(70001);
      for (float& x : in) x = normal(random);
      Call call;
      call.collective = Collective::allReduce;
      call.send = in.data();
      call.count = in.size();
      call.type = DataType::float32;
      std::vector<float> first(in.size());
      call.recv = first.data();
      ATOLL_TRY(communicator.run(call));
      for (int again = 0; again < 5; ++again) {
        std::vector<float> out(in.size());
        call.recv = out.data();
        ATOLL_TRY(communicator.run(call));
        EXPECT_EQ(std::memcmp(first.data(), out.data(), out.size() * sizeof(float)), 0) << algorithm.name;
      }
      return success();
    });
  }
}

TEST(PreMulSum, EachRanksScalar_IsAppliedBeforeTheSum) {
  auto communicators = test::communicators(3, test::testSettings());
  onEach(communicators, [](Communicator& communicator) -> Status {
    std::vector<float> buffer(100, 1.0F);
    Call call;
    call.collective = Collective::allReduce;
    call.send = call.recv = buffer.data();
    call.count = buffer.size();
    call.type = DataType::float32;
    call.op.kind = Operator::Kind::preMulSum;
    const auto scalar = static_cast<float>(communicator.rank() + 1);
    std::memcpy(call.op.scalar.data(), &scalar, sizeof scalar);
    ATOLL_TRY(communicator.run(call));
    for (const float x : buffer) EXPECT_EQ(x, 6.0F);
    return success();
  });
}

TEST(UnequalBlocks, AllGatherV_ReduceScatterV_AllToAllV_GiveTheRightData) {
  for (const Rank ranks : {1, 2, 3, 6}) {
    auto communicators = test::communicators(ranks, test::testSettings());
    onEach(communicators, [](Communicator& communicator) { return test::runUnequalBlocks(communicator); });
  }
}

Status transfer(Communicator& communicator, std::span<const PointToPoint> operations) {
  ATOLL_ASSIGN(Execution* const execution, communicator.start(operations));
  Execution* const one[] = {execution};
  return drive(one);
}

TEST(PointToPoint, ManyMessagesOfAPair_ArriveInOrder) {
  auto communicators = test::communicators(2, test::testSettings());
  onEach(communicators, [](Communicator& communicator) -> Status {
    const Rank other = 1 - communicator.rank();
    std::vector<std::vector<std::uint8_t>> in, out;
    std::vector<PointToPoint> operations;
    for (std::size_t k = 0; k < 40; ++k) {
      const std::size_t bytes = k % 7 == 0 ? 0 : 1 + k * k * 97;
      out.emplace_back(bytes, static_cast<std::uint8_t>(k));
      in.emplace_back(bytes, 0xff);
    }
    for (std::size_t k = 0; k < out.size(); ++k) {
      operations.push_back({true, out[k].data(), out[k].size(), DataType::uint8, other});
      operations.push_back({false, in[k].data(), in[k].size(), DataType::uint8, other});
    }
    ATOLL_TRY(transfer(communicator, operations));
    EXPECT_EQ(in, out);
    return success();
  });
}

TEST(PointToPoint, ToMyself_Copies) {
  auto communicators = test::communicators(1, test::testSettings());
  std::vector<int> from = {1, 2, 3};
  std::vector<int> to(3);
  const PointToPoint operations[] = {{true, from.data(), 3, DataType::int32, 0},
                                     {false, to.data(), 3, DataType::int32, 0}};
  ASSERT_TRUE(transfer(*communicators[0], operations).ok());
  EXPECT_EQ(to, from);
}

TEST(PointToPoint, DifferentSizes_AreAMismatchNamingBothRanks) {
  auto communicators = test::communicators(2, test::testSettings());
  std::vector<Status> statuses(2, success());
  test::onThreads(2, [&](Rank r) {
    std::vector<int> buffer(10);
    const PointToPoint operation{r == 0, buffer.data(), r == 0 ? 10U : 9U, DataType::int32, 1 - r};
    statuses[static_cast<std::size_t>(r)] = transfer(*communicators[static_cast<std::size_t>(r)], {&operation, 1});
  });
  ASSERT_FALSE(statuses[1].ok());
  EXPECT_EQ(statuses[1].error().code, ErrorCode::mismatch);
}

TEST(Drive, OneThread_DrivesAllRanks) {
  constexpr Rank kRanks = 6;
  auto communicators = test::communicators(kRanks, test::testSettings());
  std::vector<std::vector<float>> buffers(kRanks, std::vector<float>(50000, 1.0F));
  std::vector<Execution*> executions;
  for (std::size_t r = 0; r < kRanks; ++r) {
    Call call;
    call.collective = Collective::allReduce;
    call.send = call.recv = buffers[r].data();
    call.count = buffers[r].size();
    call.type = DataType::float32;
    auto started = communicators[r]->start(call);
    ASSERT_TRUE(started.ok());
    executions.push_back(started.value());
  }
  ASSERT_TRUE(drive(executions).ok());
  for (const auto& buffer : buffers) {
    for (const float x : buffer) ASSERT_EQ(x, 6.0F);
  }
}

TEST(UserPlan, LoadedFamily_IsWhatRuns) {
  constexpr Rank kRanks = 3;
  std::vector<Plan> family;
  for (Rank r = 0; r < kRanks; ++r) {
    plan::PlanRequest request;
    request.ranks = kRanks;
    request.rank = r;
    family.push_back(plan::algorithmNamed("ring")->generate(request));
    family.back().algorithm = "mine";
  }
  auto read = plan::fromJson(plan::toJson(family));
  ASSERT_TRUE(read.ok()) << read.error().text;
  auto communicators = test::communicators(kRanks, test::testSettings());
  onEach(communicators, [&](Communicator& communicator) -> Status {
    ATOLL_TRY(communicator.usePlan(read.value()));
    std::vector<float> buffer(1000, 1.0F);
    Call call;
    call.collective = Collective::allReduce;
    call.send = call.recv = buffer.data();
    call.count = buffer.size();
    call.type = DataType::float32;
    ATOLL_TRY(communicator.run(call));
    for (const float x : buffer) EXPECT_EQ(x, 3.0F);
    // A ring links a rank to its two neighbours only.
    EXPECT_EQ(communicator.stats().links, 2U);
    return success();
  });
}

TEST(Split, ByColorAndKey_GivesOrderedSubgroups) {
  constexpr Rank kRanks = 6;
  auto communicators = test::communicators(kRanks, test::testSettings());
  onEach(communicators, [](Communicator& communicator) -> Status {
    const Rank me = communicator.rank();
    const int color = me == 5 ? -1 : me % 2;
    ATOLL_ASSIGN(auto part, communicator.split(color, -me, communicator.settings()));
    if (color < 0) {
      EXPECT_EQ(part, nullptr);
      return success();
    }
    EXPECT_EQ(part->ranks(), color == 0 ? 3 : 2);
    EXPECT_EQ(part->rank(), (color == 0 ? 4 - me : 3 - me) / 2);
    std::vector<std::int32_t> value = {me};
    Call call;
    call.collective = Collective::allReduce;
    call.send = call.recv = value.data();
    call.count = 1;
    call.type = DataType::int32;
    ATOLL_TRY(part->run(call));
    EXPECT_EQ(value[0], color == 0 ? 0 + 2 + 4 : 1 + 3);
    return success();
  });
}

}  // namespace
}  // namespace atl
