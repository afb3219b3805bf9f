// SPDX-License-Identifier: Apache-2.0
// The tables that NCCL looks for, one for each version of the interface that Atoll speaks. Nothing that is thrown
// leaves a function: whatever goes wrong is told in NCCL's log, and by its code.
#include <cstring>
#include <exception>
#include <utility>

#include "integrations/nccl-net/logger.h"
#include "integrations/nccl-net/plugin.h"

namespace atl::netplugin {
namespace {

using namespace ncclnet;

/// Sizes that test gives are of 32 bits.
constexpr std::size_t kMostAtOnce = kMostBytesBefore9;
/// One receive at a time: a link's messages come in one order.
constexpr int kMostReceives = 1;

Code codeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalidArgument:
    case ErrorCode::internalError: return Code::internalError;
    case ErrorCode::invalidUsage:
    case ErrorCode::mismatch: return Code::invalidUsage;
    case ErrorCode::remoteError: return Code::remoteError;
    case ErrorCode::unsupported:
    case ErrorCode::systemError:
    case ErrorCode::timeout:
    case ErrorCode::aborted:
    case ErrorCode::deviceError: return Code::systemError;
  }
  return Code::internalError;
}

/// What `call` does: its text on failure comes from `body`.
template <class Body>
Code guarded(const char* call, Body body) noexcept {
  try {
    const Status status = body();
    if (status.ok()) return Code::success;
    warn("{}: {}", call, status.error().text);
    return codeOf(status.error().code);
  } catch (const std::exception& failure) {
    static_cast<void>(failure);
  } catch (...) {
  }
  return Code::systemError;  // out of memory, mostly, so that there is nothing to say it with
}

Status need(const void* argument, const char* name) {
  if (argument != nullptr) return success();
  return makeError(ErrorCode::invalidArgument, "{} is null", name);
}

Code start(Logger logger) {
  setLogger(logger);
  return guarded("init", []() -> Status {
    ATOLL_TRY(devices());
    return success();
  });
}

Code startContext(void** context, std::uint64_t /*communicator*/, CommConfig* /*config*/, Logger logger,
                  Profiler /*profiler*/) {
  const Code code = start(logger);
  if (code != Code::success) return code;
  return guarded("init", [&]() -> Status {
    ATOLL_TRY(need(context, "ctx"));
    *context = new Context;
    return success();
  });
}

Code finalize(void* context) {
  return guarded("finalize", [&] {
    delete static_cast<Context*>(context);
    return success();
  });
}

Code countDevices(int* count) {
  return guarded("devices", [&]() -> Status {
    ATOLL_TRY(need(count, "ndev"));
    ATOLL_ASSIGN(const auto* const all, devices());
    *count = static_cast<int>(all->size());
    return success();
  });
}

template <int Version>
Code getProperties(int number, typename Abi<Version>::Properties* properties) {
  return guarded("getProperties", [&]() -> Status {
    ATOLL_TRY(need(properties, "props"));
    ATOLL_ASSIGN(const Device* const device, deviceNumber(number));
    // NCCL reads them and frees nothing; devices stay where they are.
    *properties = {};
    properties->name = const_cast<char*>(device->name.c_str());
    properties->pciPath = device->pciPath.empty() ? nullptr : const_cast<char*>(device->pciPath.c_str());
    properties->guid = device->guid;
    properties->ptrSupport = kHostMemory;
    properties->speed = device->megabits;
    properties->port = device->port;
    properties->maxComms = device->mostConnections;
    properties->maxRecvs = kMostReceives;
    properties->netDeviceType = kHostDriven;
    if constexpr (Version >= 9) {
      properties->vProps.ndevs = 1;
      properties->vProps.devs[0] = number;
      properties->maxP2pBytes = properties->maxCollBytes = kMostAtOnce;
    }
    if constexpr (Version >= 11) properties->maxMultiRequestSize = 1;
    if constexpr (Version >= 12) properties->railId = properties->planeId = kUndefined;
    return success();
  });
}

Code listen(void* context, int device, void* handle, void** listenComm) {
  return guarded("listen", [&]() -> Status {
    ATOLL_TRY(need(context, "ctx"));
    ATOLL_TRY(need(handle, "handle"));
    ATOLL_TRY(need(listenComm, "listenComm"));
    *listenComm = nullptr;
    Handle told;
    ATOLL_ASSIGN(auto listener, static_cast<Context*>(context)->listen(device, told));
    std::memcpy(handle, &told, sizeof told);
    *listenComm = listener.release();
    return success();
  });
}

