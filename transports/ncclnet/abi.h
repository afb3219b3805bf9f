// SPDX-License-Identifier: Apache-2.0
// The binary interface between NCCL and its network plug-ins, in the versions that are spoken here. A plug-in exports
// one table of functions for each version that it knows, ncclNetPlugin_v12 and so on; members have NCCL's names, which
// errors and logs use too. A test holds all of it against public headers (tests/ncclnet/header_test.cc).
//
// What changed: 9 sizes of 64 bits and fused devices, 10 a profiler and a configuration of connections, 11 a context
// for each communicator, 12 more devices in a fused one.
//
// Rules that both sides go by: connections are one way. connect and accept never block; they give a null connection
// until it is there, and are called again with the same handle in the same place. isend and irecv give a null request
// when they cannot begin; messages match in the order in which they are posted, and room for more than is sent is fine.
// A request is asked for by test until that says done, and not any more then.
#pragma once

#include <cstddef>
#include <cstdint>

namespace atl::ncclnet {

/// What every function gives back: NCCL's ncclResult_t.
enum class Code : int {
  success = 0,
  unhandledCudaError = 1,
  systemError = 2,
  internalError = 3,
  invalidArgument = 4,
  invalidUsage = 5,
  remoteError = 6,
  inProgress = 7,
};

inline constexpr std::size_t kHandleBytes = 128;     ///< NCCL_NET_HANDLE_MAXSIZE
inline constexpr int kMostRequests = 32;             ///< NCCL_NET_MAX_REQUESTS: a connection has to bear so many …
inline constexpr int kMostRequestsOfOldPlugins = 8;  ///< … or only these, when it is of NCCL 2.27 and before
inline constexpr int kHostMemory = 1;                ///< NCCL_PTR_HOST
inline constexpr int kCudaMemory = 2;                ///< NCCL_PTR_CUDA
inline constexpr int kDmaBuf = 4;                    ///< NCCL_PTR_DMABUF
inline constexpr int kHostDriven = 0;                ///< NCCL_NET_DEVICE_HOST: no GPU takes part in the network's work
inline constexpr int kUndefined = -1;                ///< of a traffic class, and of a rail or plane
inline constexpr std::size_t kMostBytesBefore9 = std::size_t{1} << 30;  ///< MAX_NET_SIZE, where sizes are of 32 bits
inline constexpr std::size_t kMostBytes = std::size_t{1} << 40;         ///< NCCL_MAX_NET_SIZE_BYTES

enum class LogLevel : int { none = 0, version = 1, warn = 2, info = 3, abort = 4, trace = 5 };
inline constexpr unsigned long kAboutInit = 0x1;  ///< NCCL_INIT, a subject of logs
inline constexpr unsigned long kAboutNet = 0x10;  ///< NCCL_NET
inline constexpr unsigned long kAboutAll = ~0UL;  ///< NCCL_ALL

/// NCCL's log, printf-like, which it hands to the plug-in.
using Logger = void (*)(LogLevel level, unsigned long subjects, const char* file, int line, const char* format, ...);
/// Null here: nothing is profiled.
using Profiler = Code (*)(void** event, int type, void* parent, std::int64_t plugin, void* data);

/// Devices that are one to NCCL.
template <int Most>
struct FusedDevices {
  int ndevs;
  int devs[Most];
};

struct PropertiesV8 {
  char* name;
  char* pciPath;       ///< folder of the PCI device in /sys; null for a virtual one
  std::uint64_t guid;  ///< equal where two are the same port
  int ptrSupport;      ///< kHostMemory, …
  int regIsGlobal;     ///< memory registered on one connection is on all
  int speed;           ///< Mbit/s
  int port;
  float latency;  ///< µs; 0: not known
  int maxComms;
  int maxRecvs;  ///< receives that one irecv may group
  int netDeviceType;
  int netDeviceVersion;
};

struct PropertiesV9 {
  char* name;
  char* pciPath;
  std::uint64_t guid;
  int ptrSupport;
  int regIsGlobal;
  int forceFlush;
  int speed;
  int port;
  float latency;
  int maxComms;
  int maxRecvs;
  int netDeviceType;
  int netDeviceVersion;
  FusedDevices<4> vProps;
  std::size_t maxP2pBytes;  ///< of one isend
  std::size_t maxCollBytes;
};

using PropertiesV10 = PropertiesV9;

struct PropertiesV11 {
  char* name;
  char* pciPath;
  std::uint64_t guid;
  int ptrSupport;
  int regIsGlobal;
  int forceFlush;
  int speed;
  int port;
  float latency;
  int maxComms;
  int maxRecvs;
  int netDeviceType;
  int netDeviceVersion;
  FusedDevices<4> vProps;
  std::size_t maxP2pBytes;
  std::size_t maxCollBytes;
  int maxMultiRequestSize;
};

struct PropertiesV12 {
  char* name;
  char* pciPath;
  std::uint64_t guid;
  int ptrSupport;
  int regIsGlobal;
  int forceFlush;
  int speed;
  int port;
  float latency;
  int maxComms;
  int maxRecvs;
  int netDeviceType;
  int netDeviceVersion;
  FusedDevices<8> vProps;
  std::size_t maxP2pBytes;
  std::size_t maxCollBytes;
  int maxMultiRequestSize;
  std::int16_t railId;
  std::int16_t planeId;
};

struct CommConfig {
  int trafficClass;
};

/// Of networks that a GPU drives; only ever null here.
struct DeviceHandle;
struct NetAttributes;

struct NetV8 {
  const char* name;
  Code (*init)(Logger log);
  Code (*devices)(int* count);
  Code (*getProperties)(int device, PropertiesV8* properties);
  Code (*listen)(int device, void* handle, void** listenComm);
  Code (*connect)(int device, void* handle, void** sendComm, DeviceHandle** onDevice);
  Code (*accept)(void* listenComm, void** recvComm, DeviceHandle** onDevice);
  Code (*regMr)(void* comm, void* data, std::size_t bytes, int kind, void** registration);
  Code (*regMrDmaBuf)(void* comm, void* data, std::size_t bytes, int kind, std::uint64_t offset, int descriptor,
                      void** registration);
  Code (*deregMr)(void* comm, void* registration);
  Code (*isend)(void* sendComm, void* data, int bytes, int tag, void* registration, void** request);
  Code (*irecv)(void* recvComm, int count, void** data, int* bytes, int* tags, void** registrations, void** request);
  Code (*iflush)(void* recvComm, int count, void** data, int* bytes, void** registrations, void** request);
  Code (*test)(void* request, int* done, int* bytes);
  Code (*closeSend)(void* sendComm);
  Code (*closeRecv)(void* recvComm);
  Code (*closeListen)(void* listenComm);
  Code (*getDeviceMr)(void* comm, void* registration, void** onDevice);
  Code (*irecvConsumed)(void* recvComm, int count, void* request);
};

struct NetV9 {
  const char* name;
  Code (*init)(Logger log);
  Code (*devices)(int* count);
  Code (*getProperties)(int device, PropertiesV9* properties);
  Code (*listen)(int device, void* handle, void** listenComm);
  Code (*connect)(int device, void* handle, void** sendComm, DeviceHandle** onDevice);
  Code (*accept)(void* listenComm, void** recvComm, DeviceHandle** onDevice);
  Code (*regMr)(void* comm, void* data, std::size_t bytes, int kind, void** registration);
  Code (*regMrDmaBuf)(void* comm, void* data, std::size_t bytes, int kind, std::uint64_t offset, int descriptor,
                      void** registration);
  Code (*deregMr)(void* comm, void* registration);
  Code (*isend)(void* sendComm, void* data, std::size_t bytes, int tag, void* registration, void** request);
  Code (*irecv)(void* recvComm, int count, void** data, std::size_t* bytes, int* tags, void** registrations,
                void** request);
  Code (*iflush)(void* recvComm, int count, void** data, int* bytes, void** registrations, void** request);
  Code (*test)(void* request, int* done, int* bytes);
  Code (*closeSend)(void* sendComm);
  Code (*closeRecv)(void* recvComm);
  Code (*closeListen)(void* listenComm);
  Code (*getDeviceMr)(void* comm, void* registration, void** onDevice);
  Code (*irecvConsumed)(void* recvComm, int count, void* request);
  Code (*makeVDevice)(int* device, FusedDevices<4>* fused);
};

struct NetV10 {
  const char* name;
  Code (*init)(Logger log, Profiler profiler);
  Code (*devices)(int* count);
  Code (*getProperties)(int device, PropertiesV10* properties);
  Code (*listen)(int device, void* handle, void** listenComm);
  Code (*connect)(int device, CommConfig* config, void* handle, void** sendComm, DeviceHandle** onDevice);
  Code (*accept)(void* listenComm, void** recvComm, DeviceHandle** onDevice);
  Code (*regMr)(void* comm, void* data, std::size_t bytes, int kind, void** registration);
  Code (*regMrDmaBuf)(void* comm, void* data, std::size_t bytes, int kind, std::uint64_t offset, int descriptor,
                      void** registration);
  Code (*deregMr)(void* comm, void* registration);
  Code (*isend)(void* sendComm, void* data, std::size_t bytes, int tag, void* registration, void* profile,
                void** request);
  Code (*irecv)(void* recvComm, int count, void** data, std::size_t* bytes, int* tags, void** registrations,
                void** profiles, void** request);
  Code (*iflush)(void* recvComm, int count, void** data, int* bytes, void** registrations, void** request);
  Code (*test)(void* request, int* done, int* bytes);
  Code (*closeSend)(void* sendComm);
  Code (*closeRecv)(void* recvComm);
  Code (*closeListen)(void* listenComm);
  Code (*getDeviceMr)(void* comm, void* registration, void** onDevice);
  Code (*irecvConsumed)(void* recvComm, int count, void* request);
  Code (*makeVDevice)(int* device, FusedDevices<4>* fused);
};

/// Versions 11 and 12 differ in what describes devices.
template <class Properties, int FusedAtMost>
struct NetWithContext {
  const char* name;
  Code (*init)(void** context, std::uint64_t communicator, CommConfig* config, Logger log, Profiler profiler);
  Code (*devices)(int* count);
  Code (*getProperties)(int device, Properties* properties);
  Code (*listen)(void* context, int device, void* handle, void** listenComm);
  Code (*connect)(void* context, int device, void* handle, void** sendComm, DeviceHandle** onDevice);
  Code (*accept)(void* listenComm, void** recvComm, DeviceHandle** onDevice);
  Code (*regMr)(void* comm, void* data, std::size_t bytes, int kind, void** registration);
  Code (*regMrDmaBuf)(void* comm, void* data, std::size_t bytes, int kind, std::uint64_t offset, int descriptor,
                      void** registration);
  Code (*deregMr)(void* comm, void* registration);
  Code (*isend)(void* sendComm, void* data, std::size_t bytes, int tag, void* registration, void* profile,
                void** request);
  Code (*irecv)(void* recvComm, int count, void** data, std::size_t* bytes, int* tags, void** registrations,
                void** profiles, void** request);
  Code (*iflush)(void* recvComm, int count, void** data, int* bytes, void** registrations, void** request);
  Code (*test)(void* request, int* done, int* bytes);
  Code (*closeSend)(void* sendComm);
  Code (*closeRecv)(void* recvComm);
  Code (*closeListen)(void* listenComm);
  Code (*getDeviceMr)(void* comm, void* registration, void** onDevice);
  Code (*irecvConsumed)(void* recvComm, int count, void* request);
  Code (*makeVDevice)(int* device, FusedDevices<FusedAtMost>* fused);
  Code (*finalize)(void* context);
  Code (*setNetAttr)(void* context, NetAttributes* attributes);
};

using NetV11 = NetWithContext<PropertiesV11, 4>;
using NetV12 = NetWithContext<PropertiesV12, 8>;

/// The table and the description of a device in a version: Abi<9>::Net, Abi<9>::Properties.
template <int Version>
struct Abi;
template <>
struct Abi<8> {
  using Net = NetV8;
  using Properties = PropertiesV8;
};
template <>
struct Abi<9> {
  using Net = NetV9;
  using Properties = PropertiesV9;
};
template <>
struct Abi<10> {
  using Net = NetV10;
  using Properties = PropertiesV10;
};
template <>
struct Abi<11> {
  using Net = NetV11;
  using Properties = PropertiesV11;
};
template <>
struct Abi<12> {
  using Net = NetV12;
  using Properties = PropertiesV12;
};

}  // namespace atl::ncclnet
