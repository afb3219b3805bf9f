// SPDX-License-Identifier: Apache-2.0
// Where sends meet the operands that take them: the k-th send from a lane to a rank meets the k-th operand of that
// rank's lane from it.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace atl::plan {

/// One end of a message that waits for the other end.
struct MessageEnd {
  std::uint32_t strand = 0;  ///< whose
  std::uint32_t item = 0;    ///< which of its current round's sends, or operands
};

/// Holds the ends that still wait; memory goes with those, not with the pairs of ranks.
class Rendezvous {
 public:
  enum class End : std::uint8_t { send, take };

  /// Offers an end on the channel; gives the other end if it waits already.
  std::optional<MessageEnd> offer(std::uint64_t channel, End end, MessageEnd mine) {
    const auto [it, isNew] = queues_.try_emplace(channel);
    Queue& queue = it->second;
    if (!isNew && queue.waiting != end) {
      const std::uint32_t node = queue.head;
      const MessageEnd other = nodes_[node].end;
      queue.head = nodes_[node].next;
      nodes_[node].next = free_;
      free_ = node;
      if (queue.head == kNone) queues_.erase(it);
      return other;
    }
    const std::uint32_t node = newNode(mine);
    if (isNew) {
      queue = {end, node, node};
    } else {
      nodes_[queue.tail].next = node;
      queue.tail = node;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  struct Node {
    MessageEnd end;
    std::uint32_t next = kNone;
  };
  struct Queue {
    End waiting = End::send;
    std::uint32_t head = kNone;
    std::uint32_t tail = kNone;
  };

  std::uint32_t newNode(MessageEnd end) {
    if (free_ == kNone) {
      nodes_.push_back({end, kNone});
      return static_cast<std::uint32_t>(nodes_.size() - 1);
    }
    const std::uint32_t node = free_;
    free_ = nodes_[node].next;
    nodes_[node] = {end, kNone};
    return node;
  }

  std::unordered_map<std::uint64_t, Queue> queues_;
  std::vector<Node> nodes_;
  std::uint32_t free_ = kNone;
};

}  // namespace atl::plan
