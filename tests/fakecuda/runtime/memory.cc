// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "tests/fakecuda/runtime/configuration.h"
#include "tests/fakecuda/runtime/devices.h"

namespace fakecuda {
namespace {

/// Fresh memory begins with this, up to kSoiledBytes, so that a program which takes it for zero is found out.
constexpr int kSoil = 0xC5;
constexpr std::size_t kSoiledBytes = 1 << 20;
/// Between the end of an allocation and the end of its last page.
constexpr unsigned char kMargin = 0xA7;

struct Register {
  std::mutex mutex;
  std::map<std::uintptr_t, Allocation> allocations;  ///< by base
  std::uint64_t lastId = 0;
};

Register& memory() {
  static auto* const made = new Register;
  return *made;
}

/// The allocation around an address; the register is locked.
std::map<std::uintptr_t, Allocation>::iterator around(Register& all, std::uintptr_t address) {
  auto after = all.allocations.upper_bound(address);
  if (after == all.allocations.begin()) return all.allocations.end();
  --after;
  return address - after->second.base < after->second.bytes ? after : all.allocations.end();
}

bool ownsPages(const Allocation& allocation) {
  return allocation.kind == MemoryKind::device || allocation.kind == MemoryKind::managed ||
         allocation.kind == MemoryKind::pinned;
}

void* mapWithGuard(int descriptor, std::size_t bytes) {
  const std::size_t mapped = wholePages(bytes);
  void* const place =
      mmap(nullptr, mapped + pageBytes(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) return nullptr;
  const int sharing = descriptor < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  if (mmap(place, mapped, PROT_READ | PROT_WRITE, sharing | MAP_FIXED, descriptor, 0) == MAP_FAILED) {
    munmap(place, mapped + pageBytes());
    return nullptr;
  }
  return place;
}

void checkMargin(const Allocation& allocation) {
  const auto* const end = reinterpret_cast<const unsigned char*>(allocation.base + allocation.bytes);
  const std::size_t margin = wholePages(allocation.bytes) - allocation.bytes;
  if (std::all_of(end, end + margin, [](unsigned char byte) { return byte == kMargin; })) return;
  reportFailure("memory was written past the end of an allocation of " + std::to_string(allocation.bytes) +
                " bytes on device " + std::to_string(allocation.device));
}

void unmap(const Allocation& allocation) {
  if (ownsPages(allocation)) {
    checkMargin(allocation);
    munmap(reinterpret_cast<void*>(allocation.base), wholePages(allocation.bytes) + pageBytes());
  } else if (allocation.kind == MemoryKind::imported) {
    munmap(reinterpret_cast<void*>(allocation.base), wholePages(allocation.bytes));
  }
  if (allocation.descriptor >= 0) close(allocation.descriptor);
}

std::size_t bytesInUse(const Register& all, int device) {
  std::size_t sum = 0;
  for (const auto& [base, allocation] : all.allocations) {
    const bool counted = allocation.kind == MemoryKind::device || allocation.kind == MemoryKind::managed;
    if (counted && allocation.device == device) sum += wholePages(allocation.bytes);
  }
  return sum;
}

}  // namespace

std::size_t pageBytes() {
  static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

std::size_t wholePages(std::size_t bytes) {
  return (bytes + pageBytes() - 1) / pageBytes() * pageBytes();
}

cudaError_t allocate(MemoryKind kind, int device, std::size_t bytes, unsigned flags, void** pointer) {
  Register& all = memory();
  const bool host = kind == MemoryKind::pinned;
  const std::lock_guard lock(all.mutex);
  const std::size_t most = configuration().memoryBytes;
  if (!host && (bytes > most || wholePages(bytes) > most - bytesInUse(all, device))) return cudaErrorMemoryAllocation;
  const int descriptor = host ? -1 : memfd_create("fake-device-memory", MFD_CLOEXEC);
  if (!host && (descriptor < 0 || ftruncate(descriptor, static_cast<off_t>(wholePages(bytes))) != 0)) {
    if (descriptor >= 0) close(descriptor);
    return cudaErrorMemoryAllocation;
  }
  void* const place = mapWithGuard(descriptor, bytes);
  if (place == nullptr) {
    if (descriptor >= 0) close(descriptor);
    return cudaErrorMemoryAllocation;
  }
  std::memset(place, kSoil, std::min(bytes, kSoiledBytes));
  std::memset(static_cast<char*>(place) + bytes, kMargin, wholePages(bytes) - bytes);
  Allocation made;
  made.base = reinterpret_cast<std::uintptr_t>(place);
  made.bytes = bytes;
  made.kind = kind;
  made.device = device;
  made.physicalDevice = physicalNumber(device);
  made.descriptor = descriptor;
  made.flags = flags;
  made.id = ++all.lastId;
  all.allocations[made.base] = made;
  *pointer = place;
  return cudaSuccess;
}

bool enter(Allocation allocation) {
  Register& all = memory();
  const std::lock_guard lock(all.mutex);
  const auto next = all.allocations.lower_bound(allocation.base);
  if (around(all, allocation.base) != all.allocations.end()) return false;
  if (next != all.allocations.end() && next->first < allocation.base + allocation.bytes) return false;
  allocation.id = ++all.lastId;
  all.allocations[allocation.base] = std::move(allocation);
  return true;
}

std::optional<Allocation> takeOut(const void* pointer, MemoryKind kind) {
  Register& all = memory();
  const std::lock_guard lock(all.mutex);
  const auto found = all.allocations.find(reinterpret_cast<std::uintptr_t>(pointer));
  if (found == all.allocations.end() || found->second.kind != kind) return std::nullopt;
  Allocation taken = std::move(found->second);
  all.allocations.erase(found);
  return taken;
}

cudaError_t release(void* pointer, MemoryKind kind) {
  const std::optional<Allocation> taken = takeOut(pointer, kind);
  if (!taken) return cudaErrorInvalidValue;
  unmap(*taken);
  return cudaSuccess;
}

std::optional<Allocation> find(const void* pointer) {
  Register& all = memory();
  const std::lock_guard lock(all.mutex);
  const auto found = around(all, reinterpret_cast<std::uintptr_t>(pointer));
  if (found == all.allocations.end()) return std::nullopt;
  return found->second;
}

void update(std::uintptr_t base, void (*change)(Allocation& allocation, int argument), int argument) {
  Register& all = memory();
  const std::lock_guard lock(all.mutex);
  const auto found = all.allocations.find(base);
  if (found != all.allocations.end()) change(found->second, argument);
}

std::optional<Allocation> findImported(std::uint64_t source, int device) {
  Register& all = memory();
  const std::lock_guard lock(all.mutex);
  for (const auto& [base, allocation] : all.allocations) {
    if (allocation.kind == MemoryKind::imported && allocation.source == source &&
        allocation.accessors.front() == device)
      return allocation;
  }
  return std::nullopt;
}

bool fits(const void* pointer, std::size_t bytes) {
  Register& all = memory();
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const std::lock_guard lock(all.mutex);
  const auto found = around(all, address);
  if (found != all.allocations.end()) return bytes <= found->second.bytes - (address - found->second.base);
  const auto next = all.allocations.lower_bound(address);
  return next == all.allocations.end() || next->first - address >= bytes;
}

std::size_t bytesInUse(int device) {
  Register& all = memory();
  const std::lock_guard lock(all.mutex);
  return bytesInUse(all, device);
}

bool mayAccess(int device, const void* pointer, std::size_t bytes) {
  const std::optional<Allocation> allocation = find(pointer);
  if (!allocation || !fits(pointer, bytes)) return false;
  const std::vector<int>& told = allocation->accessors;
  const bool named = std::find(told.begin(), told.end(), device) != told.end();
  switch (allocation->kind) {
    case MemoryKind::device: return peerAccessEnabled(device, allocation->device);
    case MemoryKind::imported: return named || peerAccessEnabled(device, allocation->device);
    case MemoryKind::mapped: return named;
    case MemoryKind::multicast: return false;
    default: return true;
  }
}

bool storesArrive(int device, const void* pointer) {
  const std::optional<Allocation> allocation = find(pointer);
  if (!allocation || allocation->onHost()) return true;
  return !corruptsByMachine(physicalNumber(device), allocation->physicalDevice);
}

void forgetMemory() {
  Register& all = memory();
  const std::lock_guard lock(all.mutex);
  for (const auto& [base, allocation] : all.allocations) unmap(allocation);
  all.allocations.clear();
}

void countMemory(LiveObjects& live) {
  Register& all = memory();
  const std::lock_guard lock(all.mutex);
  for (const auto& [base, allocation] : all.allocations) {
    if (allocation.onHost()) {
      ++live.hostAllocations;
    } else if (allocation.kind == MemoryKind::imported) {
      ++live.importedAllocations;
    } else {
      ++live.deviceAllocations;
    }
  }
}

}  // namespace fakecuda
