// SPDX-License-Identifier: Apache-2.0
#include "src/api/plan_file.h"

#include <fstream>
#include <iterator>

#include "src/plan/serialize.h"

namespace atl::api {

Result<std::vector<Plan>> readPlanFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return systemError(errno, fmt::format("cannot open plan file {}", path));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return systemError(errno, fmt::format("cannot read plan file {}", path));
  auto family = plan::fromJson(text);
  if (!family.ok()) return std::move(family).error().within(fmt::format("plan file {}", path));
  if (family->empty()) return makeError(ErrorCode::invalidArgument, "plan file {} holds no plan", path);
  return family;
}

Status applyPlanSetting(Communicator& communicator) {
  const std::string& path = communicator.settings().planFile;
  if (path.empty()) return success();
  auto family = readPlanFile(path);
  if (!family.ok()) return std::move(family).error().within("ATOLL_PLAN_FILE");
  if (family->front().ranks != communicator.ranks()) return success();
  auto status = communicator.usePlan(*family);
  if (!status.ok()) return std::move(status).error().within(fmt::format("ATOLL_PLAN_FILE: plan file {}", path));
  return success();
}

}  // namespace atl::api
