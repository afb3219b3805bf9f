// SPDX-License-Identifier: Apache-2.0
// UCX's functions as this transport calls them. The library is opened at run time, and only when a user names the
// transport: a machine without UCX runs Atoll, and one with it does not get UCX's signal handlers, memory hooks and
// service thread into programs that do not want it. Tests put functions of their own into a copy of the table.
#pragma once

#include <ucp/api/ucp.h>

#include <string>

#include "src/base/result.h"

namespace atl::ucx {

/// Named as in ucp.h, without the prefix.
struct Api {
  decltype(&::ucp_get_version_string) getVersionString = nullptr;
  decltype(&::ucp_config_read) configRead = nullptr;
  decltype(&::ucp_config_modify) configModify = nullptr;
  decltype(&::ucp_config_release) configRelease = nullptr;
  decltype(&::ucp_init_version) initVersion = nullptr;
  decltype(&::ucp_cleanup) cleanup = nullptr;
  decltype(&::ucp_worker_create) workerCreate = nullptr;
  decltype(&::ucp_worker_destroy) workerDestroy = nullptr;
  decltype(&::ucp_worker_get_address) workerGetAddress = nullptr;
  decltype(&::ucp_worker_release_address) workerReleaseAddress = nullptr;
  decltype(&::ucp_worker_get_efd) workerGetEfd = nullptr;
  decltype(&::ucp_worker_arm) workerArm = nullptr;
  decltype(&::ucp_worker_progress) workerProgress = nullptr;
  decltype(&::ucp_worker_set_am_recv_handler) workerSetAmRecvHandler = nullptr;
  decltype(&::ucp_ep_create) epCreate = nullptr;
  decltype(&::ucp_ep_close_nbx) epCloseNbx = nullptr;
  decltype(&::ucp_ep_print_info) epPrintInfo = nullptr;
  decltype(&::ucp_am_send_nbx) amSendNbx = nullptr;
  decltype(&::ucp_am_recv_data_nbx) amRecvDataNbx = nullptr;
  decltype(&::ucp_am_data_release) amDataRelease = nullptr;
  decltype(&::ucp_request_check_status) requestCheckStatus = nullptr;
  decltype(&::ucp_request_free) requestFree = nullptr;
  decltype(&::ucs_status_string) statusString = nullptr;
};

/// The library's, which is opened at the first call and stays open. The error says what is missing.
Result<const Api*> api();
/// For tests: from now on api() gives this table, until it is null. No context may be there.
void replaceApi(const Api* table);

/// "WHAT: UCX says: Input/output error".
Error failure(const Api& api, ErrorCode code, std::string_view what, ucs_status_t status);

}  // namespace atl::ucx
