// SPDX-License-Identifier: Apache-2.0
// A lowered plan whose every message is small (kSmallBytes): its steps written out in one list, with all that can be
// known beforehand, so that a small call costs little more than the stores and loads that it is about.
//
// What it does is what the actions do for inlined messages (send_action.h, combine_action.h), to the last bit: an error
// in one of the two is an error in both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/exec/host/program.h"
#include "src/exec/host/step_context.h"

namespace atl::exec {

class FlatProgram {
 public:
  /// Null where the program is not of this kind: several lanes or tiles, larger messages, scattered chunks, a link that
  /// is no memory link, or two messages of a round on one link. All links of the program must be there.
  static std::unique_ptr<FlatProgram> of(const Program& program);

  /// Stands before the first round of a call whose buffers are bound.
  void begin(const StepContext& context);
  /// Moves as far as it can; true if anything moved.
  Result<bool> progress(StepContext& context);

  [[nodiscard]] bool done() const { return round_ == rounds_.size(); }
  [[nodiscard]] std::size_t round() const { return round_; }
  void waitingFor(std::vector<const LinkEnd*>& peers) const;
  [[nodiscard]] std::size_t bytesHeld() const;

 private:
  /// A run of bytes in a buffer of the call.
  struct Place {
    Chunk chunk;
    std::ptrdiff_t offset = 0;  ///< from the buffer's beginning
    std::byte* data = nullptr;  ///< in the present call
    std::uint32_t bytes = 0;
  };
  struct Send {
    Place from;
    LinkEnd* link = nullptr;
    Label label;
    bool done = false;
  };
  struct Source {
    LinkEnd* link = nullptr;  ///< null: local
    Place place;
  };
  struct Combine {
    Place to;
    std::size_t firstSource = 0;
    std::size_t sources = 0;
    Label label;
    bool finish = false;
    bool done = false;
  };
  struct FlatRound {
    std::size_t sendsEnd = 0;  ///< a round's begin where the one before ends
    std::size_t combinesEnd = 0;
  };

  explicit FlatProgram(const Program& program);
  bool write();
  bool writeRound(const LoweredRound& round, std::int32_t repetition);
  bool writeSend(const LoweredStep& lowered, std::int32_t repetition);
  bool writeCombine(const LoweredStep& lowered, std::int32_t repetition);
  bool locate(const Chunk& chunk, Place& place) const;
  [[nodiscard]] std::byte* resolve(const Place& place) const;

  [[nodiscard]] static bool post(Send& send);
  Result<bool> take(Combine& combine, const StepContext& context);
  void fold(const Combine& combine, std::byte* to, std::uint32_t bytes, const StepContext& context);
  void enter();

  const Program& program_;
  bool pointToPoint_;  ///< the blocks lie wherever each operation says
  bool keepEmpty_;
  std::vector<Send> sends_;
  std::vector<Combine> combines_;
  std::vector<Source> sources_;
  std::vector<FlatRound> rounds_;
  std::vector<const void*> operands_;

  std::size_t round_ = 0;
  std::size_t firstSend_ = 0;
  std::size_t firstCombine_ = 0;
  std::size_t unfinished_ = 0;  ///< steps of the round
};

}  // namespace atl::exec
