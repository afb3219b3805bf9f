// SPDX-License-Identifier: Apache-2.0
#include "tests/transports/failing_ucx.h"

#include <fmt/format.h>

#include <map>
#include <stdexcept>

namespace atl::test {
namespace {

constexpr ucs_status_t kFailure = UCS_ERR_NO_RESOURCE;

/// The callbacks of UCX have no place for a pointer to it.
struct State {
  ucx::Api real;
  ucx::Api table;
  std::string failing;
  int which = 0;
  std::map<std::string, int> calls;
  std::map<std::string, int> held;
  ucp_worker_h worker = nullptr;  ///< any that is there
};
State state;

bool fails(const char* function) {
  return ++state.calls[function] == state.which && state.failing == function;
}

/// A request that UCX gave out is freed by whoever got it, if it is one.
ucs_status_ptr_t noted(ucs_status_ptr_t request) {
  if (UCS_PTR_IS_PTR(request)) ++state.held["requests"];
  return request;
}

ucs_status_t counted(ucs_status_t status, const char* what) {
  if (status == UCS_OK) ++state.held[what];
  return status;
}

ucs_status_t configRead(const char* prefix, const char* file, ucp_config_t** config) {
  return fails("configRead") ? kFailure : counted(state.real.configRead(prefix, file, config), "configurations");
}

ucs_status_t configModify(ucp_config_t* config, const char* name, const char* value) {
  return fails("configModify") ? kFailure : state.real.configModify(config, name, value);
}

void configRelease(ucp_config_t* config) {
  --state.held["configurations"];
  state.real.configRelease(config);
}

ucs_status_t initVersion(unsigned major, unsigned minor, const ucp_params_t* params, const ucp_config_t* config,
                         ucp_context_h* context) {
  if (fails("initVersion")) return kFailure;
  return counted(state.real.initVersion(major, minor, params, config, context), "contexts");
}

void cleanup(ucp_context_h context) {
  --state.held["contexts"];
  state.real.cleanup(context);
}

ucs_status_t workerCreate(ucp_context_h context, const ucp_worker_params_t* params, ucp_worker_h* worker) {
  if (fails("workerCreate")) return kFailure;
  const auto status = counted(state.real.workerCreate(context, params, worker), "workers");
  if (status == UCS_OK) state.worker = *worker;
  return status;
}

void workerDestroy(ucp_worker_h worker) {
  --state.held["workers"];
  state.real.workerDestroy(worker);
}

ucs_status_t workerGetAddress(ucp_worker_h worker, ucp_address_t** address, std::size_t* bytes) {
  if (fails("workerGetAddress")) return kFailure;
  return counted(state.real.workerGetAddress(worker, address, bytes), "addresses");
}

void workerReleaseAddress(ucp_worker_h worker, ucp_address_t* address) {
  --state.held["addresses"];
  state.real.workerReleaseAddress(worker, address);
}

ucs_status_t workerGetEfd(ucp_worker_h worker, int* descriptor) {
  return fails("workerGetEfd") ? kFailure : state.real.workerGetEfd(worker, descriptor);
}

ucs_status_t workerArm(ucp_worker_h worker) {
  return fails("workerArm") ? kFailure : state.real.workerArm(worker);
}

ucs_status_t setHandler(ucp_worker_h worker, const ucp_am_handler_param_t* param) {
  return fails("workerSetAmRecvHandler") ? kFailure : state.real.workerSetAmRecvHandler(worker, param);
}

ucs_status_t epCreate(ucp_worker_h worker, const ucp_ep_params_t* params, ucp_ep_h* endpoint) {
  return fails("epCreate") ? kFailure : counted(state.real.epCreate(worker, params, endpoint), "endpoints");
}

/// One that cannot be closed in order is gone all the same: what else should be done with it?
ucs_status_ptr_t epCloseNbx(ucp_ep_h endpoint, const ucp_request_param_t* param) {
  --state.held["endpoints"];
  const bool failing = fails("epCloseNbx");
  const ucs_status_ptr_t request = state.real.epCloseNbx(endpoint, param);
  if (!failing) return noted(request);
  if (UCS_PTR_IS_PTR(request)) {
    while (state.real.requestCheckStatus(request) == UCS_INPROGRESS) state.real.workerProgress(state.worker);
    state.real.requestFree(request);
  }
  return UCS_STATUS_PTR(kFailure);
}

ucs_status_ptr_t amSendNbx(ucp_ep_h endpoint, unsigned id, const void* header, std::size_t headerBytes,
                           const void* data, std::size_t bytes, const ucp_request_param_t* param) {
  if (fails("amSendNbx")) return UCS_STATUS_PTR(kFailure);
  return noted(state.real.amSendNbx(endpoint, id, header, headerBytes, data, bytes, param));
}

/// The description of what was to be received is UCX's again.
ucs_status_ptr_t amRecvDataNbx(ucp_worker_h worker, void* description, void* to, std::size_t bytes,
                               const ucp_request_param_t* param) {
  if (fails("amRecvDataNbx")) {
    state.real.amDataRelease(worker, description);
    return UCS_STATUS_PTR(kFailure);
  }
  return noted(state.real.amRecvDataNbx(worker, description, to, bytes, param));
}

/// What is over has failed.
ucs_status_t requestCheckStatus(void* request) {
  const auto status = state.real.requestCheckStatus(request);
  return status != UCS_INPROGRESS && fails("requestCheckStatus") ? kFailure : status;
}

void requestFree(void* request) {
  --state.held["requests"];
  state.real.requestFree(request);
}

}  // namespace

FailingUcx::FailingUcx(const std::string& function, int which) {
  const auto library = ucx::api();
  if (!library.ok()) throw std::runtime_error(library.error().text);
  state = {};
  state.real = state.table = **library;
  state.failing = function;
  state.which = which;
  ucx::Api& table = state.table;
  table.configRead = configRead;
  table.configModify = configModify;
  table.configRelease = configRelease;
  table.initVersion = initVersion;
  table.cleanup = cleanup;
  table.workerCreate = workerCreate;
  table.workerDestroy = workerDestroy;
  table.workerGetAddress = workerGetAddress;
  table.workerReleaseAddress = workerReleaseAddress;
  table.workerGetEfd = workerGetEfd;
  table.workerArm = workerArm;
  table.workerSetAmRecvHandler = setHandler;
  table.epCreate = epCreate;
  table.epCloseNbx = epCloseNbx;
  table.amSendNbx = amSendNbx;
  table.amRecvDataNbx = amRecvDataNbx;
  table.requestCheckStatus = requestCheckStatus;
  table.requestFree = requestFree;
  ucx::replaceApi(&table);
}

FailingUcx::~FailingUcx() {
  ucx::replaceApi(nullptr);
}

std::vector<std::string> FailingUcx::functions() {
  return {"configRead",        "configModify", "initVersion", "workerCreate",
          "workerGetAddress",  "workerGetEfd", "workerArm",   "workerSetAmRecvHandler",
          "epCreate",          "epCloseNbx",   "amSendNbx",   "amRecvDataNbx",
          "requestCheckStatus"};
}

int FailingUcx::calls() const {
  return state.calls[state.failing];
}

std::string FailingUcx::held() const {
  std::string text;
  for (const auto& [what, count] : state.held) {
    if (count != 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  }
  return text;
}

}  // namespace atl::test
