// SPDX-License-Identifier: Apache-2.0
#include "transports/ncclnet/net.h"

#include <algorithm>
#include <array>
#include <utility>

namespace atl::ncclnet {
namespace {

/// Ends of a connection are told nothing by it here, and a grouped receive is not asked for: but both ends have to give
/// the same.
constexpr int kTag = 0;

template <int Version>
class NetOfVersion final : public Net {
  using Table = typename Abi<Version>::Net;
  using Properties = typename Abi<Version>::Properties;

 public:
  explicit NetOfVersion(const Table& table) : table_(table) {}

  [[nodiscard]] std::string_view name() const override { return table_.name == nullptr ? "" : table_.name; }
  [[nodiscard]] int version() const override { return Version; }
  [[nodiscard]] bool hasContexts() const override { return Version >= 11; }

  [[nodiscard]] std::string_view missing() const override {
    const std::array<std::pair<bool, std::string_view>, 15> needed = {{
        {table_.init != nullptr, "init"},
        {table_.devices != nullptr, "devices"},
        {table_.getProperties != nullptr, "getProperties"},
        {table_.listen != nullptr, "listen"},
        {table_.connect != nullptr, "connect"},
        {table_.accept != nullptr, "accept"},
        {table_.regMr != nullptr, "regMr"},
        {table_.deregMr != nullptr, "deregMr"},
        {table_.isend != nullptr, "isend"},
        {table_.irecv != nullptr, "irecv"},
        {table_.test != nullptr, "test"},
        {table_.closeSend != nullptr, "closeSend"},
        {table_.closeRecv != nullptr, "closeRecv"},
        {table_.closeListen != nullptr, "closeListen"},
        {hasFinalize(), "finalize"},
    }};
    const auto* const absent =
        std::find_if(needed.begin(), needed.end(), [](const auto& entry) { return !entry.first; });
    return absent == needed.end() ? "" : absent->second;
  }

  Code init(void** context, std::uint64_t communicator, Logger log) const override {
    *context = nullptr;
    if constexpr (Version >= 11) {
      CommConfig config{kUndefined};
      return table_.init(context, communicator, &config, log, nullptr);
    } else if constexpr (Version == 10) {
      return table_.init(log, nullptr);
    } else {
      return table_.init(log);
    }
  }

  Code finalize(void* context) const override {
    if constexpr (Version >= 11) return table_.finalize(context);
    return Code::success;
  }

  Code devices(int* count) const override { return table_.devices(count); }

  Code getProperties(int device, DeviceProperties* properties) const override {
    Properties theirs{};
    const Code code = table_.getProperties(device, &theirs);
    if (code != Code::success) return code;
    properties->name = theirs.name == nullptr ? "" : theirs.name;
    properties->pciPath = theirs.pciPath == nullptr ? "" : theirs.pciPath;
    properties->memoryKinds = theirs.ptrSupport;
    properties->megabits = theirs.speed;
    properties->driver = theirs.netDeviceType;
    if constexpr (Version >= 9) {
      properties->mostBytes = theirs.maxP2pBytes;
    } else {
      properties->mostBytes = kMostBytesBefore9;
    }
    return code;
  }

  Code listen(void* context, int device, void* handle, void** listenComm) const override {
    if constexpr (Version >= 11)
      return table_.listen(context, device, handle, listenComm);
    else
      return table_.listen(device, handle, listenComm);
  }

  Code connect(void* context, int device, void* handle, void** sendComm) const override {
    DeviceHandle* none = nullptr;
    if constexpr (Version >= 11) {
      return table_.connect(context, device, handle, sendComm, &none);
    } else if constexpr (Version == 10) {
      CommConfig config{kUndefined};
      return table_.connect(device, &config, handle, sendComm, &none);
    } else {
      return table_.connect(device, handle, sendComm, &none);
    }
  }

  Code accept(void* listenComm, void** recvComm) const override {
    DeviceHandle* none = nullptr;
    return table_.accept(listenComm, recvComm, &none);
  }

  Code regMr(void* comm, void* data, std::size_t bytes, void** registration) const override {
    return table_.regMr(comm, data, bytes, kHostMemory, registration);
  }
  Code deregMr(void* comm, void* registration) const override { return table_.deregMr(comm, registration); }

  Code isend(void* sendComm, void* data, std::size_t bytes, void* registration, void** request) const override {
    if constexpr (Version >= 10)
      return table_.isend(sendComm, data, bytes, kTag, registration, nullptr, request);
    else if constexpr (Version == 9)
      return table_.isend(sendComm, data, bytes, kTag, registration, request);
    else
      return table_.isend(sendComm, data, static_cast<int>(bytes), kTag, registration, request);
  }

  Code irecv(void* recvComm, void* data, std::size_t bytes, void* registration, void** request) const override {
    int tag = kTag;
    if constexpr (Version >= 9) {
      void* profile = nullptr;
      if constexpr (Version >= 10)
        return table_.irecv(recvComm, 1, &data, &bytes, &tag, &registration, &profile, request);
      else
        return table_.irecv(recvComm, 1, &data, &bytes, &tag, &registration, request);
    } else {
      int narrow = static_cast<int>(bytes);
      return table_.irecv(recvComm, 1, &data, &narrow, &tag, &registration, request);
    }
  }

  Code test(void* request, int* done, int* bytes) const override { return table_.test(request, done, bytes); }
  Code closeSend(void* sendComm) const override { return table_.closeSend(sendComm); }
  Code closeRecv(void* recvComm) const override { return table_.closeRecv(recvComm); }
  Code closeListen(void* listenComm) const override { return table_.closeListen(listenComm); }

 private:
  [[nodiscard]] bool hasFinalize() const {
    if constexpr (Version >= 11) return table_.finalize != nullptr;
    return true;
  }

  // The plug-in's own, not a copy: some fill it in only when they are initialised.
  const Table& table_;
};

template <int Version>
std::unique_ptr<Net> make(const void* table) {
  return std::make_unique<NetOfVersion<Version>>(*static_cast<const typename Abi<Version>::Net*>(table));
}

}  // namespace

std::string symbolOf(int version) {
  return fmt::format("ncclNetPlugin_v{}", version);
}

std::unique_ptr<Net> netOf(int version, const void* table) {
  switch (version) {
    case 12: return make<12>(table);
    case 11: return make<11>(table);
    case 10: return make<10>(table);
    case 9: return make<9>(table);
    case 8: return make<8>(table);
    default: return nullptr;
  }
}

std::string describe(Code code) {
  constexpr std::array<std::string_view, 8> kNames = {"ncclSuccess",       "ncclUnhandledCudaError", "ncclSystemError",
                                                      "ncclInternalError", "ncclInvalidArgument",    "ncclInvalidUsage",
                                                      "ncclRemoteError",   "ncclInProgress"};
  const auto number = static_cast<std::size_t>(code);
  return fmt::format("{} ({})", static_cast<int>(code),
                     number < kNames.size() ? kNames[number] : "no result of NCCL's");
}

}  // namespace atl::ncclnet
