// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "bench/perf/team.h"

namespace atl::perf {
namespace {

constexpr std::byte kGuard{0xc5};
constexpr std::size_t kCacheLine = 64;

constexpr std::size_t roundUp(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

std::uint64_t changedBytes(const std::byte* guard) {
  return static_cast<std::uint64_t>(
      std::count_if(guard, guard + Buffer::kGuardBytes, [](std::byte b) { return b != kGuard; }));
}

}  // namespace

Result<Buffer> Buffer::allocate(std::size_t capacity, atollComm_t registerWith) {
  Buffer buffer;
  buffer.capacity_ = capacity;
  const std::size_t bytes = roundUp(capacity, kMargin) + 2 * kMargin;
  if (registerWith != nullptr) {
    void* memory = nullptr;
    ATOLL_TRY(checked(atollMemAlloc(&memory, bytes), fmt::format("allocating {} bytes", bytes), nullptr));
    buffer.comm_ = registerWith;
    buffer.base_ = static_cast<std::byte*>(memory);
    ATOLL_TRY(checked(atollCommRegister(registerWith, memory, bytes, &buffer.registration_), "registering a buffer",
                      registerWith));
  } else {
    buffer.base_ = static_cast<std::byte*>(std::aligned_alloc(kMargin, bytes));
    if (buffer.base_ == nullptr) return makeError(ErrorCode::systemError, "no memory for a buffer of {} bytes", bytes);
  }
  std::memset(buffer.base_, 0, bytes);
  return buffer;
}

Buffer::Buffer(Buffer&& other) noexcept {
  *this = std::move(other);
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(capacity_, other.capacity_);
  std::swap(comm_, other.comm_);
  std::swap(registration_, other.registration_);
  return *this;
}

Buffer::~Buffer() {
  release();
}

void Buffer::release() {
  if (base_ == nullptr) return;
  if (comm_ == nullptr) {
    std::free(base_);
  } else {
    if (registration_ != nullptr) atollCommDeregister(comm_, registration_);
    atollMemFree(base_);
  }
  base_ = nullptr;
}

std::size_t Buffer::positions(std::size_t bytes) const {
  const std::size_t step = roundUp(bytes, kCacheLine);
  return step == 0 ? 1 : std::max<std::size_t>(1, capacity_ / step);
}

std::byte* Buffer::position(std::size_t index, std::size_t bytes) const {
  return data() + index % positions(bytes) * roundUp(bytes, kCacheLine);
}

void Buffer::plantGuards(std::byte* region, std::size_t bytes) const {
  std::fill_n(region - kGuardBytes, kGuardBytes, kGuard);
  std::fill_n(region + bytes, kGuardBytes, kGuard);
}

std::uint64_t Buffer::countTouched(const std::byte* region, std::size_t bytes) const {
  return changedBytes(region - kGuardBytes) + changedBytes(region + bytes);
}

std::uint64_t availableMemory() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::uint64_t kibibytes = 0;
  std::string unit;
  while (file >> key >> kibibytes) {
    if (key == "MemAvailable:") return kibibytes * 1024;
    std::getline(file, unit);
  }
  return 0;
}

}  // namespace atl::perf
