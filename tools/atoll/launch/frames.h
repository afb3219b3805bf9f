// SPDX-License-Identifier: Apache-2.0
// The conversation between `atoll run` and its agents, one agent a host: typed frames over a pair of descriptors, which
// are a socket for this host's agent and ssh's pipes for the others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/base/types.h"
#include "src/base/unique_fd.h"

namespace atl::launch {

enum class FrameType : std::uint32_t {
  // to the agent
  start = 1,  ///< the job (job.h)
  input,      ///< of the launcher's standard input for rank 0; empty: the end of it
  tell,       ///< a line that rank 0 gave its launcher channel, for the other ranks
  signal,     ///< number of a signal for every rank, as text
  // from the agent
  output,      ///< of a rank's standard output
  errors,      ///< of a rank's standard error
  line,        ///< that rank 0 gave its launcher channel
  inputTaken,  ///< rank 0 has read what it was sent (or will read no more); the next piece may come
  exited,      ///< a rank ended: its wait status, as text
  notStarted,  ///< a rank, or the whole agent (kNoRank), could not start: why
};

struct Frame {
  FrameType type = FrameType::start;
  Rank rank = kNoRank;
  std::string payload;
};

inline constexpr std::size_t kMaxFrameBytes = std::size_t{8} << 20;

/// Both directions of one conversation, without blocking: frames queue until flush() finds room.
class FramePipe {
 public:
  /// Makes the descriptors non-blocking. They may be the same socket, in which case `out` is a duplicate.
  static Result<FramePipe> over(UniqueFd in, UniqueFd out);

  void send(FrameType type, Rank rank, std::string_view payload);
  /// Writes what the descriptor takes. An error means that the other side is gone.
  Status flush();
  /// Forgets what is queued, because nobody takes it any more.
  void dropQueued();
  [[nodiscard]] std::size_t queued() const { return outgoing_.size() - written_; }

  /// Reads what there is. False when the other side has closed.
  Result<bool> fill();
  /// The next whole frame, if there is one. A frame that is too long is an error.
  Result<std::optional<Frame>> next();

  [[nodiscard]] int inFd() const { return in_.get(); }
  [[nodiscard]] int outFd() const { return out_.get(); }

 private:
  UniqueFd in_;
  UniqueFd out_;
  std::string incoming_;
  std::size_t taken_ = 0;  ///< bytes of incoming_ that next() has given out
  std::string outgoing_;
  std::size_t written_ = 0;
};

}  // namespace atl::launch
