// SPDX-License-Identifier: Apache-2.0
// From atollConfig_t, of whatever version, to Settings.
#pragma once

#include <string>

#include "atoll/atoll.h"
#include "src/base/result.h"
#include "src/base/settings.h"

namespace atl::api {

/// What a communicator is made with.
struct Configuration {
  Settings settings;
  bool blocking = true;
  std::string name;
};

/// `config` (null: the default) over `base`, reading it only as far as its `size` says. Errors name the field and its
/// value.
Result<Configuration> configure(const atollConfig_t* config, Settings base);

/// The same over the environment's settings, without the transports that this process does not have.
Result<Configuration> configureFromEnvironment(const atollConfig_t* config);

}  // namespace atl::api
