// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/launch/job.h"

#include <nlohmann/json.hpp>

#include "atoll/atoll.h"

namespace atl::launch {

std::string encode(const HostJob& job) {
  const nlohmann::json json{{"version", ATOLL_VERSION_CODE},
                            {"command", job.command},
                            {"directory", job.directory},
                            {"environment", job.environment},
                            {"first", job.first},
                            {"count", job.count},
                            {"ranks", job.ranks},
                            {"grace", job.graceSeconds}};
  std::string bytes;
  nlohmann::json::to_cbor(json, bytes);
  return bytes;
}

Result<HostJob> decodeHostJob(std::string_view bytes) {
  const auto json = nlohmann::json::from_cbor(bytes, true, false);
  if (!json.is_object()) return makeError(ErrorCode::remoteError, "the job's description is not readable");
  try {
    if (const int version = json.at("version"); version != ATOLL_VERSION_CODE) {
      return makeError(ErrorCode::mismatch, "atoll on this host is of version {}, and the launcher's is {}",
                       ATOLL_VERSION_CODE, version);
    }
    HostJob job;
    json.at("command").get_to(job.command);
    json.at("directory").get_to(job.directory);
    json.at("environment").get_to(job.environment);
    json.at("first").get_to(job.first);
    json.at("count").get_to(job.count);
    json.at("ranks").get_to(job.ranks);
    json.at("grace").get_to(job.graceSeconds);
    if (job.command.empty() || job.first < 0 || job.count < 1 || job.count > job.ranks - job.first) {
      return makeError(ErrorCode::remoteError, "the job's description has no command or no ranks");
    }
    return job;
  } catch (const nlohmann::json::exception& problem) {
    return makeError(ErrorCode::remoteError, "the job's description is incomplete: {}", problem.what());
  }
}

}  // namespace atl::launch
