// SPDX-License-Identifier: Apache-2.0
// What verbs make. Each object begins with libibverbs' structure, whose address the program has. All members are under
// the world's lock unless it says otherwise; the parts that belong to libibverbs' headers are written only by calls of
// the program, because it reads them without asking.
#pragma once

#include <infiniband/verbs.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "tests/fakeverbs/runtime/event_queue.h"

namespace fakeverbs {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

struct Device;

/// Events given to the program, and those that it has acknowledged.
struct Acknowledgements {
  std::uint64_t given = 0;
  std::uint64_t acknowledged = 0;
  [[nodiscard]] bool complete() const { return given == acknowledged; }
};

struct Context : ibv_context {
  Device* home = nullptr;
  int users = 0;  ///< objects made from it
  EventQueue<ibv_async_event> events;
};

struct ProtectionDomain : ibv_pd {
  int users = 0;
};

struct MemoryRegion : ibv_mr {
  std::uint64_t begin = 0;  ///< first address as work requests name it
  std::byte* data = nullptr;
  unsigned access = 0;
  void* mapping = nullptr;  ///< of a dma-buf
  std::size_t mappingBytes = 0;
  ~MemoryRegion();
};

struct AddressHandle : ibv_ah {};

struct CompletionQueue;

struct Channel : ibv_comp_channel {
  int users = 0;
  EventQueue<CompletionQueue*> events;
};

struct SharedReceiveQueue;

struct Completion {
  ibv_wc wc{};
  bool ofSend = false;
  bool solicited = false;      ///< an event for whoever waits for solicited ones only
  std::uint64_t releases = 0;  ///< slots of the queue are free up to here when this has been polled
};

struct CompletionQueue : ibv_cq {
  enum class Armed { no, solicited, any };
  int users = 0;
  std::deque<Completion> ready;
  std::atomic<std::size_t> readyCount = 0;  ///< read without the lock, so that polling an empty queue disturbs nobody
  Armed armed = Armed::no;
  bool overflowed = false;
  Acknowledgements completionEvents;
  Acknowledgements asyncEvents;
};

struct Receive {
  std::uint64_t id = 0;
  std::uint64_t number = 0;  ///< of the queue pair's receives, from 1
  std::vector<ibv_sge> parts;
};

struct SharedReceiveQueue : ibv_srq {
  int users = 0;
  ibv_srq_attr limits{};
  std::deque<Receive> receives;
  std::uint32_t taken = 0;  ///< slots: from posting until the completion is polled
  Acknowledgements asyncEvents;
};

struct Send {
  std::uint64_t id = 0;
  std::uint64_t number = 0;  ///< of the queue pair's sends, from 1
  ibv_wr_opcode opcode{};
  bool signaled = false;
  bool solicited = false;
  bool fenced = false;  ///< waits for the data of reads before it
  bool isInline = false;
  std::vector<ibv_sge> parts;
  std::vector<std::byte> inlineData;
  std::uint32_t immediate = 0;
  std::uint64_t remoteAddress = 0;
  std::uint32_t rkey = 0;
  std::uint32_t length = 0;
  std::uint32_t firstPsn = 0;
  int packets = 1;
  bool begun = false;
  bool doomed = false;  ///< all its packets are lost
  std::optional<ibv_wc_status> shallFail;
};

/// A packet's share of a write that is not in memory yet.
struct LatePart {
  std::uint32_t rkey = 0;
  std::uint64_t address = 0;
  std::vector<std::byte> bytes;
};

struct QueuePair : ibv_qp {
  enum class Pause { no, loss, notReady };

  Device* home = nullptr;
  ibv_qp_state current = IBV_QPS_RESET;  ///< ibv_qp::state is the program's copy
  ibv_qp_init_attr made{};
  ibv_qp_attr attributes{};
  Acknowledgements asyncEvents;

  // Requester. Numbers of packets: unacknowledged <= cursor <= sentEnd <= nextPsn.
  std::deque<Send> sends;  ///< posted and not completed
  std::uint64_t sendsPosted = 0;
  std::uint64_t sendsReleased = 0;
  std::uint32_t unacknowledged = 0;
  std::uint32_t cursor = 0;   ///< to be sent next
  std::uint32_t sentEnd = 0;  ///< after the last that was ever sent
  std::uint32_t nextPsn = 0;  ///< of the next work request
  std::uint32_t attempt = 0;
  int retriesLeft = 0;
  int notReadyLeft = 0;
  Pause pause = Pause::no;
  Time pauseEnds;
  bool queued = false;  ///< in the engine's list

  // Responder.
  std::deque<Receive> receives;
  std::uint64_t receivesPosted = 0;
  std::uint64_t receivesReleased = 0;
  std::uint32_t expected = 0;
  std::uint64_t accepted = 0;   ///< packets: no more than these can come again
  std::optional<Receive> open;  ///< being filled
  std::vector<LatePart> late;   ///< written, and not yet in memory

  // Completions on their way to the program.
  bool held = false;
  std::deque<Completion> heldBack;
  int delayed[2] = {0, 0};  ///< how many, of receives and of sends
  Time lastDue[2];

  [[nodiscard]] SharedReceiveQueue* shared() const { return static_cast<SharedReceiveQueue*>(srq); }
  [[nodiscard]] CompletionQueue& completionQueue(bool ofSend) const {
    return *static_cast<CompletionQueue*>(ofSend ? send_cq : recv_cq);
  }
};

/// Objects by the address that the program has.
template <class Object>
class Table {
 public:
  Object* add(std::unique_ptr<Object> object) {
    Object* const added = object.get();
    objects_[added] = std::move(object);
    return added;
  }

  /// Null when there is no such object.
  template <class Handle>
  Object* find(Handle* handle) const {
    const auto found = handle == nullptr ? objects_.end() : objects_.find(static_cast<const Object*>(handle));
    return found == objects_.end() ? nullptr : found->second.get();
  }

  void remove(Object* object) { objects_.erase(object); }
  void clear() { objects_.clear(); }
  [[nodiscard]] std::size_t size() const { return objects_.size(); }

  template <class Visit>
  void forEach(Visit&& visit) const {
    for (const auto& [address, object] : objects_) visit(*object);
  }

 private:
  std::unordered_map<const Object*, std::unique_ptr<Object>> objects_;
};

}  // namespace fakeverbs
