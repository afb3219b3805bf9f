// SPDX-License-Identifier: Apache-2.0
// How a chunk gets into a bounce slot: through this core's cache, or around it. Where the two cores share a
// cache, the reader finds in it what was just written; where they do not, it has to fetch line by line out of the other
// core's, which costs several times what memory does. Neither the machine's description nor its past tells which it is
// (virtual cores move), so it is measured as long as the link lives: a few messages are timed at both ends, now and
// then one that goes the other way.
#pragma once

#include <algorithm>
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
  std::uint8_t kind = 0;  ///< its class, copyClassOf()

  [[nodiscard]] std::uint32_t bits() const {
    return (streamed ? 1U : 0U) | (timed ? 2U : 0U) | static_cast<std::uint32_t>(kind) << 2;
  }
  /// As a peer wrote it: an unknown class counts as the last.
  static CopyMarks of(std::uint64_t flag) {
    const auto kind = std::min<std::uint64_t>(flag >> 2 & 7, kCopyClasses - 1);
    return {(flag & 1) != 0, (flag & 2) != 0, static_cast<std::uint8_t>(kind)};
  }
};

/// A time for so many bytes, in picoseconds per byte, joined to what is known: the least that was seen, which grows
/// slowly towards what is. So outliers (a core that was taken away, a page's first touch) count little. Never 0, which
/// means unknown.
std::uint32_t blendedCost(std::uint32_t known, Duration spent, std::size_t bytes);

/// The class, of kCopyClasses, that a message is in: what a clock's own time and a reader's prefetcher do to a short
/// one says nothing of a long one, nor does a call whose buffers stay in the cache of one where all else leaves it.
constexpr std::uint8_t copyClassOf(std::size_t bytes, bool beyondCache) {
  if (bytes <= 1024) return 0;
  if (bytes <= 4096) return 1;
  if (bytes <= 16 * 1024) return 2;
  return beyondCache ? 4 : 3;
}

/// The sending end.
class BounceCopier {
 public:
  /// So many messages of a class are timed at first, the two ways in turn: more than a rank has slots, whose pages are
  /// touched for the first time.
  static constexpr std::uint32_t kFirstTimed = 40;

  /// Has `write(streamed)` copy `bytes` into a slot, for a message on the link whose outgoing mailbox is `out`.
  template <typename Write>
  CopyMarks copy(std::size_t bytes, bool beyondCache, const Mailbox& out, Path stream, Write write) {
    const CopyMarks marks = choose(bytes, beyondCache, out, stream);
    if (!marks.timed) {
      write(marks.streamed);
      return marks;
    }
    const auto begin = Clock::now();
    write(marks.streamed);
    std::uint32_t& cost = known_[marks.kind].writeCost[marks.streamed ? 1 : 0];
    cost = blendedCost(cost, Clock::now() - begin, bytes);
    return marks;
  }

 private:
  /// What is known of a class.
  struct Known {
    std::uint32_t writeCost[2] = {0, 0};  ///< by way: cached, streamed
    std::uint32_t messages = 0;
  };
  CopyMarks choose(std::size_t bytes, bool beyondCache, const Mailbox& out, Path stream);

  Known known_[kCopyClasses];
};

/// The reading end: notes what the reading of `bytes` of a timed message cost, for the sender to see.
void noteReading(Mailbox& in, CopyMarks marks, Duration spent, std::size_t bytes);

}  // namespace atl::exec
