// SPDX-License-Identifier: Apache-2.0
// Copies. Small ones are memcpy; large ones write around the cache, which saves reading the destination first and
// leaves the cache to data that will be used again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/host/copy.cc"
#include <hwy/foreach_target.h>
// foreach_target.h comes first.
#include <hwy/cache_control.h>
#include <hwy/highway.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/host/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace atl::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Copies with non-temporal stores, whole lines of the destination at a time; what is left at its ends is stored as
/// usual.
void streamCopy(void* destination, const void* source, std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  const hn::ScalableTag<std::uint8_t> d;
  const std::size_t step = hn::Lanes(d);
  auto* to = static_cast<std::uint8_t*>(destination);
  const auto* from = static_cast<const std::uint8_t*>(source);

  const std::size_t head = HWY_MIN(bytes, (kLine - reinterpret_cast<std::uintptr_t>(to) % kLine) % kLine);
  std::memcpy(to, from, head);
  to += head;
  from += head;
  bytes -= head;
  for (; bytes >= kLine; bytes -= kLine) {
    for (std::size_t at = 0; at < kLine; at += step) hn::Stream(hn::LoadU(d, from + at), d, to + at);
    to += kLine;
    from += kLine;
  }
  std::memcpy(to, from, bytes);
}

}  // namespace atl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace atl::kernels {

HWY_EXPORT(streamCopy);

void streamUnfenced(void* destination, const void* source, std::size_t bytes) {
  HWY_DYNAMIC_DISPATCH(streamCopy)(destination, source, bytes);
}

void fenceStreams() {
  hwy::FlushStream();
}

void streamBytes(void* destination, const void* source, std::size_t bytes) {
  // Less is a line or two, where fencing costs more than it saves.
  constexpr std::size_t kWorthwhile = 1024;
  if (bytes < kWorthwhile) {
    std::memcpy(destination, source, bytes);
  } else {
    streamUnfenced(destination, source, bytes);
    fenceStreams();
  }
}

namespace {

/// What the system says of a cache, or else `assumed`.
std::size_t cacheBytes(int name, std::size_t assumed) {
  const long bytes = ::sysconf(name);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : assumed;
}

}  // namespace

std::size_t streamingThreshold() {
  // Half: source and destination together then fill the cache.
  static const std::size_t threshold = cacheBytes(_SC_LEVEL3_CACHE_SIZE, 16 << 20) / 2;
  return threshold;
}

std::size_t coreCacheBytes() {
  static const std::size_t bytes = cacheBytes(_SC_LEVEL2_CACHE_SIZE, 1 << 20);
  return bytes;
}

void copyBytes(void* destination, const void* source, std::size_t bytes) {
  if (bytes == 0) return;
  if (bytes > streamingThreshold()) {
    streamUnfenced(destination, source, bytes);
    fenceStreams();
  } else {
    std::memcpy(destination, source, bytes);
  }
}

}  // namespace atl::kernels
#endif
