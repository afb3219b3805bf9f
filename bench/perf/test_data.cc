// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/test_data.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "bench/perf/element.h"
#include "bench/perf/mix.h"

namespace atl::perf {
namespace {

/// Elements are made and compared in blocks that stay in the first-level cache.
constexpr std::size_t kBlockBytes = 8192;

/// Words first, first + 1, … of a message's stream. The tail of the last word is cut.
void writeMessage(std::uint64_t key, std::uint64_t firstWord, std::byte* out, std::size_t bytes) {
  const std::size_t words = bytes / sizeof(std::uint64_t);
  for (std::size_t i = 0; i < words; ++i) {
    const std::uint64_t word = mix(key + firstWord + i);
    std::memcpy(out + i * sizeof word, &word, sizeof word);
  }
  const std::uint64_t last = mix(key + firstWord + words);
  std::memcpy(out + words * sizeof last, &last, bytes % sizeof last);
}

/// Elements first, first + 1, … of a table that repeats.
void writePeriodic(const std::vector<std::byte>& table, std::size_t elementBytes, std::size_t first, std::byte* out,
                   std::size_t bytes) {
  std::size_t at = (first % ReductionPattern::kPeriod) * elementBytes;
  while (bytes > 0) {
    const std::size_t run = std::min(bytes, table.size() - at);
    std::memcpy(out, table.data() + at, run);
    out += run;
    bytes -= run;
    at = 0;
  }
}

}  // namespace

std::size_t extentOf(const Layout& layout) {
  std::size_t extent = 0;
  for (const Piece& piece : layout) extent = std::max(extent, piece.offset + piece.count);
  return extent;
}

TestData::TestData(DataType type, std::shared_ptr<const ReductionPattern> pattern, int rank)
    : type_(type), pattern_(std::move(pattern)) {
  if (pattern_) contribution_ = pattern_->contribution(rank);
}

void TestData::fillPiece(const Piece& piece, std::uint64_t seed, std::byte* buffer) const {
  const std::size_t size = sizeOf(type_);
  std::byte* out = buffer + piece.offset * size;
  const std::size_t bytes = piece.count * size;
  switch (piece.content.kind) {
    case Content::Kind::message: writeMessage(mix(piece.content.key, seed), 0, out, bytes); break;
    case Content::Kind::contribution: writePeriodic(contribution_, size, piece.content.first + seed, out, bytes); break;
    case Content::Kind::reduction:
      writePeriodic(pattern_->result(), size, piece.content.first + seed, out, bytes);
      break;
  }
}

void TestData::fill(const Layout& layout, std::uint64_t seed, void* buffer) const {
  for (const Piece& piece : layout) fillPiece(piece, seed, static_cast<std::byte*>(buffer));
}

void TestData::fillWrong(const Layout& layout, std::uint64_t seed, void* buffer) const {
  auto* const bytes = static_cast<std::byte*>(buffer);
  fill(layout, seed, buffer);
  for (const Piece& piece : layout) {
    std::byte* const first = bytes + piece.offset * sizeOf(type_);
    std::transform(first, first + piece.count * sizeOf(type_), first, [](std::byte b) { return ~b; });
  }
}

std::uint64_t TestData::countWrong(const Layout& layout, std::uint64_t seed, const void* buffer) const {
  const std::size_t size = sizeOf(type_);
  const std::size_t blockElements = kBlockBytes / size;
  alignas(64) std::byte expected[kBlockBytes];
  std::uint64_t wrong = 0;
  for (const Piece& piece : layout) {
    const auto* found = static_cast<const std::byte*>(buffer) + piece.offset * size;
    for (std::size_t done = 0; done < piece.count; done += blockElements) {
      const std::size_t count = std::min(blockElements, piece.count - done);
      if (piece.content.kind == Content::Kind::message) {
        writeMessage(mix(piece.content.key, seed), done * size / sizeof(std::uint64_t), expected, count * size);
      } else {
        Piece block{0, count, piece.content};
        block.content.first += done;
        fillPiece(block, seed, expected);
      }
      wrong += countWrongIn(expected, found + done * size, count, piece.content.kind == Content::Kind::reduction);
    }
  }
  return wrong;
}

std::uint64_t TestData::countWrongIn(const std::byte* expected, const std::byte* found, std::size_t count,
                                     bool reduced) const {
  const std::size_t size = sizeOf(type_);
  if (std::memcmp(expected, found, count * size) == 0) return 0;
  const bool rounded = reduced && pattern_->reduction() == Reduction::avg && isReal(type_);
  const std::uint64_t tolerance = rounded ? kAvgUlps : 0;
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t a = loadBits(type_, expected + i * size);
    const std::uint64_t b = loadBits(type_, found + i * size);
    wrong += a != b && (tolerance == 0 || ulpDistance(type_, a, b) > tolerance) ? 1 : 0;
  }
  return wrong;
}

std::shared_ptr<const ReductionPattern> sharedPattern(DataType type, Reduction reduction, int ranks) {
  static std::mutex mutex;
  static std::shared_ptr<const ReductionPattern> last;
  const std::lock_guard lock(mutex);
  if (!last || last->type() != type || last->reduction() != reduction || last->ranks() != ranks) {
    last = std::make_shared<const ReductionPattern>(type, reduction, ranks);
  }
  return last;
}

}  // namespace atl::perf