Code connect(void* context, int device, void* handle, void** sendComm, DeviceHandle** /*onDevice*/) {
  return guarded("connect", [&]() -> Status {
    ATOLL_TRY(need(context, "ctx"));
    ATOLL_TRY(need(handle, "handle"));
    ATOLL_TRY(need(sendComm, "sendComm"));
    *sendComm = nullptr;
    Handle told;
    std::memcpy(&told, handle, sizeof told);
    auto end = static_cast<Context*>(context)->connect(device, told);
    std::memcpy(handle, &told, sizeof told);  // with the note
    if (!end.ok()) return std::move(end).error();
    *sendComm = static_cast<End*>(end->release());
    return success();
  });
}

Code accept(void* listenComm, void** recvComm, DeviceHandle** /*onDevice*/) {
  return guarded("accept", [&]() -> Status {
    ATOLL_TRY(need(listenComm, "listenComm"));
    ATOLL_TRY(need(recvComm, "recvComm"));
    *recvComm = nullptr;
    ATOLL_ASSIGN(auto end, static_cast<Listener*>(listenComm)->accept());
    *recvComm = static_cast<End*>(end.release());
    return success();
  });
}

Code registerMemory(void* comm, void* data, std::size_t bytes, int kind, void** registration) {
  return guarded("regMr", [&]() -> Status {
    ATOLL_TRY(need(comm, "comm"));
    ATOLL_TRY(need(registration, "mhandle"));
    if (kind != kHostMemory) {
      return makeError(ErrorCode::invalidArgument, "memory of type {} cannot be registered, only host memory ({})",
                       kind, kHostMemory);
    }
    *registration = static_cast<End*>(comm)->declare(data, bytes);
    return success();
  });
}

Code deregisterMemory(void* comm, void* registration) {
  return guarded("deregMr", [&]() -> Status {
    ATOLL_TRY(need(comm, "comm"));
    return static_cast<End*>(comm)->undeclare(static_cast<Declaration*>(registration));
  });
}

template <class Bytes>
Code send(void* sendComm, void* data, Bytes bytes, int tag, void** request) {
  return guarded("isend", [&]() -> Status {
    ATOLL_TRY(need(sendComm, "sendComm"));
    ATOLL_TRY(need(request, "request"));
    *request = nullptr;
    const auto size = static_cast<std::uint64_t>(bytes);
    if (size > kMostAtOnce) {
      return makeError(ErrorCode::invalidArgument, "{} bytes are more than maxP2pBytes, {}", size, kMostAtOnce);
    }
    // As an End that connect() made: it is a SendEnd.
    *request = static_cast<SendEnd*>(static_cast<End*>(sendComm))->send(data, size, tag);
    return success();
  });
}

template <class Bytes>
Code receive(void* recvComm, int count, void** data, Bytes* bytes, int* tags, void** request) {
  return guarded("irecv", [&]() -> Status {
    ATOLL_TRY(need(recvComm, "recvComm"));
    ATOLL_TRY(need(request, "request"));
    *request = nullptr;  // it may come with a wish that needs no heed: that nobody waits for the end of it
    if (count != kMostReceives) {
      return makeError(ErrorCode::invalidArgument, "{} receives are grouped, maxRecvs is {}", count, kMostReceives);
    }
    if (static_cast<std::int64_t>(bytes[0]) < 0) {
      return makeError(ErrorCode::invalidArgument, "there is room for {} bytes", static_cast<std::int64_t>(bytes[0]));
    }
    auto* const end = static_cast<ReceiveEnd*>(static_cast<End*>(recvComm));
    ATOLL_ASSIGN(*request, end->receive(data[0], static_cast<std::uint64_t>(bytes[0]), tags[0]));
    return success();
  });
}

/// Nothing to do: what a receive has brought to host memory is there.
Code flush(void* /*recvComm*/, int /*count*/, void** /*data*/, int* /*bytes*/, void** /*registrations*/,
           void** request) {
  *request = nullptr;
  return Code::success;
}

Code test(void* request, int* done, int* bytes) {
  return guarded("test", [&]() -> Status {
    ATOLL_TRY(need(request, "request"));
    ATOLL_TRY(need(done, "done"));
    *done = 0;
    auto& asked = *static_cast<Request*>(request);
    if (asked.owner == nullptr) return makeError(ErrorCode::invalidArgument, "the request is over, or none");
    ATOLL_ASSIGN(const auto through, asked.owner->test(asked));
    if (!through) return success();
    *done = 1;
    if (bytes != nullptr) *bytes = static_cast<int>(*through);
    return success();
  });
}

Code closeEnd(void* comm) {
  return guarded("close", [&] {
    delete static_cast<End*>(comm);
    return success();
  });
}

