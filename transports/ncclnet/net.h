// SPDX-License-Identifier: Apache-2.0
// A plug-in's functions as this transport calls them, whatever version of the interface they are of: host memory only,
// and one receive at a time, which every plug-in has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "transports/ncclnet/abi.h"

namespace atl::ncclnet {

/// What a plug-in says of a device.
struct DeviceProperties {
  std::string name;
  std::string pciPath;  ///< may be empty
  int memoryKinds = 0;  ///< kHostMemory, …
  int megabits = 0;     ///< a second
  int driver = kHostDriven;
  std::size_t mostBytes = 0;  ///< of one isend
};

/// Any thread may call it; a connection, and its requests, are one thread's at a time.
class Net {
 public:
  virtual ~Net() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;  ///< "AWS Libfabric": the plug-in's own
  [[nodiscard]] virtual int version() const = 0;
  /// The first function that this transport needs and the plug-in does not have, or nothing.
  [[nodiscard]] virtual std::string_view missing() const = 0;
  /// Whether init makes a context of a communicator; else it is called once, and there is no finalize.
  [[nodiscard]] virtual bool hasContexts() const = 0;

  virtual Code init(void** context, std::uint64_t communicator, Logger log) const = 0;
  virtual Code finalize(void* context) const = 0;
  virtual Code devices(int* count) const = 0;
  virtual Code getProperties(int device, DeviceProperties* properties) const = 0;
  virtual Code listen(void* context, int device, void* handle, void** listenComm) const = 0;
  virtual Code connect(void* context, int device, void* handle, void** sendComm) const = 0;
  virtual Code accept(void* listenComm, void** recvComm) const = 0;
  virtual Code regMr(void* comm, void* data, std::size_t bytes, void** registration) const = 0;
  virtual Code deregMr(void* comm, void* registration) const = 0;
  virtual Code isend(void* sendComm, void* data, std::size_t bytes, void* registration, void** request) const = 0;
  virtual Code irecv(void* recvComm, void* data, std::size_t bytes, void* registration, void** request) const = 0;
  virtual Code test(void* request, int* done, int* bytes) const = 0;
  virtual Code closeSend(void* sendComm) const = 0;
  virtual Code closeRecv(void* recvComm) const = 0;
  virtual Code closeListen(void* listenComm) const = 0;
};

/// Versions that are spoken here, the newest first.
inline constexpr int kVersions[] = {12, 11, 10, 9, 8};

/// "ncclNetPlugin_v12".
std::string symbolOf(int version);

/// `table` is what a plug-in exports by the symbol of one of kVersions.
std::unique_ptr<Net> netOf(int version, const void* table);

/// "5 (ncclInvalidUsage)".
std::string describe(Code code);

}  // namespace atl::ncclnet
