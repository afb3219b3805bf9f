// SPDX-License-Identifier: Apache-2.0
#include "tests/transports/message_traffic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace atl::test {
namespace {

constexpr std::size_t kWindow = 5;  ///< pieces under way

CallRecord callOf(std::size_t index) {
  CallRecord call;
  call.sequence = index + 1;
  call.count = index * 3;
  return call;
}

}  // namespace

std::vector<std::byte> messageContent(std::size_t bytes, std::size_t index, unsigned salt) {
  std::vector<std::byte> data(bytes);
  std::mt19937_64 random(index * 1000 + salt);
  for (std::size_t at = 0; at < bytes; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = random();
    std::memcpy(data.data() + at, &word, std::min(sizeof word, bytes - at));
  }
  return data;
}

template <class Piece>
std::size_t PieceStream<Piece>::cut(std::size_t left) {
  switch (random_() % 4) {
    case 0: return left;
    case 1: return std::min<std::size_t>(left, random_() % 5000);
    default: return random_() % (left + 1);
  }
}

template <class Piece>
void PieceStream<Piece>::postOne() {
  constexpr bool sends = std::is_same_v<Piece, SendPiece>;
  const std::size_t bytes = sizes_[next_];
  if (!midMessage_) buffers_.push_back(sends ? messageContent(bytes, next_, salt_) : std::vector<std::byte>(bytes));
  auto& entry = entries_.emplace_back();
  entry.piece.data = buffers_.back().data() + posted_;
  entry.piece.bytes = cut(bytes - posted_);
  entry.piece.first = !midMessage_;
  entry.piece.messageBytes = bytes;
  entry.piece.call = callOf(next_);
  posted_ += entry.piece.bytes;
  midMessage_ = posted_ < bytes;
  entry.endsMessage = !midMessage_;
  if (!midMessage_) {
    ++next_;
    posted_ = 0;
  }
  link_.post(entry.piece);
}

template <class Piece>
bool PieceStream<Piece>::step() {
  while (!entries_.empty() && entries_.front().piece.done) {
    const bool endsMessage = entries_.front().endsMessage;
    entries_.pop_front();
    if (!endsMessage) continue;
    if constexpr (std::is_same_v<Piece, ReceivePiece>) {
      EXPECT_TRUE(buffers_.front() == messageContent(sizes_[finished_], finished_, salt_)) << "message " << finished_;
    }
    buffers_.pop_front();
    ++finished_;
  }
  while (next_ < sizes_.size() && entries_.size() < kWindow) postOne();
  return !complete();
}

template class PieceStream<SendPiece>;
template class PieceStream<ReceivePiece>;

SendPiece sendWhole(const std::vector<std::byte>& data, const CallRecord& call) {
  SendPiece piece;
  piece.data = data.data();
  piece.bytes = piece.messageBytes = data.size();
  piece.first = true;
  piece.call = call;
  return piece;
}

ReceivePiece receiveWhole(std::vector<std::byte>& data, const CallRecord& call) {
  ReceivePiece piece;
  piece.data = data.data();
  piece.bytes = piece.messageBytes = data.size();
  piece.first = true;
  piece.call = call;
  return piece;
}

CallRecord callNumber(std::uint64_t sequence) {
  CallRecord call;
  call.sequence = sequence;
  call.count = 64;
  call.collective = Collective::allGather;
  return call;
}

void runEnd(MessageLink& link, const std::vector<std::size_t>& sizesOut, const std::vector<std::size_t>& sizesIn,
            unsigned salt, unsigned peerSalt) {
  PieceStream<SendPiece> out(link, sizesOut, salt, salt * 7 + 1);
  PieceStream<ReceivePiece> in(link, sizesIn, peerSalt, salt * 11 + 2);
  const auto deadline = Deadline::inSeconds(120);
  bool sending = true;
  bool receiving = true;
  while ((sending || receiving) && !deadline.passed() && !testing::Test::HasFailure()) {
    sending = out.step();
    receiving = in.step();
    const auto moved = link.progress();
    ASSERT_TRUE(moved.ok()) << moved.error().text;
    if (!*moved) std::this_thread::yield();
  }
  EXPECT_TRUE(out.complete() && in.complete());
}

std::vector<std::size_t> mixedSizes(unsigned seed, std::size_t largest, std::size_t total) {
  constexpr std::size_t kBlock = 128 << 10;
  const std::size_t edges[] = {
      0, 1, 7, 8, 55, 56, 57, 4096, kBlock - 1, kBlock, kBlock + 1, 2 * kBlock, 3 * kBlock + 5};
  std::mt19937 random(seed);
  std::vector<std::size_t> sizes;
  for (std::size_t sum = 0; sum < total && sizes.size() < 300; sum += sizes.back()) {
    const bool edge = random() % 3 != 0;
    sizes.push_back(std::min(largest, edge ? edges[random() % std::size(edges)] : random() % (largest + 1)));
  }
  return sizes;
}

}  // namespace atl::test
