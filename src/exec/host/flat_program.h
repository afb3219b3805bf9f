// SPDX-License-Identifier: Apache-2.0
// A lowered plan of short messages, written out as one list of things to do one after the other, with all that can be
// known beforehand, so that a small call costs little more than the stores and loads that it is about.
//
// Within a round the sends come first, then the combines, then the wait for readers of what was sent in place; nothing
// of it runs together. That cannot get stuck where the plan itself does not: a round has at most one message for a
// link, and a mailbox has room for one as soon as the peer has taken those of the rounds before, which the plan lets it
// do without this round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "src/base/settings.h"
#include "src/exec/host/incoming.h"
#include "src/exec/host/program.h"
#include "src/exec/host/step_context.h"

namespace atl::exec {

class FlatProgram {
 public:
  /// Null where the program is not of this kind: several lanes or tiles, longer messages, scattered chunks, a link that
  /// is no memory link, two messages of a round on one link, or more bouncing links than bounce slots. All links of the
  /// program must be there.
  static std::unique_ptr<FlatProgram> of(const Program& program, const Settings& settings);

  /// Whether it would copy into slots what peers could read in place, as the lanes of the program let them: the first
  /// such message of the call, whose buffers are bound, speaks for all.
  [[nodiscard]] bool copiesShareable() const;

  /// Stands before the first step of a call whose buffers are bound.
  void begin();
  /// Moves as far as it can; true if anything moved. An error stays: called again, it is found again.
  Result<bool> progress(StepContext& context);

  [[nodiscard]] bool done() const { return step_ == steps_.size(); }
  /// Where it stands; not when done.
  [[nodiscard]] std::uint32_t round() const { return steps_[step_].round; }
  void waitingFor(const LinkVisitor& visit) const;
  [[nodiscard]] std::size_t bytesHeld() const;

 private:
  /// A run of bytes in a buffer of the call.
  struct Place {
    Chunk chunk;
    std::ptrdiff_t offset = 0;  ///< from the buffer's beginning
    std::uint32_t bytes = 0;
  };
  struct Outgoing {
    LinkEnd* link = nullptr;
    bool inPlace = false;       ///< read out of this rank's buffer
    std::uint64_t message = 0;  ///< then: the message that must have been consumed; else 0
  };
  struct Source {
    LinkEnd* link = nullptr;  ///< null: local
    Place place;
    // Of the step under way:
    Window window;           ///< what can be read now
    std::size_t unseen = 0;  ///< what is still to come
    bool open = false;       ///< whether a message is still to come, be it an empty one
  };
  /// A message to another process that is copied into a slot.
  struct Copied {
    Place place;
    LinkEnd* to = nullptr;
  };
  struct FlatStep {
    enum class Kind : std::uint8_t { send, combine, settle };
    Kind kind = Kind::send;
    bool finish = false;
    std::uint32_t round = 0;
    Place place;              ///< what is sent, or made
    std::uint32_t first = 0;  ///< the part of outgoing_ (send, settle) or of sources_ (combine) that it is about
    std::uint32_t count = 0;
  };

  FlatProgram(const Program& program, const Settings& settings);
  bool write();
  bool writeRound(const LoweredRound& round, std::int32_t repetition, std::uint32_t number);
  bool writeSend(const LoweredStep& lowered, std::int32_t repetition, std::uint32_t round);
  bool writeCombine(const LoweredStep& lowered, std::int32_t repetition, std::uint32_t round);
  bool locate(const Chunk& chunk, Place& place) const;
  [[nodiscard]] std::byte* resolve(const Place& place) const;

  bool send(const FlatStep& step, StepContext& context);
  bool sendTo(Outgoing& out, const std::byte* data, std::size_t bytes, const Label& label, StepContext& context);
  bool sendInline(MemoryLink& link, const std::byte* data, std::size_t bytes, const Label& label);
  enum class Taken : std::uint8_t { notYet, yes, other };
  Taken takeSlots(const FlatStep& step, const Label& label, const StepContext& context);
  Result<bool> combine(const FlatStep& step, const StepContext& context);
  void enter(const FlatStep& step);
  Result<bool> look(Source& source, const Label& label, Rank me);
  void fold(const FlatStep& step, std::byte* to, std::size_t bytes, const StepContext& context);
  [[nodiscard]] bool settled(const FlatStep& step) const;

  const Program& program_;
  bool pointToPoint_;  ///< the blocks lie wherever each operation says
  bool keepEmpty_;
  bool mayShare_;          ///< shareable memory may be read in place
  std::size_t mostBytes_;  ///< of a message
  std::vector<FlatStep> steps_;
  std::vector<Outgoing> outgoing_;
  std::vector<Source> sources_;
  std::vector<const void*> operands_;
  std::optional<Copied> firstCopied_;

  // Where it stands: within the step, only the fields of its kind mean anything.
  std::size_t step_ = 0;
  bool moved_ = false;
  std::uint32_t served_ = 0;   ///< send: peers served
  std::byte* slot_ = nullptr;  ///< send: the bounce slot that holds the chunk
  CopyMarks marks_;            ///< send: and how it got there
  std::size_t inlined_ = 0;    ///< send: bytes gone to the present peer inside mailbox slots
  bool waited_ = false;        ///< combine: something was not there at the first look
  bool entered_ = false;       ///< combine: the sources are set up
  std::size_t folded_ = 0;     ///< combine: bytes done
};

}  // namespace atl::exec
