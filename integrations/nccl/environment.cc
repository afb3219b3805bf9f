// SPDX-License-Identifier: Apache-2.0
#include "integrations/nccl/environment.h"

#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>

#include "src/base/log.h"

namespace atl::nccl {
namespace {

constexpr const char* kInterfaces = "NCCL_SOCKET_IFNAME";
constexpr const char* kDebug = "NCCL_DEBUG";

void name() {
  std::string ignored;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view variable = std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
    if (!variable.starts_with("NCCL_") || variable == kInterfaces || variable == kDebug) continue;
    ignored += ignored.empty() ? "" : ", ";
    ignored += variable;
  }
  if (ignored.empty()) return;
  const auto subject = std::getenv(kDebug) != nullptr ? log::Subject::warn : log::Subject::info;
  log::line(subject, kNoRank, "without effect on Atoll, whose settings begin with ATOLL_: {}", ignored);
}

}  // namespace

const char* interfaces() {
  return std::getenv("ATOLL_SOCKET_IFNAME") != nullptr ? nullptr : std::getenv(kInterfaces);
}

void nameIgnored() {
  static std::once_flag named;
  std::call_once(named, name);
}

}  // namespace atl::nccl
