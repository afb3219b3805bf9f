// SPDX-License-Identifier: Apache-2.0
#include "transports/peer_memory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace atl {
namespace {

/// Opens a descriptor of another process anew. The kernel allows it to whoever may look into that process: usually one
/// of the same user in the same container.
UniqueFd openOf(pid_t pid, int descriptor) {
  return UniqueFd(::open(fmt::format("/proc/{}/fd/{}", pid, descriptor).c_str(), O_RDWR | O_CLOEXEC));
}

}  // namespace

std::shared_ptr<PeerMemory> PeerMemory::of(std::uint64_t process, pid_t pid, int descriptor, int sample) {
  const UniqueFd opened = openOf(pid, descriptor);
  struct stat theirs {};
  struct stat known {};
  if (!opened || ::fstat(opened.get(), &theirs) != 0 || ::fstat(sample, &known) != 0) return nullptr;
  // Another number space of processes would lead to another process, or to none.
  if (theirs.st_dev != known.st_dev || theirs.st_ino != known.st_ino) return nullptr;

  static std::mutex mutex;
  // Never destroyed: links may outlast it.
  static auto* const processes = new std::map<std::uint64_t, std::weak_ptr<PeerMemory>>;
  const std::scoped_lock lock(mutex);
  std::erase_if(*processes, [](const auto& entry) { return entry.second.expired(); });
  auto& entry = (*processes)[process];
  auto memory = entry.lock();
  if (memory == nullptr) entry = memory = std::make_shared<PeerMemory>(pid);
  return memory;
}

Result<std::span<std::byte>> PeerMemory::area(const SharedPlace& place) {
  const std::scoped_lock lock(mutex_);
  const auto bytesOf = [](const SharedMemory& memory) { return std::span(memory.data(), memory.size()); };
  if (const auto found = areas_.find(place.area); found != areas_.end()) return bytesOf(found->second);
  UniqueFd file = openOf(pid_, place.descriptor);
  if (!file) return systemError(errno, fmt::format("cannot open shared memory of process {}", pid_));
  ATOLL_ASSIGN(auto memory, SharedMemory::map(std::move(file), place.areaBytes, true));
  memory.closeFd();
  return bytesOf(areas_.emplace(place.area, std::move(memory)).first->second);
}

}  // namespace atl
