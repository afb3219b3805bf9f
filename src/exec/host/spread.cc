// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/spread.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "kernels/host/kernels.h"

namespace atl::exec {
namespace {

constexpr std::size_t kLine = 64;
/// Long enough for memory to stay with reading, or with writing, for a while; with as much of every source it still
/// fits the cache that a core has to itself.
constexpr std::size_t kBlock = 16384;

/// How far into its line a place is.
std::size_t intoLine(const std::byte* place) {
  return reinterpret_cast<std::uintptr_t>(place) % kLine;
}

/// Writes what a block adds to the whole lines of a place. `made` is the block, before which lies the line that
/// precedes it; the place is for the block's first byte.
void writeLines(std::byte* place, const std::byte* made, std::size_t bytes, bool first, bool last) {
  const std::size_t before = first ? 0 : intoLine(place);
  const std::size_t after = last ? 0 : intoLine(place + bytes);
  kernels::streamUnfenced(place - before, made - before, before + bytes - after);
}

}  // namespace

void foldToAll(const Reducer& reducer, bool finish, std::span<const void*> sources, std::size_t bytes, std::byte* kept,
               std::span<std::byte* const> around) {
  alignas(kLine) std::array<std::byte, kLine + kBlock> room;
  const bool copies = sources.size() == 1 && !finish && kept == nullptr;
  for (std::size_t at = 0; at < bytes; at += kBlock) {
    const std::size_t size = std::min(kBlock, bytes - at);
    const std::byte* made = static_cast<const std::byte*>(sources[0]);
    if (!copies) {
      std::byte* const block = kept != nullptr ? kept + at : room.data() + kLine;
      if (kept == nullptr && at > 0) std::memcpy(room.data(), room.data() + kBlock, kLine);
      reducer.fold(block, sources.data(), static_cast<int>(sources.size()), size);
      if (finish) reducer.finish(block, size);
      made = block;
    }
    for (std::byte* const place : around) writeLines(place + at, made, size, at == 0, at + size == bytes);
    for (const void*& source : sources) source = static_cast<const std::byte*>(source) + size;
  }
  kernels::fenceStreams();
}

}  // namespace atl::exec
