// SPDX-License-Identifier: Apache-2.0
// What one rank of a communicator has on its device, and the launch of its calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "src/cuda/runtime.h"
#include "src/exec/cuda/device/signals.h"
#include "src/exec/cuda/device_call.h"
#include "src/exec/cuda/device_links.h"
#include "src/exec/cuda/program_image.h"

namespace atl::cuda {

/// Calls are launched by one thread at a time; abort(), failure() and underWay() may be called by any.
class DeviceRank {
 public:
  struct Settings {
    int device = 0;
    std::uint64_t process = 0;  ///< ProcessInfo::id of this process
    std::uint64_t host = 0;     ///< and its host
    double timeoutSeconds = 0;
    LinkShape shape;
  };
  /// Everything that may have to wait for the device is done here, before any call spins on it.
  static Result<std::unique_ptr<DeviceRank>> create(const Settings& settings);
  ~DeviceRank();
  DeviceRank(const DeviceRank&) = delete;
  DeviceRank& operator=(const DeviceRank&) = delete;

  [[nodiscard]] int device() const { return settings_.device; }
  [[nodiscard]] int multiprocessors() const { return multiprocessors_; }
  [[nodiscard]] DeviceLinks& links() { return links_; }

  /// Success where the device can use the buffer, or there is none; an error names the argument and says what it is
  /// instead.
  Status checkBuffer(std::string_view argument, const void* buffer) const;

  /// Copies an image to the device, for a program whose other members are the caller's to fill in.
  Status load(const device::ProgramImage& image, DeviceProgram& program);

  /// Queues calls on the user's streams, in as few launches as can be, and returns: each runs after those before it and
  /// after what all of its streams have, and they wait for it.
  Status launch(std::span<const DeviceCall> calls);

  /// Ends what runs now, and all that is launched from now on.
  void abort();

  /// How the first run that failed did so.
  [[nodiscard]] std::optional<device::Failure> failure() const;

  /// Whether a call that was launched is not over, or may begin at any time because a graph has it; an error is that of
  /// a device that is lost. A failure of a call that is over is there to be seen. From threads of Atoll's own, which
  /// stay with this device.
  [[nodiscard]] Result<bool> underWay() const;

  /// Waits for the calls that are under way; there are none after that. What is returned is the memory of this rank's
  /// ends of links, for whoever knows when peers have finished: a call that is over here may have parts to take there,
  /// and tells this end of each.
  [[nodiscard]] std::shared_ptr<void> finish();

  [[nodiscard]] std::size_t bytesHeld() const;

 private:
  explicit DeviceRank(const Settings& settings)
      : settings_(settings), links_(settings.device, settings.process, settings.host, settings.shape) {}

  /// What the host and the device both see.
  struct Shared {
    device::Signals signals;
    device::Failure failure;
  };
  /// Memory that calls need besides the user's. Graphs that were captured may go on using what was here before.
  struct Workspace {
    std::vector<Memory> areas;
    Result<std::byte*> atLeast(std::uint64_t bytes);
  };

  Status prepare();
  Status launchTogether(std::span<const DeviceCall> calls);
  Status copyInput(const DeviceCall& call, std::byte* to);
  Status follow(cudaStream_t stream);
  Status join(cudaStream_t stream, std::span<const cudaStream_t> others);
  [[nodiscard]] Shared& shared() const { return *reinterpret_cast<Shared*>(shared_.data()); }

  Settings settings_;
  int multiprocessors_ = 0;
  Memory shared_;
  Memory private_;  ///< device::Control, and behind it the lanes' counters
  std::optional<Stream> stream_;
  DeviceLinks links_;
  Workspace scratch_;
  Workspace input_;
  cudaEvent_t last_ = nullptr;         ///< the end of the last call that was not captured …
  cudaStream_t lastStream_ = nullptr;  ///< … on this stream
  cudaEvent_t joined_ = nullptr;       ///< where the other streams of a call stand
  bool launched_ = false;
  std::atomic<bool> captured_{false};  ///< some call is in a graph
};

}  // namespace atl::cuda
