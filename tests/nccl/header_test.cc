// SPDX-License-Identifier: Apache-2.0
// Our declaration of NCCL's interface against NVIDIA's header: sizes, places of members, values.
#include <gtest/gtest.h>
#include <nccl.h>

#include <cstddef>

#include "atoll/atoll.h"

// Both declare the same names.
namespace ours {
#define cudaStream_t atollsCudaStream
#include "integrations/nccl/abi.h"
#undef cudaStream_t
}  // namespace ours

namespace {

// Members that a header has and another has not are at the end, where `size` tells.
#define EXPECT_SAME_PLACE(type, member) EXPECT_EQ(offsetof(type, member), offsetof(ours::type, member))

TEST(NcclHeader, Structures_HaveTheSameLayout) {
  EXPECT_EQ(sizeof(ncclUniqueId), sizeof(ours::ncclUniqueId));
  EXPECT_EQ(sizeof(ncclSimInfo_t), sizeof(ours::ncclSimInfo_t));
  EXPECT_GE(sizeof(ncclConfig_t), offsetof(ncclConfig_t, commName));
  EXPECT_SAME_PLACE(ncclConfig_t, size);
  EXPECT_SAME_PLACE(ncclConfig_t, magic);
  EXPECT_SAME_PLACE(ncclConfig_t, version);
  EXPECT_SAME_PLACE(ncclConfig_t, blocking);
  EXPECT_SAME_PLACE(ncclConfig_t, splitShare);
  EXPECT_SAME_PLACE(ncclConfig_t, trafficClass);
  EXPECT_SAME_PLACE(ncclConfig_t, commName);
  EXPECT_SAME_PLACE(ncclConfig_t, nvlinkCentricSched);
  const ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  EXPECT_EQ(config.magic, ours::kNcclConfigMagic);
  EXPECT_EQ(config.blocking, ours::kNcclUndefined);
  const ncclSimInfo_t info = NCCL_SIM_INFO_INITIALIZER;
  EXPECT_EQ(info.magic, ours::kNcclSimInfoMagic);
}

TEST(NcclHeader, Values_AreTheSame) {
  EXPECT_EQ(static_cast<int>(ncclSuccess), ours::ncclSuccess);
  EXPECT_EQ(static_cast<int>(ncclUnhandledCudaError), ours::ncclUnhandledCudaError);
  EXPECT_EQ(static_cast<int>(ncclSystemError), ours::ncclSystemError);
  EXPECT_EQ(static_cast<int>(ncclInternalError), ours::ncclInternalError);
  EXPECT_EQ(static_cast<int>(ncclInvalidArgument), ours::ncclInvalidArgument);
  EXPECT_EQ(static_cast<int>(ncclInvalidUsage), ours::ncclInvalidUsage);
  EXPECT_EQ(static_cast<int>(ncclRemoteError), ours::ncclRemoteError);
  EXPECT_EQ(static_cast<int>(ncclInProgress), ours::ncclInProgress);
  EXPECT_EQ(static_cast<int>(ncclFloat8e5m2), atollFloat8e5m2);
  EXPECT_EQ(static_cast<int>(ncclBfloat16), atollBfloat16);
  EXPECT_EQ(static_cast<int>(ncclUint64), atollUint64);
  EXPECT_EQ(static_cast<int>(ncclAvg), atollAvg);
  EXPECT_EQ(static_cast<int>(ncclMin), atollMin);
  EXPECT_EQ(static_cast<int>(ncclScalarHostImmediate), atollScalarHostImmediate);
  EXPECT_EQ(NCCL_SPLIT_NOCOLOR, ATOLL_SPLIT_NOCOLOR);
#ifdef NCCL_SHRINK_ABORT
  EXPECT_EQ(NCCL_SHRINK_DEFAULT, ours::kNcclShrinkDefault);
  EXPECT_EQ(NCCL_SHRINK_ABORT, ours::kNcclShrinkAbort);
#endif
  EXPECT_EQ(sizeof(ncclRedOp_t), sizeof(ours::ncclRedOp_t));
  EXPECT_EQ(sizeof(ncclDataType_t), sizeof(ours::ncclDataType_t));
}

}  // namespace
