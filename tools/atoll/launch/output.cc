// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/launch/output.h"

#include <fmt/format.h>
#include <limits.h>  // NOLINT(modernize-deprecated-headers): PIPE_BUF is POSIX's
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace atl::launch {
namespace {

/// A line this long is cut, so that a program that writes no line ends cannot fill the launcher's memory.
constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;

}  // namespace

void OutputStream::queueLine(Rank rank, std::string_view line) {
  if (broken_) return;
  if (written_ == queue_.size()) {
    queue_.clear();
    written_ = 0;
  }
  if (prefix_) fmt::format_to(std::back_inserter(queue_), "[{}] ", rank);
  queue_ += line;
}

void OutputStream::add(Rank rank, std::string_view bytes) {
  if (!wholeLines_) {
    queueLine(rank, bytes);
    return;
  }
  std::string& begun = begun_[rank];
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end == std::string_view::npos ? bytes.size() : end + 1);
    begun += piece;
    bytes.remove_prefix(piece.size());
    if (end == std::string_view::npos && begun.size() < kMaxLineBytes) continue;
    if (end == std::string_view::npos) begun += '\n';
    queueLine(rank, begun);
    begun.clear();
  }
}

void OutputStream::end(Rank rank) {
  const auto found = begun_.find(rank);
  if (found == begun_.end()) return;
  if (!found->second.empty()) queueLine(rank, found->second + '\n');
  begun_.erase(found);
}

void OutputStream::note(std::string_view line) {
  queue_ += line;
  queue_ += '\n';
}

void OutputStream::writeSome() {
  // A descriptor that poll calls writable takes this much without blocking; it may be shared with programs that would
  // not like to find it non-blocking.
  const std::size_t bytes = std::min<std::size_t>(queued(), PIPE_BUF);
  const auto sent = ::write(fd_, queue_.data() + written_, bytes);
  if (sent > 0) written_ += static_cast<std::size_t>(sent);
  if (sent < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
    broken_ = true;
    queue_.clear();
    written_ = 0;
  }
}

}  // namespace atl::launch
