// SPDX-License-Identifier: Apache-2.0
// The v-forms on real data: blocks of different sizes, an empty one among them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "src/comm/communicator.h"

namespace atl::test {

/// Runs an all-gather, a reduce-scatter and an all-to-all; every rank calls it.
inline Status runUnequalBlocks(Communicator& communicator) {
  const Rank ranks = communicator.ranks();
  const auto n = static_cast<std::size_t>(ranks);
  std::vector<std::size_t> counts;
  for (std::size_t i = 0; i < n; ++i) counts.push_back(i == 1 ? 0 : 37 * i + 5);
  const std::size_t total = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  const auto me = static_cast<std::size_t>(communicator.rank());
  Call call;
  call.vForm = true;
  call.type = DataType::int32;

  // All-gather-v, blocks in reverse order with a gap between them.
  std::vector<std::size_t> displs(n);
  std::size_t at = 0;
  for (std::size_t i = n; i-- > 0;) {
    displs[i] = at;
    at += counts[i] + 3;
  }
  std::vector<std::int32_t> mine(counts[me], static_cast<std::int32_t>(me));
  std::vector<std::int32_t> all(at, -1);
  call.collective = Collective::allGather;
  call.send = mine.data();
  call.recv = all.data();
  call.recvCounts = counts.data();
  call.recvDispls = displs.data();
  ATOLL_TRY(communicator.run(call));
  std::vector<std::int32_t> expected(at, -1);
  for (std::size_t i = 0; i < n; ++i) {
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(displs[i]), counts[i], static_cast<std::int32_t>(i));
  }
  EXPECT_EQ(all, expected);

  // Reduce-scatter-v of 0, 1, 2, … on every rank.
  std::vector<std::int32_t> in(total);
  std::iota(in.begin(), in.end(), 0);
  std::vector<std::int32_t> out(counts[me], -1);
  call.collective = Collective::reduceScatter;
  call.send = in.data();
  call.recv = out.data();
  call.sendCounts = counts.data();
  call.recvCounts = call.recvDispls = nullptr;
  ATOLL_TRY(communicator.run(call));
  const std::size_t before =
      std::accumulate(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(me), std::size_t{0});
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], static_cast<std::int32_t>(before + i) * ranks);

  // All-to-all-v: rank a sends (a + 2b) elements of value 100a + b to b.
  std::vector<std::size_t> sendCounts(n), sendDispls(n), recvCounts(n), recvDispls(n);
  std::vector<std::int32_t> outgoing;
  std::size_t incoming = 0;
  for (std::size_t b = 0; b < n; ++b) {
    sendCounts[b] = me + 2 * b;
    sendDispls[b] = outgoing.size();
    outgoing.insert(outgoing.end(), sendCounts[b], static_cast<std::int32_t>(100 * me + b));
    recvCounts[b] = b + 2 * me;
    recvDispls[b] = incoming;
    incoming += recvCounts[b];
  }
  std::vector<std::int32_t> received(incoming, -1);
  call.collective = Collective::allToAll;
  call.send = outgoing.data();
  call.recv = received.data();
  call.sendCounts = sendCounts.data();
  call.sendDispls = sendDispls.data();
  call.recvCounts = recvCounts.data();
  call.recvDispls = recvDispls.data();
  ATOLL_TRY(communicator.run(call));
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t i = 0; i < recvCounts[a]; ++i) {
      EXPECT_EQ(received[recvDispls[a] + i], static_cast<std::int32_t>(100 * a + me));
    }
  }
  return success();
}

}  // namespace atl::test
