// SPDX-License-Identifier: Apache-2.0
#include "src/api/config.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <optional>

#include "transports/transport.h"

namespace atl::api {
namespace {

/// No version of the structure will be larger: a size beyond this is an uninitialised structure.
constexpr std::size_t kSaneSize = 4096;

Error badField(const char* field, const std::string& value, const char* wanted) {
  return makeError(ErrorCode::invalidArgument, "argument config has {} {}; it must be {}", field, value, wanted);
}

Result<std::optional<bool>> readSwitch(const char* field, int value) {
  if (value == ATOLL_CONFIG_UNDEF_INT) return std::optional<bool>();
  if (value != 0 && value != 1) return badField(field, fmt::to_string(value), "0, 1 or ATOLL_CONFIG_UNDEF_INT");
  return std::optional<bool>(value == 1);
}

Status readSeconds(const char* field, double value, double& setting) {
  if (!std::isfinite(value)) return badField(field, fmt::to_string(value), "a number of seconds, 0 or negative");
  if (value >= 0) setting = value;
  return success();
}

void readText(const char* value, std::string& setting) {
  if (value != nullptr) setting = value;
}

}  // namespace

Result<Configuration> configure(const atollConfig_t* config, Settings base) {
  Configuration result;
  result.settings = std::move(base);
  if (config == nullptr) return result;

  std::size_t size = 0;
  std::memcpy(&size, &config->size, sizeof size);
  if (size < offsetof(atollConfig_t, blocking) || size > kSaneSize) {
    return badField("size", fmt::to_string(size), "set by ATOLL_CONFIG_INITIALIZER");
  }
  atollConfig_t known = ATOLL_CONFIG_INITIALIZER;
  std::memcpy(&known, config, std::min(size, sizeof known));
  if (known.version == 0) return badField("version", "0", "set by ATOLL_CONFIG_INITIALIZER");

  ATOLL_ASSIGN(const auto blocking, readSwitch("blocking", known.blocking));
  ATOLL_ASSIGN(const auto checkCalls, readSwitch("checkCalls", known.checkCalls));
  ATOLL_TRY(readSeconds("timeout", known.timeout, result.settings.timeoutSeconds));
  ATOLL_TRY(readSeconds("bootstrapTimeout", known.bootstrapTimeout, result.settings.bootstrapTimeoutSeconds));
  result.blocking = blocking.value_or(true);
  result.settings.checkCalls = checkCalls.value_or(result.settings.checkCalls);
  readText(known.algorithms, result.settings.algorithms);
  readText(known.transports, result.settings.transports);
  readText(known.interfaces, result.settings.interfaces);
  readText(known.name, result.name);
  if (known.device != ATOLL_CONFIG_UNDEF_INT) {
    if (known.device < -1) return badField("device", fmt::to_string(known.device), "a device's number, or -1");
    result.settings.device = known.device;
  }
  return result;
}

Result<Configuration> configureFromEnvironment(const atollConfig_t* config) {
  ATOLL_ASSIGN(Settings settings, Settings::fromEnvironment());
  ATOLL_ASSIGN(auto configuration, configure(config, std::move(settings)));
  ATOLL_ASSIGN(configuration.settings.transports, transportsAtHand(configuration.settings.transports));
  return configuration;
}

}  // namespace atl::api
