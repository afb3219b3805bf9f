// SPDX-License-Identifier: Apache-2.0
// A combine step under way: destination ← fold of chunks of mine and messages of peers, as far as all of them have
// arrived.
//
// Operands are streams of bytes: a local one is all there, a message arrives in windows (an inline payload, a bounce
// slot, the sender's own buffer, a staged piece of a message link). Each turn folds the longest prefix that every
// operand has, so arithmetic overlaps with what is still on its way, and reads peers' memory in place. A message that
// is the only operand comes over a message link straight into the destination.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "src/exec/chunk_cursor.h"
#include "src/exec/host/link_end.h"
#include "src/exec/host/step_context.h"

namespace atl::exec {

class SendAction;

class CombineAction {
 public:
  /// An operand with its repetition resolved: a chunk of mine, or the link of a peer.
  struct Source {
    Chunk chunk;
    LinkEnd* link = nullptr;  ///< null: local
  };

  /// What there is to know of the step besides its chunks.
  struct Traits {
    bool finish = false;
    bool lastTouch = false;    ///< this rank does not look at the destination again in this call
    bool offered = false;      ///< the only message may find its way to the destination by itself
    bool expectEmpty = false;  ///< a message of no bytes comes too
  };

  void begin(StepContext& context, const Chunk& destination, std::int32_t share, std::int32_t tile,
             std::span<const Source> sources, const Traits& traits, const TaggedCall* ownCall);

  /// The send of what is made here, to peers that `links` lead to and of whose messages it is number `messages`. Where
  /// all of those are among the sources and offered a place for it, they get it there.
  void feeds(SendAction& follower, std::span<LinkEnd* const> links, std::span<const std::int32_t> messages);

  Result<bool> progress(StepContext& context);
  [[nodiscard]] bool done() const { return done_; }
  /// Bytes of the destination.
  [[nodiscard]] std::size_t bytes() const { return total_; }
  /// Bytes of the destination that are final, from its start.
  [[nodiscard]] std::size_t produced() const { return total_ - destination_.remaining(); }
  void waitingFor(const LinkVisitor& visit) const;

 private:
  /// Pieces of a straight receive, unless the link suits larger ones: what has come can be forwarded while the rest is
  /// on its way.
  static constexpr std::size_t kStraightBytes = 256 * 1024;

  /// One operand's stream.
  struct Incoming {
    LinkEnd* link = nullptr;
    std::uint64_t ticket = 0;
    ChunkCursor cursor;      ///< local operands; of a straight receive, where the next piece goes
    std::size_t unseen = 0;  ///< message bytes not yet in a window
    const std::byte* window = nullptr;
    std::size_t windowBytes = 0;
    CopyMarks marks;             ///< of the message that the window shows
    std::byte* offer = nullptr;  ///< where the peer wants the result for what the window holds …
    std::uint64_t answer = 0;    ///< … as this message of mine
    bool holdsMail = false;      ///< the window is a mailbox message, to be released
    bool begun = false;          ///< the message's first part is here, or its first piece is posted
    bool finished = false;
    ReceivePiece pieces[2];  ///< message links: taken alternately, so that one is under way while the other is used
    std::unique_ptr<std::byte[]> stage;
    std::size_t staged = 0;   ///< bytes of a piece in the stage, which has room for two
    std::size_t stageOf = 0;  ///< what it has room for
    std::size_t unposted = 0;
    int posted = 0;  ///< pieces posted so far
    int taken = 0;   ///< pieces whose window was opened, or which are in their place
  };

  Result<bool> fill(StepContext& context, Incoming& in);
  Result<bool> fillFromMail(StepContext& context, Incoming& in);
  bool fillFromStage(Incoming& in);
  void postStage(Incoming& in);
  void consume(Incoming& in, std::size_t bytes);
  void finishStream(Incoming& in);
  Result<bool> receiveStraight(StepContext& context);
  bool foldAvailable(StepContext& context);
  void fold(StepContext& context, std::size_t bytes);
  bool findPlaces(const StepContext& context);

  std::vector<Incoming> incoming_;
  std::vector<const void*> operands_;
  std::size_t active_ = 0;
  ChunkCursor destination_;
  std::size_t total_ = 0;
  Traits traits_;
  bool streamed_ = false;  ///< written around the cache
  bool straight_ = false;  ///< the single operand is a message over a message link
  bool done_ = true;
  TaggedCall call_;
  std::uint64_t tag_ = 0;

  /// A peer that the result goes to next.
  struct Recipient {
    std::size_t source;    ///< among incoming_
    std::uint64_t answer;  ///< the number of the message that it goes by
  };
  SendAction* follower_ = nullptr;  ///< null where it is not known that all its peers are sources
  std::vector<Recipient> recipients_;
  std::vector<std::byte*> places_;
};

}  // namespace atl::exec
