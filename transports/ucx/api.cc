// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/api.h"

#include <dlfcn.h>

namespace atl::ucx {
namespace {

/// The name has stayed the same through all of UCX 1.x; ucp_init_version refuses a library older than the headers.
constexpr const char* kLibrary = "libucp.so.0";

template <class Function>
Status resolve(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function != nullptr) return success();
  return makeError(ErrorCode::unsupported, "{} has no {}: it is of a version that this build cannot use", kLibrary,
                   name);
}

const Api* replacement = nullptr;

Result<Api> load() {
  // Local: the names of its many symbols stay its own. Never closed: its hooks and handlers cannot be taken back.
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) return makeError(ErrorCode::unsupported, "UCX cannot be opened: {}", ::dlerror());
  Api api;
  ATOLL_TRY(resolve(library, "ucp_get_version_string", api.getVersionString));
  ATOLL_TRY(resolve(library, "ucp_config_read", api.configRead));
  ATOLL_TRY(resolve(library, "ucp_config_modify", api.configModify));
  ATOLL_TRY(resolve(library, "ucp_config_release", api.configRelease));
  ATOLL_TRY(resolve(library, "ucp_init_version", api.initVersion));
  ATOLL_TRY(resolve(library, "ucp_cleanup", api.cleanup));
  ATOLL_TRY(resolve(library, "ucp_worker_create", api.workerCreate));
  ATOLL_TRY(resolve(library, "ucp_worker_destroy", api.workerDestroy));
  ATOLL_TRY(resolve(library, "ucp_worker_get_address", api.workerGetAddress));
  ATOLL_TRY(resolve(library, "ucp_worker_release_address", api.workerReleaseAddress));
  ATOLL_TRY(resolve(library, "ucp_worker_get_efd", api.workerGetEfd));
  ATOLL_TRY(resolve(library, "ucp_worker_arm", api.workerArm));
  ATOLL_TRY(resolve(library, "ucp_worker_progress", api.workerProgress));
  ATOLL_TRY(resolve(library, "ucp_worker_set_am_recv_handler", api.workerSetAmRecvHandler));
  ATOLL_TRY(resolve(library, "ucp_ep_create", api.epCreate));
  ATOLL_TRY(resolve(library, "ucp_ep_close_nbx", api.epCloseNbx));
  ATOLL_TRY(resolve(library, "ucp_ep_print_info", api.epPrintInfo));
  ATOLL_TRY(resolve(library, "ucp_am_send_nbx", api.amSendNbx));
  ATOLL_TRY(resolve(library, "ucp_am_recv_data_nbx", api.amRecvDataNbx));
  ATOLL_TRY(resolve(library, "ucp_am_data_release", api.amDataRelease));
  ATOLL_TRY(resolve(library, "ucp_request_check_status", api.requestCheckStatus));
  ATOLL_TRY(resolve(library, "ucp_request_free", api.requestFree));
  ATOLL_TRY(resolve(library, "ucs_status_string", api.statusString));
  return api;
}

}  // namespace

void replaceApi(const Api* table) {
  replacement = table;
}

Result<const Api*> api() {
  if (replacement != nullptr) return replacement;
  static const Result<Api> loaded = load();
  if (!loaded.ok()) return loaded.error();
  return &*loaded;
}

Error failure(const Api& api, ErrorCode code, std::string_view what, ucs_status_t status) {
  return makeError(code, "{}: UCX says: {}", what, api.statusString(status));
}

}  // namespace atl::ucx
