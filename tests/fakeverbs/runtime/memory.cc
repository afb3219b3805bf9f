// SPDX-License-Identifier: Apache-2.0
#include "tests/fakeverbs/runtime/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "tests/fakeverbs/runtime/calls.h"

#undef ibv_reg_mr

namespace fakeverbs {
namespace {

constexpr unsigned kKnownAccess =
    unsigned{IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_ATOMIC} |
    unsigned{IBV_ACCESS_OPTIONAL_RANGE};

std::byte* covered(const std::unordered_map<std::uint32_t, MemoryRegion*>& regions, const ibv_pd* domain,
                   std::uint32_t key, std::uint64_t address, std::size_t bytes, unsigned access) {
  const auto found = regions.find(key);
  if (found == regions.end()) return nullptr;
  const MemoryRegion& region = *found->second;
  const bool inside =
      address >= region.begin && bytes <= region.length && address - region.begin <= region.length - bytes;
  if (!inside || region.pd != domain || (region.access & access) != access) return nullptr;
  return region.data + (address - region.begin);
}

/// Calls move(memory, part of [0, bytes), length) for each piece of [offset, offset + bytes).
template <class Move>
bool walk(const World& all, const ibv_pd* domain, const std::vector<ibv_sge>& parts, std::size_t offset,
          std::size_t bytes, unsigned access, Move&& move) {
  std::size_t done = 0;
  for (const ibv_sge& part : parts) {
    if (done == bytes) break;
    if (offset >= part.length) {
      offset -= part.length;
      continue;
    }
    const std::size_t length = std::min<std::size_t>(part.length - offset, bytes - done);
    std::byte* const memory = localMemory(all, domain, part.lkey, part.addr + offset, length, access);
    if (memory == nullptr) return false;
    move(memory, done, length);
    done += length;
    offset = 0;
  }
  return done == bytes;
}

/// The kernel pins what is registered, and cannot pin what is not there.
bool isMapped(const void* address, std::size_t bytes) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(address) / page * page;
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(address) + bytes;
  return msync(reinterpret_cast<void*>(begin), end - begin, MS_ASYNC) == 0;
}

/// What is common to all ways of registering.
int admitRegion(const World& all, const ProtectionDomain* domain, std::size_t bytes, unsigned access) {
  if (domain == nullptr || bytes == 0 || (access & ~kKnownAccess) != 0) return EINVAL;
  const bool writtenByPeers = (access & (IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_ATOMIC)) != 0;
  if (writtenByPeers && (access & IBV_ACCESS_LOCAL_WRITE) == 0) return EINVAL;
  const Device& device = *static_cast<Context*>(domain->context)->home;
  if (device.lost) return EIO;
  if ((access & IBV_ACCESS_RELAXED_ORDERING) != 0 && !device.setting.limits.relaxedOrdering) return EOPNOTSUPP;
  const std::size_t limit = device.setting.limits.memlockBytes;
  return bytes > limit || all.registeredBytes > limit - bytes ? ENOMEM : 0;
}

ibv_mr* enterRegion(World& all, ProtectionDomain& domain, std::unique_ptr<MemoryRegion> region) {
  region->context = domain.context;
  region->pd = &domain;
  // Two different keys, so that one is not taken for the other.
  region->lkey = ++all.lastKey;
  region->rkey = ++all.lastKey;
  region->handle = region->lkey;
  ++domain.users;
  all.registeredBytes += region->length;
  all.byLocalKey[region->lkey] = region.get();
  all.byRemoteKey[region->rkey] = region.get();
  return all.regions.add(std::move(region));
}

ibv_mr* registerMemory(World& all, ibv_pd* handle, void* address, std::size_t bytes, std::uint64_t iova,
                       unsigned access, int& error) {
  ProtectionDomain* const domain = all.domains.find(handle);
  error = admitRegion(all, domain, bytes, access);
  if (error == 0 && !isMapped(address, bytes)) error = EFAULT;
  if (error != 0) return nullptr;
  auto region = std::make_unique<MemoryRegion>();
  region->addr = address;
  region->length = bytes;
  region->begin = iova;
  region->data = static_cast<std::byte*>(address);
  region->access = access;
  return enterRegion(all, *domain, std::move(region));
}

}  // namespace

MemoryRegion::~MemoryRegion() {
  if (mapping != nullptr) munmap(mapping, mappingBytes);
}

std::byte* localMemory(const World& all, const ibv_pd* domain, std::uint32_t key, std::uint64_t address,
                       std::size_t bytes, unsigned access) {
  return covered(all.byLocalKey, domain, key, address, bytes, access);
}

std::byte* remoteMemory(const World& all, const ibv_pd* domain, std::uint32_t key, std::uint64_t address,
                        std::size_t bytes, unsigned access) {
  return covered(all.byRemoteKey, domain, key, address, bytes, access);
}

