// SPDX-License-Identifier: Apache-2.0
// How the blocks of a launch run: as many at once as the device has room for beside what else runs there, in the order
// of their numbers. Blocks that wait for one that does not fit wait for ever, as on a device.
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <string>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/configuration.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/kernels.h"
#include "tests/fakecuda/runtime/memory.h"
#include "tests/fakecuda/runtime/thread_pool.h"

namespace fakecuda {
namespace {

/// A multiprocessor's room, so finely divided that a block's share of it is a whole number nearly enough.
constexpr unsigned long long kRoom = 1 << 20;
constexpr std::size_t kSharedAlignment = 128;

/// The room of a device. Who asks first is served first, even if a later one would fit already.
class Room {
 public:
  void take(unsigned long long share, unsigned long long capacity) {
    std::unique_lock lock(mutex_);
    const unsigned long long turn = next_++;
    changed_.wait(lock, [&] { return turn == serving_ && used_ + share <= capacity; });
    used_ += share;
    ++serving_;
    changed_.notify_all();
  }

  void give(unsigned long long share) {
    const std::lock_guard lock(mutex_);
    used_ -= share;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned long long used_ = 0;
  unsigned long long next_ = 0;
  unsigned long long serving_ = 0;
};

Room& roomOf(int device) {
  static auto* const rooms = new std::array<Room, 64>;
  return rooms->at(static_cast<std::size_t>(device));
}

struct Countdown {
  std::mutex mutex;
  std::condition_variable ended;
  unsigned long long left;

  explicit Countdown(unsigned long long count) : left(count) {}
  void down() {
    const std::lock_guard lock(mutex);
    if (--left == 0) ended.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex);
    ended.wait(lock, [&] { return left == 0; });
  }
};

struct SharedMemory {
  explicit SharedMemory(std::size_t bytes) : pointer(::operator new (bytes + 1, std::align_val_t{kSharedAlignment})) {
    std::memset(pointer, 0xC5, bytes);
  }
  ~SharedMemory() { ::operator delete (pointer, std::align_val_t{kSharedAlignment}); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  void* pointer;
};

void runBlock(const Launch& launch, int device, unsigned number) {
  const InsideCallback inside;
  const SharedMemory shared(launch.sharedBytes);
  const dim3 index(number % launch.grid.x, number / launch.grid.x % launch.grid.y,
                   number / launch.grid.x / launch.grid.y);
  const auto lost = [device] { return deviceError(device) != cudaSuccess; };
  const Block block{launch.grid,    launch.threads,     launch.cluster, index, number,
                    shared.pointer, launch.sharedBytes, device,         lost};
  std::vector<void*> arguments = launch.arguments;
  try {
    launch.kernel->body(block, arguments.data());
  } catch (const std::exception& error) {
    reportFailure("kernel " + launch.kernel->name + " threw: " + error.what());
    loseDevice(device, cudaErrorLaunchFailure);
  }
}

/// Would the device fault on an argument? Only pointers that are arguments themselves are seen.
bool reachesArguments(const Launch& launch, int device) {
  for (std::size_t i = 0; i < launch.arguments.size(); ++i) {
    if (!launch.kernel->parameters[i].pointer) continue;
    const char* pointer = nullptr;
    std::memcpy(&pointer, launch.arguments[i], sizeof(pointer));
    // An empty buffer may begin where an allocation ends.
    if (pointer == nullptr || mayAccess(device, pointer, 1) || mayAccess(device, pointer - 1, 1)) continue;
    if (find(pointer) && find(pointer)->kind == MemoryKind::multicast) continue;
    reportFailure("kernel " + launch.kernel->name + " on device " + std::to_string(device) + " was given argument " +
                  std::to_string(i) + ", memory that the device has no access to");
    return false;
  }
  return true;
}

}  // namespace

void runLaunch(const Launch& launch, int device) {
  if (!reachesArguments(launch, device)) {
    loseDevice(device, cudaErrorIllegalAddress);
    return;
  }
  const unsigned long long blocks = blocksOf(launch.grid);
  const auto resident =
      static_cast<unsigned>(blocksPerMultiprocessor(*launch.kernel, blocksOf(launch.threads), launch.sharedBytes));
  const unsigned long long share = kRoom / resident;
  const unsigned long long capacity = kRoom * static_cast<unsigned>(configuration().multiprocessors);
  Room& room = roomOf(device);
  if (!launch.kernel->traits.concurrentBlocks || blocks == 1) {
    room.take(share, capacity);
    for (unsigned number = 0; number < blocks; ++number) runBlock(launch, device, number);
    room.give(share);
    return;
  }
  // Those that have to run together get their room together: a whole cooperative grid, or a cluster.
  const unsigned long long together = launch.cooperative ? blocks : blocksOf(launch.cluster);
  const auto countdown = std::make_shared<Countdown>(blocks);
  for (unsigned number = 0; number < blocks; ++number) {
    if (number % together == 0) room.take(share * together, capacity);
    startJob([&launch, device, number, countdown, &room, share] {
      runBlock(launch, device, number);
      room.give(share);
      countdown->down();
    });
  }
  countdown->wait();
}

}  // namespace fakecuda
