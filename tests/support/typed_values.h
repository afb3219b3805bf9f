// SPDX-License-Identifier: Apache-2.0
// Elements of any datatype as doubles, for tests that fill and check buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <vector>

#include "kernels/host/kernels.h"
#include "src/base/types.h"

namespace atl::test {

template <class T>
void put(void* at, double value) {
  const T typed = static_cast<T>(value);
  std::memcpy(at, &typed, sizeof typed);
}

template <class T>
double get(const void* at) {
  T typed;
  std::memcpy(&typed, at, sizeof typed);
  return static_cast<double>(typed);
}

inline void store(DataType type, void* at, double value) {
  switch (type) {
    case DataType::int8: return put<std::int8_t>(at, value);
    case DataType::uint8: return put<std::uint8_t>(at, value);
    case DataType::int32: return put<std::int32_t>(at, value);
    case DataType::uint32: return put<std::uint32_t>(at, value);
    case DataType::int64: return put<std::int64_t>(at, value);
    case DataType::uint64: return put<std::uint64_t>(at, value);
    case DataType::float32: return put<float>(at, value);
    case DataType::float64: return put<double>(at, value);
    case DataType::float16:
    case DataType::bfloat16:
    case DataType::float8e4m3:
    case DataType::float8e5m2: kernels::fromFloat32(type, static_cast<float>(value), at);
  }
}

inline double load(DataType type, const void* at) {
  switch (type) {
    case DataType::int8: return get<std::int8_t>(at);
    case DataType::uint8: return get<std::uint8_t>(at);
    case DataType::int32: return get<std::int32_t>(at);
    case DataType::uint32: return get<std::uint32_t>(at);
    case DataType::int64: return get<std::int64_t>(at);
    case DataType::uint64: return get<std::uint64_t>(at);
    case DataType::float32: return get<float>(at);
    case DataType::float64: return get<double>(at);
    case DataType::float16:
    case DataType::bfloat16:
    case DataType::float8e4m3:
    case DataType::float8e5m2: return kernels::toFloat32(type, at);
  }
  return 0;
}

/// Where the buffers of this thread's tests lie.
inline std::pmr::memory_resource*& bufferMemory() {
  thread_local std::pmr::memory_resource* memory = std::pmr::get_default_resource();
  return memory;
}

/// A buffer of `count` elements between guard bytes that a stray write would change.
class GuardedBuffer {
 public:
  GuardedBuffer(DataType type, std::size_t count)
      : type_(type), count_(count), bytes_(count * sizeOf(type) + 2 * kGuard, kMark, bufferMemory()) {}

  [[nodiscard]] std::byte* data() { return bytes_.data() + kGuard; }
  [[nodiscard]] std::size_t count() const { return count_; }
  void set(std::size_t i, double value) { store(type_, data() + i * sizeOf(type_), value); }
  [[nodiscard]] double at(std::size_t i) { return load(type_, data() + i * sizeOf(type_)); }
  [[nodiscard]] bool guardsIntact() const {
    for (std::size_t i = 0; i < kGuard; ++i) {
      if (bytes_[i] != kMark || bytes_[bytes_.size() - 1 - i] != kMark) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kGuard = 64;
  static constexpr std::byte kMark{0xa5};
  DataType type_;
  std::size_t count_;
  std::pmr::vector<std::byte> bytes_;
};

}  // namespace atl::test
