// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

#include "transports/link.h"
#include "transports/tcp/piece_queue.h"

namespace atl::tcp {
namespace {

ReceivePiece piece(std::byte* data, std::uint64_t bytes, bool first, std::uint64_t messageBytes) {
  ReceivePiece made;
  made.data = data;
  made.bytes = bytes;
  made.first = first;
  made.messageBytes = messageBytes;
  return made;
}

/// Where in `message` a connection's next batch lies, as (offset, bytes).
std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges(const Batch& batch, const std::byte* message) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
  for (std::size_t i = 0; i < batch.count; ++i) {
    const auto& part = batch.parts[i];
    found.emplace_back(static_cast<const std::byte*>(part.iov_base) - message, part.iov_len);
  }
  return found;
}

TEST(PieceQueue, BlocksTakeTurnsOnTheConnections) {
  const std::uint64_t bytes = 3 * kBlockBytes + 10;
  std::vector<std::byte> message(bytes);
  PieceQueue<ReceivePiece> queue(2);
  auto whole = piece(message.data(), bytes, true, bytes);
  queue.push(whole);
  using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  const auto even = queue.gather(0, bytes);
  const auto odd = queue.gather(1, bytes);
  EXPECT_EQ(ranges(even, message.data()), (Ranges{{0, kBlockBytes}, {2 * kBlockBytes, kBlockBytes}}));
  EXPECT_EQ(ranges(odd, message.data()), (Ranges{{kBlockBytes, kBlockBytes}, {3 * kBlockBytes, 10}}));
  EXPECT_TRUE(even.endsShare);
  EXPECT_TRUE(odd.endsShare);
}

TEST(PieceQueue, AMessageWithoutBytesIsDoneWithItsHeader) {
  PieceQueue<ReceivePiece> queue(2);
  auto empty = piece(nullptr, 0, true, 0);
  queue.push(empty);
  EXPECT_EQ(queue.headerWanted(), &empty);
  EXPECT_FALSE(queue.hasBytes(0));
  EXPECT_FALSE(queue.hasBytes(1));
  queue.retire();
  EXPECT_FALSE(empty.done);
  queue.headerMoved();
  EXPECT_EQ(queue.headerWanted(), nullptr);
  queue.retire();
  EXPECT_TRUE(empty.done);
  EXPECT_TRUE(queue.empty());
}

TEST(PieceQueue, AFirstPieceWithoutBytesWaitsForItsHeader) {
  std::vector<std::byte> message(100);
  PieceQueue<ReceivePiece> queue(1);
  auto opening = piece(nullptr, 0, true, 100);
  auto rest = piece(message.data(), 100, false, 0);
  queue.push(opening);
  queue.push(rest);
  EXPECT_EQ(queue.headerWanted(), &opening);
  queue.headerMoved();
  queue.advance(0, 100);
  queue.retire();
  EXPECT_TRUE(opening.done);
  EXPECT_TRUE(rest.done);
}

TEST(PieceQueue, PiecesAreDoneInOrder) {
  std::vector<std::byte> message(2 * kBlockBytes);
  PieceQueue<ReceivePiece> queue(2);
  auto a = piece(message.data(), kBlockBytes, true, 2 * kBlockBytes);
  auto b = piece(message.data() + kBlockBytes, kBlockBytes, false, 0);
  queue.push(a);
  queue.push(b);
  queue.headerMoved();
  queue.advance(1, kBlockBytes);
  queue.retire();
  EXPECT_FALSE(b.done);
  queue.advance(0, kBlockBytes);
  queue.retire();
  EXPECT_TRUE(a.done);
  EXPECT_TRUE(b.done);
}

TEST(PieceQueue, NothingBelongsToAConnectionWhoseBlocksTheMessageDoesNotReach) {
  std::vector<std::byte> small(100);
  std::vector<std::byte> large(2 * kBlockBytes);
  PieceQueue<ReceivePiece> queue(2);
  auto first = piece(small.data(), 100, true, 100);
  auto second = piece(large.data(), 2 * kBlockBytes, true, 2 * kBlockBytes);
  queue.push(first);
  EXPECT_FALSE(queue.hasBytes(1));
  queue.push(second);
  ASSERT_TRUE(queue.hasBytes(1));
  EXPECT_FALSE(queue.headerHasMoved(1));
  EXPECT_EQ(queue.gather(1, kBlockBytes).parts[0].iov_base, large.data() + kBlockBytes);
}

TEST(PieceQueue, EveryByteMovesOnceWhateverTheCutsAndTheOrder) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&random](std::uint64_t most) { return random() % (most + 1); };
    const int connections = 1 + static_cast<int>(pick(4));
    const std::uint64_t total = pick(6 * kBlockBytes);
    std::vector<std::byte> message(total);
    PieceQueue<ReceivePiece> queue(connections);
    std::deque<ReceivePiece> pieces;
    std::uint64_t posted = 0;
    int moves = 0;
    while ((posted < total || pieces.empty() || !pieces.back().done) && ++moves < 100000) {
      if ((posted < total || pieces.empty()) && pick(3) == 0) {
        const std::uint64_t bytes =
            std::min<std::uint64_t>(total - posted, pick(2) == 0 ? pick(1000) : pick(2 * kBlockBytes));
        pieces.push_back(piece(message.data() + posted, bytes, pieces.empty(), total));
        queue.push(pieces.back());
        posted += bytes;
      }
      if (queue.headerWanted() != nullptr && pick(3) == 0) queue.headerMoved();
      const auto connection = static_cast<std::size_t>(pick(static_cast<std::uint64_t>(connections) - 1));
      if (queue.hasBytes(connection) && queue.headerHasMoved(connection)) {
        const auto batch = queue.gather(connection, 1 + pick(3 * kBlockBytes));
        ASSERT_GT(batch.bytes, 0U);
        std::uint64_t moved = 1 + pick(batch.bytes - 1);
        queue.advance(connection, moved);
        for (std::size_t i = 0; i < batch.count && moved > 0; ++i) {
          const auto part = std::min<std::uint64_t>(moved, batch.parts[i].iov_len);
          auto* const at = static_cast<std::byte*>(batch.parts[i].iov_base);
          for (std::uint64_t b = 0; b < part; ++b) at[b] = static_cast<std::byte>(static_cast<int>(at[b]) + 1);
          moved -= part;
        }
      }
      queue.retire();
    }
    ASSERT_TRUE(queue.empty()) << "seed " << seed;
    ASSERT_EQ(std::count(message.begin(), message.end(), std::byte{1}), static_cast<std::ptrdiff_t>(total))
        << "seed " << seed;
  }
}

}  // namespace
}  // namespace atl::tcp
