// SPDX-License-Identifier: Apache-2.0
// What the links of one communicator's rank share: for each device a completion queue and a shared receive queue, and
// the pools of registered buffers. They are used by one thread at a time, and so is it: that spares the hot path every
// lock. What is larger, devices and protection domains, the whole process shares (nic.h).
//
// Nothing moves but in progress(), which serves all links whichever asks for it.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "src/base/clock.h"
#include "src/base/unique_fd.h"
#include "transports/rdma/declared_keys.h"
#include "transports/rdma/port.h"

namespace atl::rdma {

/// wr_id of a request that is not signalled and is a part of what the next one completes. Others that send have 0.
inline constexpr std::uint64_t kPartId = 1;

/// Whom completions of a queue pair are told to, within progress().
class QueuePairUser {
 public:
  virtual ~QueuePairUser() = default;
  /// The oldest request that was posted for sending is done with, but for those with kPartId.
  virtual void onSent(ibv_wc_status status) = 0;
  /// One with kPartId has failed.
  virtual void onPartFailed(ibv_wc_status status) = 0;
  /// A note has come. It is the user's until it gives it back to the pool.
  virtual void onNote(Buffer& note, std::uint32_t bytes) = 0;
  /// A write with this immediate is complete.
  virtual void onWritten(std::uint32_t immediate) = 0;
};

/// Whom it is told that the stream of its link can be read.
class StreamUser {
 public:
  virtual ~StreamUser() = default;
  virtual void onReadable() = 0;
};

class Worker {
 public:
  /// One device as this worker uses it.
  struct Device {
    std::shared_ptr<Nic> nic;
    ibv_comp_channel* channel = nullptr;
    ibv_cq* completions = nullptr;
    ibv_srq* receives = nullptr;
    std::uint32_t posted = 0;                                 ///< slots that wait in `receives`
    std::uint32_t depth = 0;                                  ///< as many should
    std::unordered_map<std::uint32_t, QueuePairUser*> users;  ///< by number of the queue pair
  };

  /// With the ports that work now, and those that may later.
  static Result<std::shared_ptr<Worker>> create(const RdmaSettings& settings, std::size_t turn);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] const Api& api() const { return *api_; }
  [[nodiscard]] const RdmaSettings& settings() const { return settings_; }
  /// In the order in which links use them, of which they use the first few as long as nothing fails. Those that do not
  /// work may do so later. More may come, behind these.
  [[nodiscard]] const std::vector<Port>& ports() const { return ports_; }
  /// Looks at ports that do not work, and, not too often, for devices that are new. progress() looks at ports of which
  /// their devices say something.
  void lookForPorts();
  /// The place of a port's device, as buffers know it.
  [[nodiscard]] std::size_t deviceOf(std::size_t port) const { return deviceOf_[port]; }
  [[nodiscard]] const Device& device(std::size_t place) const { return devices_[place]; }
  [[nodiscard]] std::size_t devices() const { return devices_.size(); }

  BufferPool& slots() { return slots_; }    ///< of kSlotBytes
  BufferPool& chunks() { return chunks_; }  ///< of kChunkBytes
  DeclaredKeys& declared() { return declared_; }

  /// From when its queue pair is made, to before it is destroyed.
  void enrol(std::size_t device, std::uint32_t queuePair, QueuePairUser& user);
  void dismiss(std::size_t device, std::uint32_t queuePair);

  /// From when a link has its stream, to before it closes it or after it has read its end.
  Status watch(int stream, StreamUser& user);
  void unwatch(int stream);

  /// Looks at completions; true if there were any.
  Result<bool> poll();
  /// And, now and then when there are none, at the streams of all links, and what devices say of their ports.
  Result<bool> progress();
  /// Adds what is readable when progress() has something to do.
  void wanted(std::vector<pollfd>& fds);

 private:
  Worker(const Api& api, RdmaSettings settings, std::vector<Port> ports);
  Status open(const Nic*& refused);
  Status open(Device& device);
  void close(Device& device);
  Status fill(std::size_t place);
  void drainEvents(Device& device);
  void take(Device& device, const ibv_wc& completion);
  void lookAround();
  void lookAtPorts();
  void look(Port& port);
  void lookForDevices();
  Status add(const std::shared_ptr<Nic>& nic);

  const Api* api_;
  RdmaSettings settings_;
  std::vector<Port> ports_;
  std::vector<std::size_t> deviceOf_;  ///< by port
  std::vector<Device> devices_;
  BufferPool slots_;
  BufferPool chunks_;
  DeclaredKeys declared_;
  UniqueFd atOnce_;     ///< always readable: for waits that must not begin
  bool armed_ = false;  ///< a completion will be told by a channel
  UniqueFd streams_;    ///< readable when one of the streams is
  int emptyPolls_ = 0;
  Clock::time_point nextSearch_;  ///< for devices
};

}  // namespace atl::rdma
