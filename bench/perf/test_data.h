// SPDX-License-Identifier: Apache-2.0
// The data check: what belongs where in a rank's buffers, filling it in, and counting what is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "bench/perf/pattern.h"
#include "src/base/types.h"

namespace atl::perf {

/// What a run of elements holds.
struct Content {
  enum class Kind : std::uint8_t {
    message,       ///< any bits at all, told apart by `key`: data that is moved, not reduced
    contribution,  ///< what rank `key` gives to the reduction
    reduction,     ///< what the reduction of all ranks gives
  };
  Kind kind = Kind::message;
  std::uint64_t key = 0;
  std::size_t first = 0;  ///< contribution, reduction: position of the first element in the reduced vector

  static Content message(std::uint64_t key) { return {Kind::message, key, 0}; }
  static Content contribution(int rank, std::size_t first = 0) {
    return {Kind::contribution, static_cast<std::uint64_t>(rank), first};
  }
  static Content reduction(std::size_t first = 0) { return {Kind::reduction, 0, first}; }
};

/// A run of elements of a buffer.
struct Piece {
  std::size_t offset = 0;  ///< first element in the buffer
  std::size_t count = 0;
  Content content;
};

/// All that a buffer holds. Elements that no piece covers are not looked at.
using Layout = std::vector<Piece>;

/// Number of elements from the buffer's start to the end of its last piece.
std::size_t extentOf(const Layout& layout);

/// Fills and checks buffers of one element type. `seed` makes the data of one checked run differ from the last one's,
/// so that what a run failed to write is not right by being left over.
class TestData {
 public:
  /// `pattern` is null where nothing is reduced; `rank` is whose contributions are filled in.
  TestData(DataType type, std::shared_ptr<const ReductionPattern> pattern, int rank);

  void fill(const Layout& layout, std::uint64_t seed, void* buffer) const;
  /// Fills in the complement of what belongs there: wrong in every bit of every element.
  void fillWrong(const Layout& layout, std::uint64_t seed, void* buffer) const;
  /// Number of elements that differ from what belongs there.
  [[nodiscard]] std::uint64_t countWrong(const Layout& layout, std::uint64_t seed, const void* buffer) const;

 private:
  void fillPiece(const Piece& piece, std::uint64_t seed, std::byte* buffer) const;
  [[nodiscard]] std::uint64_t countWrongIn(const std::byte* expected, const std::byte* found, std::size_t count,
                                           bool reduced) const;

  DataType type_;
  std::shared_ptr<const ReductionPattern> pattern_;
  std::vector<std::byte> contribution_;
};

/// The pattern for (type, reduction, ranks), shared by the ranks of this process, for it costs ranks × period to make.
/// The last one asked for is kept. From any thread.
std::shared_ptr<const ReductionPattern> sharedPattern(DataType type, Reduction reduction, int ranks);

}  // namespace atl::perf
