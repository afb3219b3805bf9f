// SPDX-License-Identifier: Apache-2.0
// Wrong arguments: each gives its own sentence, before anything is sent, and leaves the communicator usable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>

#include "tests/api/world.h"

namespace atl::api {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

/// Rank 1 of a communicator of four, whose other ranks are never called: nothing here may wait for them.
class WrongArguments : public testing::Test {
 protected:
  World world{4};
  atollComm_t comm = world[1];
  std::array<float, 64> a{};
  std::array<float, 64> b{};

  void expect(atollResult_t result, atollResult_t wanted, const std::string& text) {
    EXPECT_EQ(result, wanted);
    EXPECT_EQ(lastError(), text);
    EXPECT_EQ(lastError(comm), text);
    atollResult_t state = atollInternalError;
    EXPECT_EQ(atollCommGetAsyncError(comm, &state), atollSuccess);
    EXPECT_EQ(state, atollSuccess) << "the communicator is still good";
  }
  void expectLike(atollResult_t result, const std::string& regex) {
    EXPECT_EQ(result, atollInvalidArgument);
    EXPECT_THAT(lastError(comm), MatchesRegex(regex));
  }
};

TEST_F(WrongArguments, NullBuffers_AreNamed) {
  expect(atollAllReduce(nullptr, b.data(), 5, atollFloat, atollSum, comm, nullptr), atollInvalidArgument,
         "atollAllReduce: argument sendbuff is NULL, but the call needs 20 bytes there");
  expect(atollAllGather(a.data(), nullptr, 5, atollFloat, comm, nullptr), atollInvalidArgument,
         "atollAllGather: argument recvbuff is NULL, but the call needs 80 bytes there");
  expect(atollBroadcast(nullptr, nullptr, 5, atollFloat, 0, comm, nullptr), atollInvalidArgument,
         "atollBroadcast: argument recvbuff is NULL, but the call needs 20 bytes there");
  expect(atollScatter(nullptr, b.data(), 5, atollFloat, 1, comm, nullptr), atollInvalidArgument,
         "atollScatter: argument sendbuff is NULL, but the call needs 80 bytes there");
  expect(atollSend(nullptr, 5, atollFloat, 0, comm, nullptr), atollInvalidArgument,
         "atollSend: argument sendbuff is NULL, but the call needs 20 bytes there");
  expect(atollRecv(nullptr, 5, atollFloat, 0, comm, nullptr), atollInvalidArgument,
         "atollRecv: argument recvbuff is NULL, but the call needs 20 bytes there");
}

TEST_F(WrongArguments, RootsAndPeersOutOfRange_AreNamedWithTheRange) {
  expect(atollReduce(a.data(), b.data(), 5, atollFloat, atollSum, 9, comm, nullptr), atollInvalidArgument,
         "atollReduce: argument root is 9, but the communicator has 4 ranks (0-3)");
  expect(atollBroadcast(a.data(), b.data(), 5, atollFloat, -1, comm, nullptr), atollInvalidArgument,
         "atollBroadcast: argument root is -1, but the communicator has 4 ranks (0-3)");
  expect(atollGather(a.data(), b.data(), 5, atollFloat, 4, comm, nullptr), atollInvalidArgument,
         "atollGather: argument root is 4, but the communicator has 4 ranks (0-3)");
  expect(atollScatter(a.data(), b.data(), 5, atollFloat, 4, comm, nullptr), atollInvalidArgument,
         "atollScatter: argument root is 4, but the communicator has 4 ranks (0-3)");
  expect(atollSend(a.data(), 5, atollFloat, 4, comm, nullptr), atollInvalidArgument,
         "atollSend: argument peer is 4, but the communicator has 4 ranks (0-3)");
  expect(atollRecv(a.data(), 5, atollFloat, -2, comm, nullptr), atollInvalidArgument,
         "atollRecv: argument peer is -2, but the communicator has 4 ranks (0-3)");
}

TEST_F(WrongArguments, SendToMyselfOutsideAGroup_IsRefused) {
  expect(
      atollSend(a.data(), 5, atollFloat, 1, comm, nullptr), atollInvalidUsage,
      "atollSend: argument peer is 1, this rank itself: outside a group it would wait for its own other half for ever");
}

TEST_F(WrongArguments, UnknownTypes_AreRefused) {
  expect(atollAllReduce(a.data(), b.data(), 5, static_cast<atollDataType_t>(12), atollSum, comm, nullptr),
         atollInvalidArgument, "atollAllReduce: argument type is 12, which is not an atollDataType_t (0-11)");
  expect(atollAllToAllV(nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, static_cast<atollDataType_t>(99), comm,
                        nullptr),
         atollInvalidArgument, "atollAllToAllV: argument type is 99, which is not an atollDataType_t (0-11)");
}

TEST_F(WrongArguments, UnknownOperators_AreRefused) {
  expect(atollAllReduce(a.data(), b.data(), 5, atollFloat, 5, comm, nullptr), atollInvalidArgument,
         "atollAllReduce: argument op is 5, which is neither a built-in reduction (0-4) nor a live handle of this "
         "communicator");
  expect(atollReduceScatter(a.data(), b.data(), 5, atollFloat, -1, comm, nullptr), atollInvalidArgument,
         "atollReduceScatter: argument op is -1, which is neither a built-in reduction (0-4) nor a live handle of this "
         "communicator");
}

TEST_F(WrongArguments, CountsBeyondTheAddressSpace_AreRefused) {
  constexpr std::size_t kHuge = std::size_t{1} << 61;
  expect(atollAllReduce(a.data(), b.data(), kHuge, atollFloat, atollSum, comm, nullptr), atollInvalidArgument,
         "atollAllReduce: argument count is 2305843009213693952: 1 × 2305843009213693952 elements of float exceed the "
         "address "
         "space");
  expect(atollAllGather(a.data(), b.data(), kHuge / 4, atollFloat, comm, nullptr), atollInvalidArgument,
         "atollAllGather: argument sendcount is 576460752303423488: 4 × 576460752303423488 elements of float exceed "
         "the address "
         "space");
  // Fits a size, but wraps around from where the buffer begins.
  expectLike(atollSend(forged<const void*>(UINTPTR_MAX - 3), 5, atollFloat, 0, comm, nullptr),
             "atollSend: argument sendbuff is 0x[0-9a-f]+: 20 bytes from there exceed the address space");
}

TEST_F(WrongArguments, OverlapOtherThanInPlace_IsRefused) {
  expectLike(atollAllReduce(a.data(), a.data() + 1, 5, atollFloat, atollSum, comm, nullptr),
             "atollAllReduce: argument sendbuff is 0x[0-9a-f]+ \\(20 bytes\\) and overlaps argument recvbuff, "
             "0x[0-9a-f]+ \\(20 "
             "bytes\\), other than in the in-place form recvbuff == sendbuff");
  // The in-place form of rank 0, on rank 1.
  expectLike(atollAllGather(a.data(), a.data(), 5, atollFloat, comm, nullptr),
             "atollAllGather: .* other than in the in-place form sendbuff == recvbuff \\+ rank \\* sendcount");
  expectLike(atollReduceScatter(a.data(), a.data(), 5, atollFloat, atollSum, comm, nullptr),
             "atollReduceScatter: .* other than in the in-place form recvbuff == sendbuff \\+ rank \\* recvcount");
  expectLike(atollAllToAll(a.data(), a.data(), 5, atollFloat, comm, nullptr),
             "atollAllToAll: .*, which has no in-place form");
  expectLike(atollGather(a.data(), a.data(), 5, atollFloat, 1, comm, nullptr), "atollGather: .* in-place form .*");
  expectLike(atollScatter(a.data(), a.data(), 5, atollFloat, 1, comm, nullptr), "atollScatter: .* in-place form .*");
}

TEST_F(WrongArguments, VectorForms_NameTheBlock) {
  std::array<std::size_t, 4> counts{1, 2, 3, 4};
  std::array<std::size_t, 4> displs{0, 1, 3, 6};
  expect(atollAllGatherV(a.data(), 2, b.data(), nullptr, displs.data(), atollFloat, comm, nullptr),
         atollInvalidArgument, "atollAllGatherV: argument recvcounts is NULL");
  expect(atollAllGatherV(a.data(), 2, b.data(), counts.data(), nullptr, atollFloat, comm, nullptr),
         atollInvalidArgument, "atollAllGatherV: argument displs is NULL");
  expect(atollAllGatherV(a.data(), 3, b.data(), counts.data(), displs.data(), atollFloat, comm, nullptr),
         atollInvalidArgument, "atollAllGatherV: argument sendcount is 3, but recvcounts[1], this rank's, is 2");
  expect(atollReduceScatterV(a.data(), nullptr, b.data(), atollFloat, atollSum, comm, nullptr), atollInvalidArgument,
         "atollReduceScatterV: argument counts is NULL");
  displs[3] = 4;
  expect(atollAllGatherV(a.data(), 2, b.data(), counts.data(), displs.data(), atollFloat, comm, nullptr),
         atollInvalidArgument,
         "atollAllGatherV: arguments recvcounts and displs: the block of rank 2 ([3, 6)) overlaps that of rank 3 ([4, "
         "8))");
  displs[3] = std::numeric_limits<std::size_t>::max() - 1;
  expect(atollAllToAllV(a.data(), counts.data(), displs.data(), b.data(), counts.data(), displs.data(), atollFloat,
                        comm, nullptr),
         atollInvalidArgument,
         "atollAllToAllV: arguments sendcounts[3] is 4 and sdispls[3] is 18446744073709551614: together they exceed "
         "the address "
         "space");
}

TEST_F(WrongArguments, Streams_AreNullOrOurs) {
  expectLike(atollAllReduce(a.data(), b.data(), 5, atollFloat, atollSum, comm, forged<atollStream_t>(1)),
             "atollAllReduce: argument stream is 0x1, which is neither NULL nor a live stream of atollStreamCreate");
}

TEST_F(WrongArguments, NullOutputs_AreNamed) {
  const auto expectText = [](atollResult_t result, const char* text) {
    EXPECT_EQ(result, atollInvalidArgument);
    EXPECT_EQ(lastError(), text);
  };
  expectText(atollGetVersion(nullptr), "atollGetVersion: argument version is NULL");
  expectText(atollGetUniqueId(nullptr), "atollGetUniqueId: argument id is NULL");
  expectText(atollCommInitAll(nullptr, 2), "atollCommInitAll: argument comms is NULL");
  expectText(atollCommInitEnv(nullptr, nullptr), "atollCommInitEnv: argument comm is NULL");
  expectText(atollCommCount(comm, nullptr), "atollCommCount: argument count is NULL");
  expectText(atollCommUserRank(comm, nullptr), "atollCommUserRank: argument rank is NULL");
  expectText(atollCommDevice(comm, nullptr), "atollCommDevice: argument device is NULL");
  expectText(atollCommGetAsyncError(comm, nullptr), "atollCommGetAsyncError: argument error is NULL");
  expectText(atollCommGetStats(comm, nullptr), "atollCommGetStats: argument stats is NULL");
  expectText(atollCommGetChoice(comm, "allreduce", 8, nullptr), "atollCommGetChoice: argument choice is NULL");
  atollChoice_t choice{};
  expectText(atollCommGetChoice(comm, nullptr, 8, &choice), "atollCommGetChoice: argument collective is NULL");
  expectText(atollCommGetChoice(comm, "allreduced", 8, &choice),
             "atollCommGetChoice: argument collective is 'allreduced', which is none");
  expectText(atollCommGetChoice(comm, "allreduce", 8, &choice),
             "atollCommGetChoice: argument choice has size 0; it must be sizeof(atollChoice_t)");
  expectText(atollCommLoadPlan(comm, nullptr), "atollCommLoadPlan: argument path is NULL");
  expectText(atollCommSetTopology(comm, nullptr), "atollCommSetTopology: argument path is NULL");
  expectText(atollCommSplit(comm, 0, 0, nullptr, nullptr), "atollCommSplit: argument newcomm is NULL");
  expectText(atollStreamCreate(nullptr), "atollStreamCreate: argument stream is NULL");
  expectText(atollMemAlloc(nullptr, 8), "atollMemAlloc: argument ptr is NULL");
}

TEST_F(WrongArguments, NullCommunicator_IsNamed) {
  EXPECT_EQ(atollAllReduce(a.data(), b.data(), 5, atollFloat, atollSum, nullptr, nullptr), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollAllReduce: argument comm is NULL");
  int count = 0;
  EXPECT_EQ(atollCommCount(nullptr, &count), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollCommCount: argument comm is NULL");
}

TEST(WrongPlaces, RanksAndIds_AreChecked) {
  atollComm_t comm = nullptr;
  atollUniqueId id{};
  EXPECT_EQ(atollCommInitRank(&comm, 0, id, 0), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollCommInitRank: argument nranks is 0; it must be at least 1");
  EXPECT_EQ(atollCommInitRank(&comm, 4, id, 4), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollCommInitRank: argument rank is 4, but argument nranks is 4 (ranks 0-3)");
  EXPECT_EQ(atollCommInitRank(&comm, 4, id, 0), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollCommInitRank: argument id is all zero; atollGetUniqueId makes ids");
  EXPECT_EQ(atollCommInitRankScalable(&comm, 2, 0, 3, &id, nullptr), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollCommInitRankScalable: argument nids is 3; it must be from 1 to nranks, 2");
  EXPECT_EQ(atollCommInitFile(&comm, 2, 0, nullptr, nullptr), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollCommInitFile: argument path is NULL");
  EXPECT_EQ(comm, nullptr);
}

TEST(ErrorTexts, CarryTheCommunicatorsName) {
  atollComm_t parts[1] = {};
  World world(1);
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.name = "data-parallel";
  ASSERT_EQ(atollCommSplit(world[0], 0, 0, parts, &config), atollSuccess) << lastError();
  EXPECT_EQ(atollBroadcast(nullptr, nullptr, 0, atollInt, 1, parts[0], nullptr), atollInvalidArgument);
  EXPECT_EQ(lastError(),
            "atollBroadcast on 'data-parallel': argument root is 1, but the communicator has 1 rank (0-0)");
  EXPECT_EQ(atollCommDestroy(parts[0]), atollSuccess);
}

TEST(ErrorTexts, AreKeptPerCommunicatorAndPerThread) {
  World world(2);
  EXPECT_EQ(lastError(world[0]), "");
  EXPECT_EQ(atollBroadcast(nullptr, nullptr, 0, atollInt, 7, world[0], nullptr), atollInvalidArgument);
  EXPECT_EQ(atollReduce(nullptr, nullptr, 0, atollInt, atollSum, 8, world[1], nullptr), atollInvalidArgument);
  EXPECT_THAT(lastError(world[0]), HasSubstr("root is 7"));
  EXPECT_THAT(lastError(world[1]), HasSubstr("root is 8"));
  EXPECT_THAT(lastError(), HasSubstr("root is 8"));
  std::thread([] { EXPECT_EQ(lastError(), ""); }).join();
}

}  // namespace
}  // namespace atl::api
