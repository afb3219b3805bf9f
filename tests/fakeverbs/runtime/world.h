// SPDX-License-Identifier: Apache-2.0
// All that a process has: adapters, objects, packets on their way. One lock guards everything, the hardware included:
// the engine holds it while it moves a packet's bytes, so memory and queues are never seen half done.
#pragma once

#include <infiniband/verbs.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/fakeverbs/fakeverbs.h"
#include "tests/fakeverbs/runtime/objects.h"
#include "tests/fakeverbs/runtime/packet.h"

namespace fakeverbs {

/// What shall happen to the n-th work request of a port.
struct WorkFault {
  bool lose = false;
  bool breakQueuePair = false;
  std::optional<ibv_wc_status> status;
};

struct PacketFault {
  std::uint64_t first;
  std::uint64_t end;
};

struct Port {
  PortConfiguration setting;
  std::vector<std::pair<ibv_gid, ibv_gid_type>> gids;  ///< of setting.gids, in binary; zero: empty
  Counters counters;
  std::uint64_t begun = 0;         ///< work requests
  std::uint64_t sent[2] = {0, 0};  ///< packets, by Traffic
  std::map<std::uint64_t, WorkFault> workFaults;
  std::vector<PacketFault> losses[2];
  std::uint64_t downAt = UINT64_MAX;
  int refusals = 0;
};

struct Device : ibv_device {
  DeviceConfiguration setting;
  std::vector<Port> ports;
  bool lost = false;
};

struct DelayedCompletion {
  std::uint32_t qpNumber;
  Completion completion;
};

class Network;

struct World {
  std::mutex mutex;
  std::atomic<int> waiting = 0;  ///< threads of the program that want the lock; the engine lets them pass

  Configuration configuration;
  std::vector<std::unique_ptr<Device>> devices;
  std::set<ibv_device**> lists;
  Table<Context> contexts;
  Table<ProtectionDomain> domains;
  Table<MemoryRegion> regions;
  Table<AddressHandle> addressHandles;
  Table<Channel> channels;
  Table<CompletionQueue> completionQueues;
  Table<SharedReceiveQueue> sharedReceiveQueues;
  Table<QueuePair> queuePairs;
  std::unordered_map<std::uint32_t, QueuePair*> byNumber;
  std::unordered_map<std::uint32_t, MemoryRegion*> byLocalKey;
  std::unordered_map<std::uint32_t, MemoryRegion*> byRemoteKey;
  std::size_t registeredBytes = 0;
  std::uint32_t lastKey = 0;
  std::uint32_t lastQueuePair = 0;

  // The engine's.
  std::deque<Packet> inbox;                   ///< arrived, or sent within the process
  std::deque<std::uint32_t> ready;            ///< queue pairs that may have something to send
  std::multimap<Time, std::uint32_t> pauses;  ///< queue pairs that wait
  std::multimap<Time, DelayedCompletion> delayed;
  std::mt19937 random;
  std::unique_ptr<Network> network;
  int wakeDescriptor = -1;
  bool hasRead = false;  ///< it was the turn of other processes
  bool engineRuns = false;
  bool engineSleeps = false;

  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
};

/// Made at the first call, from the environment; never destroyed, because the engine outlives the program's statics.
World& world();

class Lock {
 public:
  explicit Lock(World& all) : world_(all) {
    world_.waiting.fetch_add(1, std::memory_order_relaxed);
    world_.mutex.lock();
    world_.waiting.fetch_sub(1, std::memory_order_relaxed);
  }
  ~Lock() { world_.mutex.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  World& world_;
};

/// The process cannot go on as a test: says why and ends it with status 70.
[[noreturn]] void giveUp(const std::string& why);

// Below, the caller holds the lock.

/// The process fails when there is none: a test named it.
Device& deviceAt(World& all, int device);
Port& portAt(World& all, int device, int port);

Port& portOf(const QueuePair& qp);

/// Puts the adapters of the configuration in place of what is there, without objects.
void build(World& all, Configuration configuration);
Device& plugIn(World& all, DeviceConfiguration setting);

/// An event for every context of the adapter.
void raisePortEvent(World& all, const Device& device, int port, ibv_event_type type);
void changePort(World& all, Device& device, int port, bool up);

/// The items of Configuration::faults.
void plan(World& all, const std::string& faults);

}  // namespace fakeverbs
