// SPDX-License-Identifier: Apache-2.0
// Reductions of the user's own: premulsum, functions that commute and functions that do not, and their handles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/api/world.h"

namespace atl::api {
namespace {

using testing::HasSubstr;

TEST(PreMulSum, MultipliesEachRanksInputByItsOwnScalar) {
  World world(3);
  world.run([](int rank, atollComm_t comm) {
    float scalar = static_cast<float>(rank + 1);
    atollRedOp_t op = 0;
    ASSERT_EQ(atollRedOpCreatePreMulSum(&op, &scalar, atollFloat, atollScalarHostImmediate, comm), atollSuccess);
    scalar = NAN;  // it was copied
    const std::vector<float> send(7, 2.0F);
    std::vector<float> recv(7);
    ASSERT_EQ(atollAllReduce(send.data(), recv.data(), 7, atollFloat, op, comm, nullptr), atollSuccess) << lastError();
    EXPECT_THAT(recv, testing::Each(2.0F * (1 + 2 + 3)));
    EXPECT_THAT(send, testing::Each(2.0F)) << "the input is only read";
    EXPECT_EQ(atollRedOpDestroy(op, comm), atollSuccess);
  });
}

TEST(PreMulSum, OfAnotherType_IsRefused) {
  World world(1);
  double scalar = 2;
  double value = 1;
  atollRedOp_t op = 0;
  ASSERT_EQ(atollRedOpCreatePreMulSum(&op, &scalar, atollDouble, atollScalarDevice, world[0]), atollSuccess);
  EXPECT_EQ(atollAllReduce(&value, &value, 2, atollFloat, op, world[0], nullptr), atollInvalidArgument);
  EXPECT_THAT(lastError(), HasSubstr("a premulsum made for double, but argument type is float"));
}

/// 2×2 matrices over the integers modulo 2^32: their product depends on the order.
using Matrix = std::array<std::uint32_t, 4>;

Matrix product(const Matrix& a, const Matrix& b) {
  return {a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3]};
}

void multiplyMatrices(const void* in, void* inout, size_t count, atollDataType_t type, void* context) {
  ASSERT_EQ(type, atollUint32);
  ASSERT_EQ(count % 4, 0U);
  ++*static_cast<std::atomic<int>*>(context);
  const auto* left = static_cast<const Matrix*>(in);
  auto* right = static_cast<Matrix*>(inout);
  for (size_t i = 0; i < count / 4; ++i) right[i] = product(left[i], right[i]);
}

TEST(UserReduction, ThatDoesNotCommute_RunsInRankOrder) {
  constexpr int kRanks = 5;
  constexpr std::size_t kMatrices = 16;  // one cache line each; shares are cut at whole lines
  World world(kRanks);
  const auto matrixOf = [](int rank) {
    const auto r = static_cast<std::uint32_t>(rank);
    return Matrix{r + 1, 2 * r + 1, r + 3, 5 * r + 2};
  };
  Matrix expected = matrixOf(0);
  for (int rank = 1; rank < kRanks; ++rank) expected = product(expected, matrixOf(rank));
  std::atomic<int> called{0};
  world.run([&](int rank, atollComm_t comm) {
    atollRedOp_t op = 0;
    ASSERT_EQ(atollRedOpCreateUser(&op, multiplyMatrices, &called, 0, comm), atollSuccess);
    const std::vector<Matrix> send(kMatrices, matrixOf(rank));
    std::vector<Matrix> recv(kMatrices);
    ASSERT_EQ(atollAllReduce(send.data(), recv.data(), 4 * kMatrices, atollUint32, op, comm, nullptr), atollSuccess)
        << lastError();
    EXPECT_THAT(recv, testing::Each(expected));
    constexpr int kRoot = 3;
    ASSERT_EQ(atollReduce(send.data(), recv.data(), 4 * kMatrices, atollUint32, op, kRoot, comm, nullptr), atollSuccess)
        << lastError();
    if (rank == kRoot) {
      EXPECT_THAT(recv, testing::Each(expected));
    }
    EXPECT_EQ(atollRedOpDestroy(op, comm), atollSuccess);
  });
  EXPECT_GT(called.load(), 0);
}

void bitwiseOr(const void* in, void* inout, size_t count, atollDataType_t type, void*) {
  ASSERT_EQ(type, atollUint8);
  for (size_t i = 0; i < count; ++i) static_cast<std::uint8_t*>(inout)[i] |= static_cast<const std::uint8_t*>(in)[i];
}

TEST(UserReduction, ThatCommutes_ReducesEveryElement) {
  constexpr int kRanks = 4;
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    atollRedOp_t op = 0;
    ASSERT_EQ(atollRedOpCreateUser(&op, bitwiseOr, nullptr, 1, comm), atollSuccess);
    std::vector<std::uint8_t> data(1001, static_cast<std::uint8_t>(1 << rank));
    ASSERT_EQ(atollAllReduce(data.data(), data.data(), data.size(), atollUint8, op, comm, nullptr), atollSuccess)
        << lastError();
    EXPECT_THAT(data, testing::Each(0x0f));
  });
}

TEST(OperatorHandles, BelongToTheirCommunicator) {
  World world(2);
  atollRedOp_t op = 0;
  ASSERT_EQ(atollRedOpCreateUser(&op, bitwiseOr, nullptr, 1, world[0]), atollSuccess);
  std::uint8_t value = 0;
  EXPECT_EQ(atollAllReduce(&value, &value, 1, atollUint8, op, world[1], nullptr), atollInvalidArgument);
  EXPECT_THAT(lastError(), HasSubstr("nor a live handle of this communicator"));
  EXPECT_EQ(atollRedOpDestroy(op, world[1]), atollInvalidArgument);
  EXPECT_EQ(atollRedOpDestroy(op, world[0]), atollSuccess);
  EXPECT_EQ(atollRedOpDestroy(op, world[0]), atollInvalidArgument);
  EXPECT_EQ(atollRedOpDestroy(atollAvg, world[0]), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollRedOpDestroy: argument op is 4, a built-in reduction");
}

TEST(OperatorHandles, AreMadeOfCheckedArguments) {
  World world(1);
  float scalar = 1;
  atollRedOp_t op = 0;
  EXPECT_EQ(atollRedOpCreateUser(&op, nullptr, nullptr, 1, world[0]), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollRedOpCreateUser: argument function is NULL");
  EXPECT_EQ(atollRedOpCreateUser(&op, bitwiseOr, nullptr, 2, world[0]), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollRedOpCreateUser: argument commutative is 2; it must be 0 or 1");
  EXPECT_EQ(atollRedOpCreatePreMulSum(&op, nullptr, atollFloat, atollScalarDevice, world[0]), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollRedOpCreatePreMulSum: argument scalar is NULL");
  EXPECT_EQ(atollRedOpCreatePreMulSum(&op, &scalar, atollFloat, static_cast<atollScalarResidence_t>(2), world[0]),
            atollInvalidArgument);
  EXPECT_THAT(lastError(), HasSubstr("argument residence is 2"));
}

}  // namespace
}  // namespace atl::api
