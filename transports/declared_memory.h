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

/// One declaration. Several may overlap.
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

  /// Of its area; 0: it declares none.
  [[nodiscard]] std::uint64_t id() const { return id_; }

 private:
  std::uint64_t id_ = 0;
};

/// The area in which the memory lies as a whole, if there is one. Takes no lock unless areas came or went since this
/// thread asked last.
std::optional<DeclaredArea> findDeclared(const void* memory, std::size_t bytes);

/// Whether the declaration with this id has not ended.
bool isDeclared(std::uint64_t id);

/// Calls `forget` with the id of every declaration that ends, from now on, before its end is complete. For the life of
/// the process. Any thread may call it, one at a time.
void whenDeclarationsEnd(std::function<void(std::uint64_t id)> forget);

}  // namespace atl
