// SPDX-License-Identifier: Apache-2.0
// Bounded reading and writing of wire bytes: little-endian, no padding, every length checked.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "src/base/result.h"

namespace atl {

// The greeting refuses machines of the other byte order, so that integers travel as they lie in memory.
static_assert(std::endian::native == std::endian::little, "the wire format is that of little-endian machines");

using Bytes = std::vector<std::byte>;

/// Appends values to a growing buffer.
class WireWriter {
 public:
  template <class T>
  void put(T value) {
    static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
    raw(&value, sizeof value);
  }
  void raw(const void* data, std::size_t size) {
    const auto* const first = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
  }
  /// A text of at most 65535 bytes, with its length; longer ones are cut.
  void text(std::string_view value) {
    const auto size = static_cast<std::uint16_t>(value.size() < 0xffff ? value.size() : 0xffff);
    put(size);
    raw(value.data(), size);
  }
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  [[nodiscard]] Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

/// Takes values from a buffer of somebody else's making. After the first value that is not there, everything reads as
/// zero and ok() is false, so that a parser checks once, at its end.
class WireReader {
 public:
  explicit WireReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class T>
  T get() {
    static_assert(std::is_integral_v<T>);
    T value{};
    const auto from = raw(sizeof value);
    if (!from.empty()) std::memcpy(&value, from.data(), sizeof value);
    return value;
  }
  /// The next `size` bytes, in place; empty if there are fewer.
  std::span<const std::byte> raw(std::size_t size) {
    if (!ok_ || rest_.size() < size) {
      ok_ = false;
      return {};
    }
    const auto result = rest_.first(size);
    rest_ = rest_.subspan(size);
    return result;
  }
  /// A text no longer than `limit` bytes.
  std::string text(std::size_t limit) {
    const auto size = get<std::uint16_t>();
    if (size > limit) ok_ = false;
    const auto from = raw(size);
    return std::string(reinterpret_cast<const char*>(from.data()), from.size());
  }
  /// A count of things of at least `leastBytes` each: one that the rest of the buffer cannot hold is refused before
  /// anybody reserves room for it.
  std::size_t count(std::size_t leastBytes) {
    const auto value = get<std::uint32_t>();
    if (leastBytes == 0 || value > rest_.size() / leastBytes) {
      ok_ = false;
      return 0;
    }
    return value;
  }
  void refuse() { ok_ = false; }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  /// Success when all was there and nothing is left over.
  [[nodiscard]] Status finish(std::string_view what) const {
    if (!ok_) return makeError(ErrorCode::mismatch, "{} is cut short or malformed", what);
    if (!rest_.empty()) return makeError(ErrorCode::mismatch, "{} has {} bytes too many", what, rest_.size());
    return success();
  }

 private:
  std::span<const std::byte> rest_;
  bool ok_ = true;
};

}  // namespace atl
