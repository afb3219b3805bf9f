// SPDX-License-Identifier: Apache-2.0
// What the plug-in says goes to NCCL's log, by the function that NCCL hands over.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "transports/ncclnet/abi.h"

namespace atl::netplugin {

/// Any thread. Null: nobody is told.
void setLogger(ncclnet::Logger logger);

void tell(ncclnet::LogLevel level, const std::string& text);

template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  tell(ncclnet::LogLevel::warn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void inform(fmt::format_string<Args...> format, Args&&... args) {
  tell(ncclnet::LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace atl::netplugin
