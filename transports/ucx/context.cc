// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/context.h"

#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>

#include "src/base/log.h"

extern char** environ;  // NOLINT: POSIX names it so

namespace atl::ucx {
namespace {

/// "UCX_TLS=tcp UCX_NET_DEVICES=eth0", or that nothing is set.
std::string environmentOfUcx() {
  std::string text;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view setting(*variable);
    if (!setting.starts_with("UCX_")) continue;
    text += text.empty() ? "" : " ";
    text += setting;
  }
  return text.empty() ? "nothing set, so that UCX chooses" : text;
}

/// Whether UCX may use shared memory, as far as UCX_TLS says. UCX warns of settings for what it does not use.
bool mayShareMemory() {
  const char* const text = std::getenv("UCX_TLS");
  const std::string_view names = text == nullptr ? "all" : text;
  const auto has = [names](std::string_view name) { return names.find(name) != std::string_view::npos; };
  const bool all = has("shm") || has("sm") || has("mm");
  return names.starts_with('^') ? !all : all || has("posix") || has("sysv") || has("all");
}

/// UCX does not use shared memory for endpoints that report failures, unless it is told to. Who sets the variable has
/// the say.
void wantFailuresFromSharedMemory(const Api& api, ucp_config_t* config) {
  if (!mayShareMemory() || std::getenv("UCX_MM_ERROR_HANDLING") != nullptr) return;
  static_cast<void>(api.configModify(config, "MM_ERROR_HANDLING", "y"));
}

}  // namespace

Result<std::shared_ptr<Context>> Context::instance() {
  static std::mutex mutex;
  static std::weak_ptr<Context> shared;
  const std::scoped_lock lock(mutex);
  if (auto context = shared.lock()) return context;
  ATOLL_ASSIGN(auto context, create());
  shared = context;
  return context;
}

Result<std::shared_ptr<Context>> Context::create() {
  ATOLL_ASSIGN(const Api* const api, ucx::api());
  ucp_config_t* config = nullptr;
  if (const auto status = api->configRead(nullptr, nullptr, &config); status != UCS_OK) {
    return failure(*api, ErrorCode::invalidArgument, "the settings of UCX (UCX_…) cannot be read", status);
  }
  wantFailuresFromSharedMemory(*api, config);
  ucp_params_t params{};
  params.field_mask = UCP_PARAM_FIELD_FEATURES | UCP_PARAM_FIELD_MT_WORKERS_SHARED | UCP_PARAM_FIELD_NAME;
  params.features = UCP_FEATURE_AM | UCP_FEATURE_WAKEUP;
  params.mt_workers_shared = 1;  // ranks that are threads have a worker each
  params.name = "atoll";
  ucp_context_h handle = nullptr;
  const auto status = api->initVersion(UCP_API_MAJOR, UCP_API_MINOR, &params, config, &handle);
  api->configRelease(config);
  if (status != UCS_OK) {
    return failure(
        *api, ErrorCode::unsupported,
        fmt::format("UCX {} finds nothing that it can use ({})", api->getVersionString(), environmentOfUcx()), status);
  }
  static std::once_flag told;
  std::call_once(told, [api] {
    log::line(log::Subject::link, kNoRank, "UCX {}: {}", api->getVersionString(), environmentOfUcx());
  });
  return std::shared_ptr<Context>(new Context(*api, handle));
}

Context::~Context() {
  api_.cleanup(handle_);
}

}  // namespace atl::ucx
