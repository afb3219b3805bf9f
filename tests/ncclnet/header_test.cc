// SPDX-License-Identifier: Apache-2.0
// Our declaration of the interface of network plug-ins against a public header of it: sizes, places of members, types
// and values. ATOLL_NET_HEADER is the header; HEADER_WANTS_NCCL: nccl.h is beside it, and wanted first; HEADER_HAS_V12
// and so on: it has this version.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <type_traits>

#ifdef HEADER_WANTS_NCCL
#include <nccl.h>
#endif
#include ATOLL_NET_HEADER

#include "transports/ncclnet/abi.h"

namespace {

using namespace atl::ncclnet;

#define EXPECT_PLACE(theirs, ours, member)                     \
  EXPECT_EQ(offsetof(theirs, member), offsetof(ours, member)); \
  EXPECT_EQ(sizeof(theirs::member), sizeof(ours::member))

#define EXPECT_SAME_DEVICE(theirs, ours)     \
  EXPECT_EQ(sizeof(theirs), sizeof(ours));   \
  EXPECT_PLACE(theirs, ours, name);          \
  EXPECT_PLACE(theirs, ours, pciPath);       \
  EXPECT_PLACE(theirs, ours, guid);          \
  EXPECT_PLACE(theirs, ours, ptrSupport);    \
  EXPECT_PLACE(theirs, ours, regIsGlobal);   \
  EXPECT_PLACE(theirs, ours, speed);         \
  EXPECT_PLACE(theirs, ours, port);          \
  EXPECT_PLACE(theirs, ours, latency);       \
  EXPECT_PLACE(theirs, ours, maxComms);      \
  EXPECT_PLACE(theirs, ours, maxRecvs);      \
  EXPECT_PLACE(theirs, ours, netDeviceType); \
  EXPECT_PLACE(theirs, ours, netDeviceVersion)

#define EXPECT_SAME_FUSED_DEVICE(theirs, ours) \
  EXPECT_SAME_DEVICE(theirs, ours);            \
  EXPECT_PLACE(theirs, ours, forceFlush);      \
  EXPECT_PLACE(theirs, ours, vProps);          \
  EXPECT_PLACE(theirs, ours, maxP2pBytes);     \
  EXPECT_PLACE(theirs, ours, maxCollBytes)

/// How many arguments a function of a table takes, and how large each is: a pointer to ours is called as theirs is.
template <class Function>
struct Shape;
template <class Result, class... Arguments>
struct Shape<Result (*)(Arguments...)> {
  static std::string text() {
    std::string sizes = std::to_string(sizeof(Result)) + "(";
    ((sizes += std::to_string(sizeof(Arguments)) + (std::is_pointer_v<Arguments> ? "* " : " ")), ...);
    return sizes + ")";
  }
};
template <class Result, class... Arguments>
struct Shape<Result (*)(Arguments..., ...)> {
  static std::string text() { return Shape<void* (*)(Arguments...)>::text() + " ..."; }
};

#define EXPECT_SAME_FUNCTION(theirs, ours, member) \
  EXPECT_PLACE(theirs, ours, member);              \
  EXPECT_EQ(Shape<decltype(theirs::member)>::text(), Shape<decltype(ours::member)>::text()) << #member

#define EXPECT_SAME_TABLE(theirs, ours)              \
  EXPECT_EQ(sizeof(theirs), sizeof(ours));           \
  EXPECT_PLACE(theirs, ours, name);                  \
  EXPECT_SAME_FUNCTION(theirs, ours, init);          \
  EXPECT_SAME_FUNCTION(theirs, ours, devices);       \
  EXPECT_SAME_FUNCTION(theirs, ours, getProperties); \
  EXPECT_SAME_FUNCTION(theirs, ours, listen);        \
  EXPECT_SAME_FUNCTION(theirs, ours, connect);       \
  EXPECT_SAME_FUNCTION(theirs, ours, accept);        \
  EXPECT_SAME_FUNCTION(theirs, ours, regMr);         \
  EXPECT_SAME_FUNCTION(theirs, ours, regMrDmaBuf);   \
  EXPECT_SAME_FUNCTION(theirs, ours, deregMr);       \
  EXPECT_SAME_FUNCTION(theirs, ours, isend);         \
  EXPECT_SAME_FUNCTION(theirs, ours, irecv);         \
  EXPECT_SAME_FUNCTION(theirs, ours, iflush);        \
  EXPECT_SAME_FUNCTION(theirs, ours, test);          \
  EXPECT_SAME_FUNCTION(theirs, ours, closeSend);     \
  EXPECT_SAME_FUNCTION(theirs, ours, closeRecv);     \
  EXPECT_SAME_FUNCTION(theirs, ours, closeListen);   \
  EXPECT_SAME_FUNCTION(theirs, ours, getDeviceMr);   \
  EXPECT_SAME_FUNCTION(theirs, ours, irecvConsumed)

TEST(NcclNetHeader, Values_AreTheSame) {
  EXPECT_EQ(kHandleBytes, std::size_t{NCCL_NET_HANDLE_MAXSIZE});
  EXPECT_EQ(kHostMemory, NCCL_PTR_HOST);
  EXPECT_EQ(kCudaMemory, NCCL_PTR_CUDA);
  EXPECT_EQ(kDmaBuf, NCCL_PTR_DMABUF);
  EXPECT_EQ(kHostDriven, static_cast<int>(NCCL_NET_DEVICE_HOST));
  EXPECT_GE(NCCL_NET_MAX_REQUESTS, kMostRequestsOfOldPlugins);
  EXPECT_LE(NCCL_NET_MAX_REQUESTS, kMostRequests);
  EXPECT_EQ(static_cast<int>(LogLevel::warn), static_cast<int>(NCCL_LOG_WARN));
  EXPECT_EQ(static_cast<int>(LogLevel::info), static_cast<int>(NCCL_LOG_INFO));
  EXPECT_EQ(static_cast<int>(LogLevel::abort), static_cast<int>(NCCL_LOG_ABORT));
  EXPECT_EQ(static_cast<int>(LogLevel::trace), static_cast<int>(NCCL_LOG_TRACE));
  EXPECT_EQ(kAboutInit, static_cast<unsigned long>(NCCL_INIT));
  EXPECT_EQ(kAboutNet, static_cast<unsigned long>(NCCL_NET));
  EXPECT_EQ(static_cast<int>(Code::success), static_cast<int>(ncclSuccess));
  EXPECT_EQ(static_cast<int>(Code::unhandledCudaError), static_cast<int>(ncclUnhandledCudaError));
  EXPECT_EQ(static_cast<int>(Code::systemError), static_cast<int>(ncclSystemError));
  EXPECT_EQ(static_cast<int>(Code::internalError), static_cast<int>(ncclInternalError));
  EXPECT_EQ(static_cast<int>(Code::invalidArgument), static_cast<int>(ncclInvalidArgument));
  EXPECT_EQ(static_cast<int>(Code::invalidUsage), static_cast<int>(ncclInvalidUsage));
  EXPECT_EQ(static_cast<int>(Code::remoteError), static_cast<int>(ncclRemoteError));
  EXPECT_EQ(sizeof(Code), sizeof(ncclResult_t));
  EXPECT_EQ(Shape<Logger>::text(), Shape<ncclDebugLogger_t>::text());
}

#ifdef HEADER_HAS_V8
TEST(NcclNetHeader, Version8_HasTheSameLayout) {
  EXPECT_SAME_DEVICE(ncclNetProperties_v8_t, PropertiesV8);
  EXPECT_SAME_TABLE(ncclNet_v8_t, NetV8);
}
#endif

#ifdef HEADER_HAS_V9
TEST(NcclNetHeader, Version9_HasTheSameLayout) {
  EXPECT_SAME_FUSED_DEVICE(ncclNetProperties_v9_t, PropertiesV9);
  EXPECT_SAME_TABLE(ncclNet_v9_t, NetV9);
  EXPECT_SAME_FUNCTION(ncclNet_v9_t, NetV9, makeVDevice);
}
#endif

#ifdef HEADER_HAS_V10
TEST(NcclNetHeader, Version10_HasTheSameLayout) {
  EXPECT_SAME_FUSED_DEVICE(ncclNetProperties_v10_t, PropertiesV10);
  EXPECT_SAME_TABLE(ncclNet_v10_t, NetV10);
  EXPECT_SAME_FUNCTION(ncclNet_v10_t, NetV10, makeVDevice);
  EXPECT_EQ(sizeof(ncclNetCommConfig_v10_t), sizeof(CommConfig));
  EXPECT_EQ(NCCL_NET_TRAFFIC_CLASS_UNDEF, kUndefined);
  EXPECT_EQ(NCCL_MAX_NET_SIZE_BYTES, static_cast<long>(kMostBytes));
}
#endif

#ifdef HEADER_HAS_V11
TEST(NcclNetHeader, Version11_HasTheSameLayout) {
  EXPECT_SAME_FUSED_DEVICE(ncclNetProperties_v11_t, PropertiesV11);
  EXPECT_PLACE(ncclNetProperties_v11_t, PropertiesV11, maxMultiRequestSize);
  EXPECT_SAME_TABLE(ncclNet_v11_t, NetV11);
  EXPECT_SAME_FUNCTION(ncclNet_v11_t, NetV11, makeVDevice);
  EXPECT_SAME_FUNCTION(ncclNet_v11_t, NetV11, finalize);
  EXPECT_SAME_FUNCTION(ncclNet_v11_t, NetV11, setNetAttr);
  EXPECT_EQ(sizeof(ncclNetCommConfig_v11_t), sizeof(CommConfig));
}
#endif

#ifdef HEADER_HAS_V12
TEST(NcclNetHeader, Version12_HasTheSameLayout) {
  EXPECT_SAME_FUSED_DEVICE(ncclNetProperties_v12_t, PropertiesV12);
  EXPECT_PLACE(ncclNetProperties_v12_t, PropertiesV12, maxMultiRequestSize);
  EXPECT_PLACE(ncclNetProperties_v12_t, PropertiesV12, railId);
  EXPECT_PLACE(ncclNetProperties_v12_t, PropertiesV12, planeId);
  EXPECT_SAME_TABLE(ncclNet_v12_t, NetV12);
  EXPECT_SAME_FUNCTION(ncclNet_v12_t, NetV12, makeVDevice);
  EXPECT_SAME_FUNCTION(ncclNet_v12_t, NetV12, finalize);
  EXPECT_SAME_FUNCTION(ncclNet_v12_t, NetV12, setNetAttr);
  EXPECT_EQ(sizeof(ncclNetCommConfig_v12_t), sizeof(CommConfig));
  EXPECT_EQ(NCCL_NET_ID_UNDEF, kUndefined);
}
#endif

}  // namespace
