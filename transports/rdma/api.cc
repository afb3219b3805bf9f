// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/api.h"

#include <dlfcn.h>

#include <cerrno>

namespace atl::rdma {
namespace {

constexpr const char* kLibrary = "libibverbs.so.1";

template <class Function>
Status resolve(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function != nullptr) return success();
  return makeError(ErrorCode::unsupported, "{} has no {}: it is older than this build can use (rdma-core 31)", kLibrary,
                   name);
}

Result<Api> load() {
  // Never closed: the drivers that it loads do not expect to be.
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    return makeError(ErrorCode::unsupported, "libibverbs (rdma-core) cannot be opened: {}", ::dlerror());
  }
  Api api;
  ATOLL_TRY(resolve(library, "ibv_get_device_list", api.getDeviceList));
  ATOLL_TRY(resolve(library, "ibv_free_device_list", api.freeDeviceList));
  ATOLL_TRY(resolve(library, "ibv_get_device_name", api.getDeviceName));
  ATOLL_TRY(resolve(library, "ibv_open_device", api.openDevice));
  ATOLL_TRY(resolve(library, "ibv_close_device", api.closeDevice));
  ATOLL_TRY(resolve(library, "ibv_query_device", api.queryDevice));
  ATOLL_TRY(resolve(library, "ibv_query_port", api.queryPort));
  ATOLL_TRY(resolve(library, "_ibv_query_gid_ex", api.queryGidEx));
  ATOLL_TRY(resolve(library, "ibv_alloc_pd", api.allocPd));
  ATOLL_TRY(resolve(library, "ibv_dealloc_pd", api.deallocPd));
  ATOLL_TRY(resolve(library, "ibv_reg_mr", api.regMr));
  ATOLL_TRY(resolve(library, "ibv_reg_mr_iova2", api.regMrIova2));
  ATOLL_TRY(resolve(library, "ibv_dereg_mr", api.deregMr));
  ATOLL_TRY(resolve(library, "ibv_create_comp_channel", api.createCompChannel));
  ATOLL_TRY(resolve(library, "ibv_destroy_comp_channel", api.destroyCompChannel));
  ATOLL_TRY(resolve(library, "ibv_create_cq", api.createCq));
  ATOLL_TRY(resolve(library, "ibv_destroy_cq", api.destroyCq));
  ATOLL_TRY(resolve(library, "ibv_get_cq_event", api.getCqEvent));
  ATOLL_TRY(resolve(library, "ibv_ack_cq_events", api.ackCqEvents));
  ATOLL_TRY(resolve(library, "ibv_create_srq", api.createSrq));
  ATOLL_TRY(resolve(library, "ibv_destroy_srq", api.destroySrq));
  ATOLL_TRY(resolve(library, "ibv_create_qp", api.createQp));
  ATOLL_TRY(resolve(library, "ibv_modify_qp", api.modifyQp));
  ATOLL_TRY(resolve(library, "ibv_destroy_qp", api.destroyQp));
  ATOLL_TRY(resolve(library, "ibv_create_ah", api.createAh));
  ATOLL_TRY(resolve(library, "ibv_destroy_ah", api.destroyAh));
  ATOLL_TRY(resolve(library, "ibv_get_async_event", api.getAsyncEvent));
  ATOLL_TRY(resolve(library, "ibv_ack_async_event", api.ackAsyncEvent));
  ATOLL_TRY(resolve(library, "ibv_wc_status_str", api.wcStatusStr));
  ATOLL_TRY(resolve(library, "ibv_port_state_str", api.portStateStr));
  return api;
}

}  // namespace

Result<const Api*> api() {
  static const Result<Api> loaded = load();
  if (!loaded.ok()) return loaded.error();
  return &*loaded;
}

Error failure(int errnoValue, std::string_view what) {
  if (errnoValue == ENOMEM) {
    return systemError(errnoValue, fmt::format("{} (is the limit of locked memory, ulimit -l, large enough?)", what));
  }
  return systemError(errnoValue, what);
}

}  // namespace atl::rdma
