// SPDX-License-Identifier: Apache-2.0
// Which transports this build has. The list is written by CMake from the folders that are there (registry.cc.in).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "transports/transport.h"

namespace atl {

struct RegisteredTransport {
  std::string_view name;
  std::unique_ptr<Transport> (*make)(const TransportContext& context);
  /// Why this process cannot use it, or nothing; null: it can be used wherever it was built.
  std::string (*whyAbsent)();
};

std::span<const RegisteredTransport> registeredTransports();

}  // namespace atl
