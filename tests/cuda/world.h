// SPDX-License-Identifier: Apache-2.0
// Ranks as threads of the test's process, each with a fake CUDA device, and collectives on them with real data.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/comm/communicator.h"
#include "tests/fakecuda/fakecuda.h"
#include "tests/support/collective_case.h"

namespace atl::test {

/// A small all-reduce, for tests of what goes on around a call.
inline constexpr CollectiveCase kSum{Collective::allReduce, 3000, DataType::int32, ReduceOp::sum, kNoRank, false};

/// Memory of a device, with what a test wants in it.
class DeviceBuffer {
 public:
  /// On the thread's device.
  explicit DeviceBuffer(std::size_t bytes);
  ~DeviceBuffer() { cudaFree(data_); }
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  [[nodiscard]] std::byte* data() const { return static_cast<std::byte*>(data_); }
  void put(const void* from);
  void get(void* to) const;

 private:
  void* data_ = nullptr;
  std::size_t bytes_;
};

/// By which ways the devices of a world are to reach each other.
enum class Between {
  peerAccess,
  pinned,
  hosts,    ///< a proxy for each rank, over TCP
  nothing,  ///< peer access is forbidden, and the hosts' links are memory
};

/// A machine, as the environment describes it if nothing else is said, and nothing left over from the test before.
class DeviceWorld {
 public:
  /// Rank r works on device `devices[r]`.
  explicit DeviceWorld(std::vector<int> devices, double timeoutSeconds = 20, const std::string& algorithms = {});
  /// Each rank with a time limit of its own.
  DeviceWorld(std::vector<int> devices, const std::vector<double>& timeouts, const std::string& algorithms = {});
  /// On another machine than the environment's.
  DeviceWorld(std::vector<int> devices, const fakecuda::Configuration& machine);
  /// By a way of the test's choice.
  DeviceWorld(std::vector<int> devices, Between between, double timeoutSeconds = 20,
              const std::string& algorithms = {});
  /// Everything that was allocated is given back, and nothing went wrong that no error told.
  ~DeviceWorld();
  DeviceWorld(const DeviceWorld&) = delete;
  DeviceWorld& operator=(const DeviceWorld&) = delete;

  [[nodiscard]] Rank ranks() const { return static_cast<Rank>(devices_.size()); }
  Communicator& operator[](Rank rank) { return *communicators_[static_cast<std::size_t>(rank)]; }

  /// Runs `body(rank, stream)` for all ranks, each in a thread that has the rank's device and a stream of its own.
  void onRanks(const std::function<void(Rank, cudaStream_t)>& body);

  /// The rank's communicator goes before the others.
  void destroy(Rank rank) { communicators_[static_cast<std::size_t>(rank)].reset(); }

  /// A device has disappeared, and what was allocated there with it.
  void lose() { lost_ = true; }

  /// Runs a case on all ranks; what is wrong, if anything.
  std::optional<std::string> run(const CollectiveCase& c);

 private:
  void make(const fakecuda::Configuration& machine, const std::vector<double>& timeouts, const std::string& algorithms,
            Between between = Between::peerAccess);

  std::vector<int> devices_;
  bool lost_ = false;
  std::vector<std::unique_ptr<Communicator>> communicators_;
};

/// A call of the device's, on device buffers.
Call deviceCall(const CollectiveCase& c, const void* send, void* recv, cudaStream_t stream);

}  // namespace atl::test
