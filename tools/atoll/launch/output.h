// SPDX-License-Identifier: Apache-2.0
// The ranks' output on its way to the terminal: whole lines, with the rank in front.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/types.h"

namespace atl::launch {

/// One of the launcher's own output streams. Never blocks: what the descriptor does not take waits in the queue, above
/// which the launcher stops listening to its agents.
class OutputStream {
 public:
  OutputStream(int fd, bool prefix, bool wholeLines) : fd_(fd), prefix_(prefix), wholeLines_(wholeLines) {}

  /// More bytes of a rank. A line is queued when it is complete; without whole lines, everything at once.
  void add(Rank rank, std::string_view bytes);
  /// The rank writes no more: its last line is queued even if it is not complete.
  void end(Rank rank);
  /// A line of the launcher's own.
  void note(std::string_view line);

  /// Writes a piece that the descriptor takes without blocking; call when poll says so. When nobody reads any more,
  /// output is dropped and `broken` says so.
  void writeSome();
  [[nodiscard]] std::size_t queued() const { return queue_.size() - written_; }
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  void queueLine(Rank rank, std::string_view line);

  int fd_;
  bool prefix_;
  bool wholeLines_;
  bool broken_ = false;
  std::map<Rank, std::string> begun_;  ///< lines without an end yet
  std::string queue_;
  std::size_t written_ = 0;
};

}  // namespace atl::launch