bool mayAccess(const World& all, const ibv_pd* domain, const std::vector<ibv_sge>& parts, unsigned access) {
  return std::all_of(parts.begin(), parts.end(), [&](const ibv_sge& part) {
    return part.length == 0 || localMemory(all, domain, part.lkey, part.addr, part.length, access) != nullptr;
  });
}

bool gather(const World& all, const ibv_pd* domain, const std::vector<ibv_sge>& parts, std::size_t offset,
            std::span<std::byte> to) {
  return walk(all, domain, parts, offset, to.size(), 0,
              [&](const std::byte* memory, std::size_t at, std::size_t n) { std::memcpy(to.data() + at, memory, n); });
}

bool scatter(const World& all, const ibv_pd* domain, const std::vector<ibv_sge>& parts, std::size_t offset,
             std::span<const std::byte> from) {
  return walk(all, domain, parts, offset, from.size(), IBV_ACCESS_LOCAL_WRITE,
              [&](std::byte* memory, std::size_t at, std::size_t n) { std::memcpy(memory, from.data() + at, n); });
}

std::size_t totalLength(const std::vector<ibv_sge>& parts) {
  std::size_t sum = 0;
  for (const ibv_sge& part : parts) sum += part.length;
  return sum;
}

}  // namespace fakeverbs

using namespace fakeverbs;

extern "C" {

ibv_pd* ibv_alloc_pd(ibv_context* handle) {
  static Verb& verb = verbNamed(__func__);
  return create(verb, [&](World& all, int& error) -> ibv_pd* {
    Context* const context = all.contexts.find(handle);
    if (context == nullptr) return nullptr;
    error = EIO;
    if (context->home->lost) return nullptr;
    auto domain = std::make_unique<ProtectionDomain>();
    domain->context = context;
    ++context->users;
    return all.domains.add(std::move(domain));
  });
}

int ibv_dealloc_pd(ibv_pd* handle) {
  static Verb& verb = verbNamed(__func__);
  return call(verb, [&](World& all) {
    ProtectionDomain* const domain = all.domains.find(handle);
    if (domain == nullptr) return EINVAL;
    if (domain->users > 0) return EBUSY;
    --static_cast<Context*>(domain->context)->users;
    all.domains.remove(domain);
    return 0;
  });
}

ibv_mr* ibv_reg_mr(ibv_pd* domain, void* address, std::size_t bytes, int access) {
  static Verb& verb = verbNamed(__func__);
  return create(verb, [&](World& all, int& error) {
    return registerMemory(all, domain, address, bytes, reinterpret_cast<std::uintptr_t>(address),
                          static_cast<unsigned>(access), error);
  });
}

ibv_mr* ibv_reg_mr_iova2(ibv_pd* domain, void* address, std::size_t bytes, std::uint64_t iova, unsigned access) {
  static Verb& verb = verbNamed(__func__);
  return create(
      verb, [&](World& all, int& error) { return registerMemory(all, domain, address, bytes, iova, access, error); });
}

ibv_mr* ibv_reg_dmabuf_mr(ibv_pd* handle, std::uint64_t offset, std::size_t bytes, std::uint64_t iova, int descriptor,
                          int access) {
  static Verb& verb = verbNamed(__func__);
  return create(verb, [&](World& all, int& error) -> ibv_mr* {
    ProtectionDomain* const domain = all.domains.find(handle);
    error = admitRegion(all, domain, bytes, static_cast<unsigned>(access));
    if (error != 0) return nullptr;
    error = EOPNOTSUPP;
    if (!static_cast<Context*>(domain->context)->home->setting.limits.dmabuf) return nullptr;
    // Anything that can be mapped is taken for a dma-buf.
    const std::uint64_t page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    const std::uint64_t skipped = offset % page;
    void* const mapping = mmap(nullptr, bytes + skipped, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor,
                               static_cast<off_t>(offset - skipped));
    error = errno;
    if (mapping == MAP_FAILED) return nullptr;
    auto region = std::make_unique<MemoryRegion>();
    region->mapping = mapping;
    region->mappingBytes = bytes + skipped;
    region->addr = nullptr;
    region->length = bytes;
    region->begin = iova;
    region->data = static_cast<std::byte*>(mapping) + skipped;
    region->access = static_cast<unsigned>(access);
    return enterRegion(all, *domain, std::move(region));
  });
}

int ibv_dereg_mr(ibv_mr* handle) {
  static Verb& verb = verbNamed(__func__);
  return call(verb, [&](World& all) {
    MemoryRegion* const region = all.regions.find(handle);
    if (region == nullptr) return EINVAL;
    --static_cast<ProtectionDomain*>(region->pd)->users;
    all.registeredBytes -= region->length;
    // By the keys given out: the program's structure may have been written to.
    std::erase_if(all.byLocalKey, [&](const auto& entry) { return entry.second == region; });
    std::erase_if(all.byRemoteKey, [&](const auto& entry) { return entry.second == region; });
    all.regions.remove(region);
    return 0;
  });
}

}  // extern "C"
