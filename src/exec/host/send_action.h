// SPDX-License-Identifier: Apache-2.0
// A send step under way: one chunk to one or more peers, each over whatever link it has.
//
//   same process        the peer reads my buffer; done when it has
//   shareable memory    likewise, in the peer's own mapping of it
//   the peer's offer    already there: its feeder wrote it to the place that the peer offered (see deliveries.h)
//   memory, other       copied once into a slot of the Outbox, which all peers at the same point of the chunk read
//   small, any memory   inside mailbox slots
//   message link        posted from my buffer
//
// Peers advance independently: one that is late holds up no other. Slots are shared by all of a rank's links, though,
// and late peers could in principle hold every slot while a peer that they wait for needs one. When nothing at all has
// moved for long
// (`StepContext::starving`), the chunk trickles inside mailbox slots, of which every link has its own: slow, but never
// stuck.
//
// A send may begin while the combine that produces its chunk is still under way (its feeder): what is ready goes on at
// once, out of a warm cache. This is the fused receive-reduce-send, for every kind of link.
#pragma once

#include <poll.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "src/exec/chunk_cursor.h"
#include "src/exec/host/combine_action.h"
#include "src/exec/host/link_end.h"
#include "src/exec/host/program.h"
#include "src/exec/host/step_context.h"

namespace atl::exec {

class SendAction {
 public:
  /// Begins to send `chunk` over `links`. An empty chunk is announced only if `announceEmpty`.
  void begin(StepContext& context, const Chunk& chunk, std::int32_t share, std::int32_t tile,
             std::span<LinkEnd* const> links, bool announceEmpty, const TaggedCall* ownCall,
             const std::optional<Offer>& offer, const CombineAction* feeder = nullptr);
  /// The feeder is done and will be used for something else.
  void fed() { feeder_ = nullptr; }

  /// For the feeder: whether what comes after the first `produced` bytes may be delivered to all peers.
  [[nodiscard]] bool canDeliver(std::size_t produced) const;
  /// The next `bytes` have been.
  void delivered(std::size_t bytes);

  /// Moves what can move; returns whether anything did. done() tells the rest.
  Result<bool> progress(StepContext& context);
  [[nodiscard]] bool done() const { return unfinished_ == 0; }

  /// The peers not yet served.
  void waitingFor(const LinkVisitor& visit) const;

 private:
  /// How a peer gets the chunk.
  enum class Way : std::uint8_t { message, inlined, direct, shared, bounced };

  /// The state for one peer.
  struct Outgoing {
    LinkEnd* link = nullptr;
    Way way = Way::message;
    std::uint64_t ticket = 0;
    ChunkCursor cursor;
    SendPiece piece;                ///< message links
    std::uint64_t lastMessage = 0;  ///< read in place: the message whose consumption ends the send
    bool announced = false;         ///< the first message is posted
    bool posted = false;            ///< everything is posted
    bool finished = false;
  };

  ChunkCursor together(const ChunkCursor& chunk);
  [[nodiscard]] Way wayTo(const StepContext& context, MemoryLink& link, const ChunkCursor& chunk) const;
  [[nodiscard]] std::size_t ready(const Outgoing& out, std::size_t wanted) const;
  bool progressMessage(Outgoing& out);
  bool progressInPlace(Outgoing& out);
  bool progressInline(Outgoing& out);
  bool progressBounced(StepContext& context);
  void finish(Outgoing& out);
  void announceCall(Outgoing& out);
  void allPosted(Outgoing& out);

  std::vector<Outgoing> outgoing_;   ///< grows to the largest peer set seen, and stays
  std::vector<std::byte> gathered_;  ///< a scattered chunk's bytes for message links; empty until there is one
  std::size_t active_ = 0;           ///< of outgoing_, those of the present step
  std::size_t unfinished_ = 0;
  std::size_t total_ = 0;
  std::size_t bouncing_ = 0;  ///< unfinished peers that are served through the Outbox
  const CombineAction* feeder_ = nullptr;
  std::byte* offer_ = nullptr;      ///< place for the peer's answer, of total_ bytes; null: none
  std::uint64_t answer_ = 0;        ///< which message that is
  std::size_t leastForwarded_ = 0;  ///< bytes of the feeder's that are worth a message
  std::uint64_t tag_ = 0;
  TaggedCall call_;
};

}  // namespace atl::exec