Code closeListen(void* listenComm) {
  return guarded("closeListen", [&] {
    delete static_cast<Listener*>(listenComm);
    return success();
  });
}

// Where a version has other parameters than the newest.

Code listenWithout(int device, void* handle, void** listenComm) {
  return listen(&Context::common(), device, handle, listenComm);
}
Code connectWithout(int device, void* handle, void** sendComm, DeviceHandle** onDevice) {
  return connect(&Context::common(), device, handle, sendComm, onDevice);
}
Code connectConfigured(int device, CommConfig* /*config*/, void* handle, void** sendComm, DeviceHandle** onDevice) {
  return connect(&Context::common(), device, handle, sendComm, onDevice);
}
Code startProfiled(Logger logger, Profiler /*profiler*/) {
  return start(logger);
}
template <class Bytes>
Code sendPlain(void* sendComm, void* data, Bytes bytes, int tag, void* /*registration*/, void** request) {
  return send(sendComm, data, bytes, tag, request);
}
Code sendProfiled(void* sendComm, void* data, std::size_t bytes, int tag, void* /*registration*/, void* /*profile*/,
                  void** request) {
  return send(sendComm, data, bytes, tag, request);
}
template <class Bytes>
Code receivePlain(void* recvComm, int count, void** data, Bytes* bytes, int* tags, void** /*registrations*/,
                  void** request) {
  return receive(recvComm, count, data, bytes, tags, request);
}
Code receiveProfiled(void* recvComm, int count, void** data, std::size_t* bytes, int* tags, void** /*registrations*/,
                     void** /*profiles*/, void** request) {
  return receive(recvComm, count, data, bytes, tags, request);
}

/// What every version has alike. Functions for GPUs that drive networks, and for fused devices, are left out, which
/// NCCL takes for that there is no such thing.
template <int Version>
constexpr typename Abi<Version>::Net common() {
  typename Abi<Version>::Net net{};
  net.name = "Atoll";
  net.devices = &countDevices;
  net.getProperties = &getProperties<Version>;
  net.accept = &accept;
  net.regMr = &registerMemory;
  net.deregMr = &deregisterMemory;
  net.iflush = &flush;
  net.test = &test;
  net.closeSend = &closeEnd;
  net.closeRecv = &closeEnd;
  net.closeListen = &closeListen;
  return net;
}

template <int Version>
constexpr typename Abi<Version>::Net table() {
  auto net = common<Version>();
  if constexpr (Version >= 11) {
    net.init = &startContext;
    net.finalize = &finalize;
    net.listen = &listen;
    net.connect = &connect;
  } else {
    net.init = &start;
    net.listen = &listenWithout;
    net.connect = &connectWithout;
  }
  if constexpr (Version >= 10) {
    net.isend = &sendProfiled;
    net.irecv = &receiveProfiled;
  } else if constexpr (Version == 9) {
    net.isend = &sendPlain<std::size_t>;
    net.irecv = &receivePlain<std::size_t>;
  } else {
    net.isend = &sendPlain<int>;
    net.irecv = &receivePlain<int>;
  }
  return net;
}

template <>
constexpr NetV10 table<10>() {
  auto net = common<10>();
  net.init = &startProfiled;
  net.listen = &listenWithout;
  net.connect = &connectConfigured;
  net.isend = &sendProfiled;
  net.irecv = &receiveProfiled;
  return net;
}

}  // namespace
}  // namespace atl::netplugin

#define ATOLL_EXPORT extern "C" __attribute__((visibility("default")))

ATOLL_EXPORT const atl::ncclnet::NetV12 ncclNetPlugin_v12;
ATOLL_EXPORT const atl::ncclnet::NetV11 ncclNetPlugin_v11;
ATOLL_EXPORT const atl::ncclnet::NetV10 ncclNetPlugin_v10;
ATOLL_EXPORT const atl::ncclnet::NetV9 ncclNetPlugin_v9;
ATOLL_EXPORT const atl::ncclnet::NetV8 ncclNetPlugin_v8;

constexpr atl::ncclnet::NetV12 ncclNetPlugin_v12 = atl::netplugin::table<12>();
constexpr atl::ncclnet::NetV11 ncclNetPlugin_v11 = atl::netplugin::table<11>();
constexpr atl::ncclnet::NetV10 ncclNetPlugin_v10 = atl::netplugin::table<10>();
constexpr atl::ncclnet::NetV9 ncclNetPlugin_v9 = atl::netplugin::table<9>();
constexpr atl::ncclnet::NetV8 ncclNetPlugin_v8 = atl::netplugin::table<8>();
