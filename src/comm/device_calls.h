// SPDX-License-Identifier: Apache-2.0
// The calls of a communicator whose buffers lie on a device: planned as others are, and queued on a stream of the
// device's. Of the host they take time only until they are queued.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "src/comm/planner.h"
#include "src/exec/call.h"
#include "src/exec/execution.h"

namespace atl {

/// One a communicator, reused by every call. Driven as executions are; complete when the call is ready to be launched.
/// The first call of its kind may have to exchange what links need, for which all ranks must come.
class DeviceCalls : public Execution {
 public:
  struct Environment {
    Rank rank = 0;
    std::uint64_t communicator = 0;  ///< the session's number of it
    const Directory* directory = nullptr;
    const Settings* settings = nullptr;
    Planner* planner = nullptr;
    /// Begins sends and receives in host memory, as Communicator::start does.
    std::function<Result<Execution*>(std::span<const PointToPoint>)> exchange;
    /// Ends the communicator for everyone with an error that no call returns. Called from any thread.
    std::function<void(const Error&)> fail;
  };

  /// Of the device that the settings name. An error where this build knows no devices, or there is none of the number.
  static Result<std::unique_ptr<DeviceCalls>> create(Environment environment);

  /// Whether the device can do it, with these buffers. An error here harms nothing.
  [[nodiscard]] virtual Status check(const Call& call) const = 0;
  [[nodiscard]] virtual Status check(std::span<const PointToPoint> operations) const = 0;

  /// Takes up a call, or the sends and receives of a group, that were checked.
  virtual Status begin(const Call& call) = 0;
  virtual Status begin(std::span<const PointToPoint> operations) = 0;

  /// Launches what is ready, in order. After an error nothing is ready any more.
  virtual Status launch() = 0;
  /// Instead of launch().
  virtual void drop() = 0;

  /// Forgets every program, of which none is ready: plans are others from now on.
  virtual void forget() = 0;

  /// Ends what is queued, and all that is queued from now on. From any thread.
  virtual void abort() = 0;

  /// Why a call that was queued failed, if one did. From any thread.
  [[nodiscard]] virtual std::optional<Error> failure() const = 0;

  /// Whether something is queued that is not over, or may begin at any time; an error where the device is lost. What
  /// failed before a false or an error, failure() knows. For threads of Atoll's own.
  [[nodiscard]] virtual Result<bool> underWay() = 0;

  /// Waits until what is queued is over, and what it sent has reached the hosts of the peers. Nothing is begun after
  /// that. Peers may go on writing to what is returned until they have finished too.
  [[nodiscard]] virtual std::shared_ptr<void> finish() = 0;

  [[nodiscard]] virtual std::size_t bytesHeld() const = 0;
  [[nodiscard]] virtual std::size_t programs() const = 0;
};

}  // namespace atl
