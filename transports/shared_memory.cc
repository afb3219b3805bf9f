// SPDX-License-Identifier: Apache-2.0
#include "transports/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <utility>

#include "src/topology/near_memory.h"
#include "transports/available_memory.h"
#include "transports/huge_pages.h"

namespace atl {
namespace {

/// Below this the kernel's own answer is good enough, and asking first would cost more than the memory is worth.
constexpr std::size_t kWorthAsking = std::size_t{1} << 20;

/// Takes the pages now. A signal makes the kernel give back what it had taken, hence the repetition.
int reservePages(int fd, std::size_t bytes) {
  constexpr int kTries = 100;
  int status = -1;
  for (int i = 0; i < kTries && status != 0; ++i) {
    status = ::fallocate(fd, 0, 0, static_cast<off_t>(bytes));
    if (status != 0 && errno != EINTR) break;
  }
  return status;
}

}  // namespace

Result<SharedMemory> SharedMemory::create(std::size_t bytes, const char* name) {
  const auto failed = [bytes, name](int error, const char* what) {
    return systemError(error, fmt::format("cannot {} {} bytes of shared memory for {}", what, bytes, name));
  };
  if (bytes == 0 || bytes > static_cast<std::size_t>(std::numeric_limits<off_t>::max()))
    return failed(EINVAL, "create");
  if (bytes >= kWorthAsking) {
    const auto available = availableMemory();
    if (available && bytes > *available) {
      return makeError(ErrorCode::systemError,
                       "{} wants {} bytes of shared memory, and this machine has only {} to give", name, bytes,
                       *available);
    }
  }
  SharedMemory memory;
  memory.fd_.reset(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory.fd_) return failed(errno, "create");
  if (::ftruncate(memory.fd(), static_cast<off_t>(bytes)) != 0) return failed(errno, "size");
  ATOLL_ASSIGN(memory.data_, mapForHugePages(memory.fd(), bytes, PROT_READ | PROT_WRITE));
  memory.size_ = bytes;
  placeNearCaller(memory.data_, bytes);
  if (reservePages(memory.fd(), bytes) != 0) return failed(errno, "reserve");
  if (::fcntl(memory.fd(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return failed(errno, "seal");
  return memory;
}

Result<SharedMemory> SharedMemory::map(UniqueFd fd, std::size_t bytes, bool writable) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return systemError(errno, "cannot look at a peer's shared memory");
  if (bytes == 0 || static_cast<std::uint64_t>(status.st_size) != bytes) {
    return makeError(ErrorCode::remoteError, "a peer's shared memory is {} bytes large, where it announced {}",
                     status.st_size, bytes);
  }
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
    return makeError(ErrorCode::remoteError, "a peer's shared memory of {} bytes is not sealed against shrinking",
                     bytes);
  }
  SharedMemory memory;
  ATOLL_ASSIGN(memory.data_, mapForHugePages(fd.get(), bytes, PROT_READ | (writable ? PROT_WRITE : 0)));
  memory.size_ = bytes;
  memory.fd_ = std::move(fd);
  return memory;
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_(std::move(other.fd_)), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace atl
