// SPDX-License-Identifier: Apache-2.0
// Diagnostics on standard error, by subject, off by default: ATOLL_DEBUG=info,plan,link (or "all").
// Warnings are always shown. A line reads `atoll HOST:PID [rank] subject: text`.
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "src/base/types.h"

namespace atl::log {

/// What a line is about; each is one name in ATOLL_DEBUG.
enum class Subject : unsigned { warn, info, plan, link, bootstrap, exec, topology };

/// True when lines on the subject are shown; cheap enough to guard the building of an expensive text.
bool enabled(Subject subject);

/// Writes one line at once (never torn between processes). `rank` may be kNoRank.
void write(Subject subject, Rank rank, std::string_view text);

/// log::line(Subject::link, rank, "to rank {} by {}", peer, transport)
template <class... Args>
void line(Subject subject, Rank rank, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(subject)) write(subject, rank, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  line(Subject::warn, kNoRank, format, std::forward<Args>(args)...);
}

}  // namespace atl::log
