// SPDX-License-Identifier: Apache-2.0
// Memory that stays where it is until somebody says otherwise: what users register, what atollMemAlloc gives, what the
// library keeps for itself. Devices that move data by themselves may then be told of it once and not for every message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

namespace atl {

/// The pages of a declaration. Declarations of the same pages, of whatever bytes of them, are one area, so that devices
/// are told of it once; it ends with the last of them. Others may overlap it: they are areas of their own, since what
/// devices know of cannot grow, and may go away alone.
struct DeclaredArea {
  std::uint64_t id = 0;  ///< never used twice in the process
  std::byte* begin = nullptr;
  std::size_t bytes = 0;
};

/// Memory is declared as long as this lives. Before the memory goes away, this has to.
class Declaration {
 public:
  Declaration() = default;
  Declaration(void* memory, std::size_t bytes);
  Declaration(Declaration&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
  Declaration& operator=(Declaration&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  Declaration(const Declaration&) = delete;
  Declaration& operator=(const Declaration&) = delete;
  ~Declaration();

  /// Never used twice in the process; 0: it declares none.
  [[nodiscard]] std::uint64_t id() const { return id_; }

 private:
  std::uint64_t id_ = 0;
};

/// The area of a declaration in which the memory lies as a whole, if there is one. Takes no lock unless declarations
/// came or went since this thread asked last.
std::optional<DeclaredArea> findDeclared(const void* memory, std::size_t bytes);

/// Whether the area with this id has not ended.
bool isDeclared(std::uint64_t area);

/// Calls `forget` with the id of every area that ends, from now on, before the end of its last declaration is complete.
/// For the life of the process. Any thread may call it, one at a time.
void whenAreasEnd(std::function<void(std::uint64_t area)> forget);

}  // namespace atl
