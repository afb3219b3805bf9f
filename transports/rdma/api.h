// SPDX-License-Identifier: Apache-2.0
// libibverbs's functions as this transport calls them. The library is opened at run time: a machine without rdma-core
// runs Atoll. What verbs.h defines inline (ibv_post_send, ibv_poll_cq, …) calls the device's driver through the
// context, and needs no library.
#pragma once

#include <infiniband/verbs.h>

#include <string_view>

#include "src/base/result.h"

namespace atl::rdma {

/// Named as in verbs.h, without the prefix.
struct Api {
  decltype(&::ibv_get_device_list) getDeviceList = nullptr;
  decltype(&::ibv_free_device_list) freeDeviceList = nullptr;
  decltype(&::ibv_get_device_name) getDeviceName = nullptr;
  decltype(&::ibv_open_device) openDevice = nullptr;
  decltype(&::ibv_close_device) closeDevice = nullptr;
  decltype(&::ibv_query_device) queryDevice = nullptr;
  /// As the library exports it: verbs.h has a macro of this name that needs the library linked.
  int (*queryPort)(ibv_context*, std::uint8_t, _compat_ibv_port_attr*) = nullptr;
  decltype(&::_ibv_query_gid_ex) queryGidEx = nullptr;
  decltype(&::ibv_alloc_pd) allocPd = nullptr;
  decltype(&::ibv_dealloc_pd) deallocPd = nullptr;
  ibv_mr* (*regMr)(ibv_pd*, void*, std::size_t, int) = nullptr;
  decltype(&::ibv_reg_mr_iova2) regMrIova2 = nullptr;
  decltype(&::ibv_dereg_mr) deregMr = nullptr;
  decltype(&::ibv_create_comp_channel) createCompChannel = nullptr;
  decltype(&::ibv_destroy_comp_channel) destroyCompChannel = nullptr;
  decltype(&::ibv_create_cq) createCq = nullptr;
  decltype(&::ibv_destroy_cq) destroyCq = nullptr;
  decltype(&::ibv_get_cq_event) getCqEvent = nullptr;
  decltype(&::ibv_ack_cq_events) ackCqEvents = nullptr;
  decltype(&::ibv_create_srq) createSrq = nullptr;
  decltype(&::ibv_destroy_srq) destroySrq = nullptr;
  decltype(&::ibv_create_qp) createQp = nullptr;
  decltype(&::ibv_modify_qp) modifyQp = nullptr;
  decltype(&::ibv_destroy_qp) destroyQp = nullptr;
  decltype(&::ibv_create_ah) createAh = nullptr;
  decltype(&::ibv_destroy_ah) destroyAh = nullptr;
  decltype(&::ibv_get_async_event) getAsyncEvent = nullptr;
  decltype(&::ibv_ack_async_event) ackAsyncEvent = nullptr;
  decltype(&::ibv_wc_status_str) wcStatusStr = nullptr;
  decltype(&::ibv_port_state_str) portStateStr = nullptr;
};

/// The library's, which is opened at the first call and stays open. The error says what is missing.
Result<const Api*> api();

/// "WHAT: Cannot allocate memory", for a verb that set errno or returned it.
Error failure(int errnoValue, std::string_view what);

}  // namespace atl::rdma
