// SPDX-License-Identifier: Apache-2.0
// How a short chunk gets into a bounce slot: through this core's cache, or around it. Where the two cores share a
// cache, the reader finds in it what was just written; where they do not, it has to fetch line by line out of the other
// core's, which costs several times what memory does. Neither the machine's description nor its past tells which it is
// (virtual cores move), so it is measured as long as the link lives: a few messages are timed at both ends, now and
// then one that goes the other way.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/base/clock.h"
#include "src/base/paths.h"
#include "transports/link.h"

namespace atl::exec {

/// What a bounced message's flag says of its copy, in the bits of the inline length.
struct CopyMarks {
  bool streamed = false;  ///< around the cache
  bool timed = false;     ///< the reader is asked to time its reading

  [[nodiscard]] std::uint32_t bits() const { return (streamed ? 1U : 0U) | (timed ? 2U : 0U); }
  static CopyMarks of(std::uint64_t flag) { return {(flag & 1) != 0, (flag & 2) != 0}; }
};

/// A time for so many bytes, in picoseconds per byte, joined to what is known: the least that was seen, which grows
/// slowly towards what is. So outliers (a core that was taken away, a page's first touch) count little. Never 0, which
/// means unknown.
std::uint32_t blendedCost(std::uint32_t known, Duration spent, std::size_t bytes);

/// The class of sizes, of kCopyClasses, that a message is in: what a clock's own time and a reader's prefetcher do to a
/// short one says nothing of a long one.
constexpr std::size_t copyClassOf(std::size_t bytes) {
  return bytes <= 1024 ? 0 : bytes <= 4096 ? 1 : bytes <= 16 * 1024 ? 2 : 3;
}

/// The sending end. Chunks longer than kMostAdaptive always go around the cache: they would push too much out of it.
class BounceCopier {
 public:
  static constexpr std::size_t kMostAdaptive = 64 * 1024;
  /// So many messages of a class are timed at first, the two ways in turn: more than a rank has slots, whose pages are
  /// touched for the first time.
  static constexpr std::uint32_t kFirstTimed = 40;

  /// Copies into a slot, for a message on the link whose outgoing mailbox is `out`.
  CopyMarks copy(std::byte* slot, const std::byte* data, std::size_t bytes, const Mailbox& out,
                 Path stream = Path::automatic);

 private:
  /// What is known of a class.
  struct Known {
    std::uint32_t writeCost[2] = {0, 0};  ///< by way: cached, streamed
    std::uint32_t messages = 0;
  };
  static CopyMarks choose(Known& known, const std::atomic<std::uint32_t> (&readCost)[2]);

  Known known_[kCopyClasses];
};

/// The reading end: notes what the reading of a timed message cost, for the sender to see.
void noteReading(Mailbox& in, CopyMarks marks, Duration spent, std::size_t bytes);

}  // namespace atl::exec
