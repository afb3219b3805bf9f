// SPDX-License-Identifier: Apache-2.0
// Traffic over a message link: each end cuts the agreed messages into pieces of its own liking and keeps a few of them
// posted.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <thread>
#include <vector>

#include "src/base/clock.h"
#include "transports/link.h"

namespace atl::test {

/// The content of message `index` of a direction follows from its size, its index and the salt.
std::vector<std::byte> messageContent(std::size_t bytes, std::size_t index, unsigned salt);

/// One direction of one end.
template <class Piece>
class PieceStream {
 public:
  PieceStream(MessageLink& link, std::vector<std::size_t> sizes, unsigned salt, unsigned cutSeed)
      : link_(link), sizes_(std::move(sizes)), salt_(salt), random_(cutSeed) {}

  /// Posts what fits the window, and drops (checks) what is done. False once all messages are through.
  bool step();
  [[nodiscard]] bool complete() const { return next_ == sizes_.size() && entries_.empty(); }

 private:
  struct Entry {
    Piece piece;
    bool endsMessage = false;
  };
  void postOne();
  std::size_t cut(std::size_t left);

  MessageLink& link_;
  std::vector<std::size_t> sizes_;
  unsigned salt_;
  std::mt19937 random_;
  std::size_t next_ = 0;                        ///< message being posted
  std::size_t posted_ = 0;                      ///< bytes of it that have been
  bool midMessage_ = false;                     ///< its first piece has been
  std::size_t finished_ = 0;                    ///< messages through
  std::deque<Entry> entries_;                   ///< under way; a deque keeps them where they are
  std::deque<std::vector<std::byte>> buffers_;  ///< by message under way
};

/// One step of each, in one thread. False once both are through.
template <typename Out, typename In>
bool stepBoth(Out& out, In& in) {
  const bool sending = out.step();
  const bool receiving = in.step();
  return sending || receiving;
}

/// One end of traffic both ways: sends `sizesOut`, receives `sizesIn`, both at once, until all is through.
void runEnd(MessageLink& link, const std::vector<std::size_t>& sizesOut, const std::vector<std::size_t>& sizesIn,
            unsigned salt, unsigned peerSalt);

/// A message in one piece.
SendPiece sendWhole(const std::vector<std::byte>& data, const CallRecord& call = {});
ReceivePiece receiveWhole(std::vector<std::byte>& data, const CallRecord& call = {});

CallRecord callNumber(std::uint64_t sequence);

/// Polls until `until` holds or the link fails; the last answer. The deadline is a safety net only.
template <class Condition>
Result<bool> progressUntil(MessageLink& link, Condition until) {
  const auto deadline = Deadline::inSeconds(30);
  while (!until() && !deadline.passed()) {
    auto moved = link.progress();
    if (!moved.ok()) return moved;
    if (!*moved) std::this_thread::yield();
  }
  return until();
}

/// Sizes with every kind of edge in them, of about `total` bytes together.
std::vector<std::size_t> mixedSizes(unsigned seed, std::size_t largest, std::size_t total);

}  // namespace atl::test
