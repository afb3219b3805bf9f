// SPDX-License-Identifier: Apache-2.0
#include "src/api/plan_file.h"

#include "src/base/text_file.h"
#include "src/plan/serialize.h"

namespace atl::api {

Result<std::vector<Plan>> readPlanFile(const std::string& path) {
  const std::string name = fmt::format("plan file {}", path);
  ATOLL_ASSIGN(const std::string text, readTextFile(path, name));
  auto family = plan::fromJson(text);
  if (!family.ok()) return std::move(family).error().within(name);
  if (family->empty()) return makeError(ErrorCode::invalidArgument, "{} holds no plan", name);
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
