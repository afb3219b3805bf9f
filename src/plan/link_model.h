// SPDX-License-Identifier: Apache-2.0
// What the use of a link costs: what a transport says of itself, and the cost model multiplies work with.
#pragma once

#include <cstdint>

namespace atl::plan {

/// Prices of one class of link: seconds, and seconds per byte. Defaults come from the transport; measurement overrides.
///
///   time = rounds·α + max(work of the busiest rank, work of all ranks / cores)
///   work = messages·μ + bytes·β + reduced·γ
///
/// A message link carries what goes to each peer by itself, in both directions at once, so its bytes are the larger of
/// sent and received, and dearer where several senders meet at one receiver. A memory link's bytes are moved by the
/// ranks' own cores: what is posted once is there for every receiver (π), and each receiver takes it (β).
struct LinkModel {
  double latency = 0;         ///< α: one message from post to use
  double perMessage = 0;      ///< μ: a further message posted or taken in the same round
  double perByte = 0;         ///< β: a byte through a port; of a memory link: a byte taken
  double perReducedByte = 0;  ///< γ

  bool memory = false;        ///< a memory link
  double perPostedByte = 0;   ///< π: a byte posted, however many will take it; memory links only
  std::uint64_t inlined = 0;  ///< messages up to so many bytes travel with their flag …
  double bulkLatency = 0;     ///< … and a round of larger ones takes so much more
  double untiled = 1;  ///< how much dearer bytes are to a plan that takes more than kCachedBytes in one pass: what it
                       ///< wrote has left the cache when it is read
  double incast = 0;   ///< how much dearer β, or a byte through an uplink, is where very many senders meet at one
                       ///< receiver; message links only
  double ranksPerCore = 1;  ///< at least 1: ranks that share a core, where cores are fewest

  static constexpr std::uint64_t kCachedBytes = 4 << 20;
};

}  // namespace atl::plan
