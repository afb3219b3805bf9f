// SPDX-License-Identifier: Apache-2.0
// Adapters: finding, opening and asking them.
#include <algorithm>
#include <cstring>

#include "tests/fakeverbs/runtime/calls.h"
#include "tests/fakeverbs/runtime/engine.h"
#include "tests/fakeverbs/runtime/posting.h"

#undef ibv_query_port

namespace fakeverbs {
namespace {

ibv_mtu mtuOf(int bytes) {
  int size = IBV_MTU_256;
  while (size < IBV_MTU_4096 && (128 << (size + 1)) <= bytes) ++size;
  return static_cast<ibv_mtu>(size);
}

/// Null when there is no such port, or the adapter is gone.
Port* usablePort(World& all, ibv_context* handle, unsigned number, int& error) {
  Context* const context = all.contexts.find(handle);
  error = EINVAL;
  if (context == nullptr || number < 1 || number > context->home->ports.size()) return nullptr;
  error = EIO;
  return context->home->lost ? nullptr : &context->home->ports[number - 1];
}

void describe(const Limits& limits, const Device& device, ibv_device_attr& facts) {
  facts = {};
  std::strcpy(facts.fw_ver, "0.0.0");
  facts.node_guid = htobe64(0xfa4e000000000000 + std::hash<std::string>{}(device.setting.name) % 0xffffffff);
  facts.sys_image_guid = facts.node_guid;
  facts.max_mr_size = UINT64_MAX;
  facts.page_size_cap = 0xfffffffffffff000;
  facts.max_qp = limits.queuePairs;
  facts.max_qp_wr = limits.workRequests;
  facts.device_cap_flags = IBV_DEVICE_PORT_ACTIVE_EVENT | IBV_DEVICE_RC_RNR_NAK_GEN | IBV_DEVICE_SYS_IMAGE_GUID;
  facts.max_sge = limits.sges;
  facts.max_sge_rd = limits.sges;
  facts.max_cq = 65536;
  facts.max_cqe = limits.entries;
  facts.max_mr = 1 << 20;
  facts.max_pd = 65536;
  facts.max_qp_rd_atom = 16;
  facts.max_res_rd_atom = 16 * limits.queuePairs;
  facts.max_qp_init_rd_atom = 16;
  facts.atomic_cap = IBV_ATOMIC_NONE;
  facts.max_ah = 65536;
  facts.max_srq = 65536;
  facts.max_srq_wr = limits.workRequests;
  facts.max_srq_sge = limits.sges;
  facts.max_pkeys = 1;
  facts.phys_port_cnt = static_cast<std::uint8_t>(device.ports.size());
}

}  // namespace
}  // namespace fakeverbs

using namespace fakeverbs;

extern "C" {

ibv_device** ibv_get_device_list(int* count) {
  static Verb& verb = verbNamed(__func__);
  return create(verb, [&](World& all, int& /*error*/) {
    auto** const list = new ibv_device*[all.devices.size() + 1]();
    int there = 0;
    for (const auto& device : all.devices) {
      if (!device->lost) list[there++] = device.get();
    }
    if (count != nullptr) *count = there;
    all.lists.insert(list);
    return list;
  });
}

void ibv_free_device_list(ibv_device** list) {
  World& all = world();
  const Lock lock(all);
  if (all.lists.erase(list) != 0) {
    delete[] list;
  } else {
    reportFailure("a list of adapters was freed that is none");
  }
}

const char* ibv_get_device_name(ibv_device* device) {
  return device == nullptr ? nullptr : device->name;
}

ibv_context* ibv_open_device(ibv_device* handle) {
  static Verb& verb = verbNamed(__func__);
  return create(verb, [&](World& all, int& error) -> ibv_context* {
    const auto found = std::find_if(all.devices.begin(), all.devices.end(),
                                    [&](const std::unique_ptr<Device>& one) { return one.get() == handle; });
    if (found == all.devices.end()) return nullptr;
    error = EIO;
    if ((*found)->lost) return nullptr;
    auto context = std::make_unique<Context>();
    context->device = handle;
    context->home = found->get();
    context->ops.poll_cq = pollCompletionQueue;
    context->ops.req_notify_cq = requestNotification;
    context->ops.post_send = postSend;
    context->ops.post_recv = postReceive;
    context->ops.post_srq_recv = postSharedReceive;
    context->cmd_fd = -1;
    context->async_fd = context->events.descriptor();
    context->num_comp_vectors = context->home->setting.limits.completionVectors;
    startEngine(all);
    return all.contexts.add(std::move(context));
  });
}

int ibv_close_device(ibv_context* handle) {
  static Verb& verb = verbNamed(__func__);
  const int error = call(verb, [&](World& all) {
    Context* const context = all.contexts.find(handle);
    if (context == nullptr) return EINVAL;
    if (context->users > 0) {
      // The real one closes and leaves the objects without an adapter. No program means that.
      reportFailure("an adapter was closed with " + std::to_string(context->users) + " objects in it");
      return EBUSY;
    }
    all.contexts.remove(context);
    return 0;
  });
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int ibv_query_device(ibv_context* handle, ibv_device_attr* facts) {
  static Verb& verb = verbNamed(__func__);
  return call(verb, [&](World& all) {
    const Context* const context = all.contexts.find(handle);
    if (context == nullptr) return EINVAL;
    if (context->home->lost) return EIO;
    describe(context->home->setting.limits, *context->home, *facts);
    return 0;
  });
}

int ibv_query_port(ibv_context* handle, std::uint8_t number, _compat_ibv_port_attr* compatible) {
  static Verb& verb = verbNamed(__func__);
  return call(verb, [&](World& all) {
    int error = 0;
    const Port* const port = usablePort(all, handle, number, error);
    if (port == nullptr) return error;
    ibv_port_attr facts{};
    facts.state = port->setting.up ? IBV_PORT_ACTIVE : IBV_PORT_DOWN;
    facts.max_mtu = mtuOf(4096);
    facts.active_mtu = mtuOf(port->setting.mtu);
    facts.gid_tbl_len = static_cast<int>(port->gids.size());
    facts.max_msg_sz = static_cast<Device*>(handle->device)->setting.limits.messageBytes;
    facts.pkey_tbl_len = 1;
    facts.lid = port->setting.lid;
    facts.max_vl_num = 1;
    facts.active_width = port->setting.width;
    facts.active_speed = port->setting.speed;
    facts.phys_state = port->setting.up ? 5 : 3;  // link up, disabled
    facts.link_layer = port->setting.ethernet ? IBV_LINK_LAYER_ETHERNET : IBV_LINK_LAYER_INFINIBAND;
    facts.flags = port->setting.ethernet ? IBV_QPF_GRH_REQUIRED : 0;
    // The structure that old programs pass ends before the first member that came later.
    std::memcpy(compatible, &facts, offsetof(ibv_port_attr, port_cap_flags2));
    return 0;
  });
}

int ibv_query_gid(ibv_context* handle, std::uint8_t number, int index, ibv_gid* gid) {
  static Verb& verb = verbNamed(__func__);
  const int result = call(verb, [&](World& all) {
    int error = 0;
    const Port* const port = usablePort(all, handle, number, error);
    if (port == nullptr) return error;
    if (index < 0 || static_cast<std::size_t>(index) >= port->gids.size()) return EINVAL;
    *gid = port->gids[static_cast<std::size_t>(index)].first;
    return 0;
  });
  if (result == 0) return 0;
  errno = result;
  return -1;
}

int _ibv_query_gid_ex(ibv_context* handle, std::uint32_t number, std::uint32_t index, ibv_gid_entry* entry,
                      std::uint32_t flags, std::size_t bytes) {
  static Verb& verb = verbNamed(__func__);
  return call(verb, [&](World& all) {
    int error = 0;
    const Port* const port = usablePort(all, handle, number, error);
    if (port == nullptr) return error;
    if (flags != 0 || bytes < sizeof(ibv_gid_entry) || index >= port->gids.size()) return EINVAL;
    const auto& [gid, type] = port->gids[index];
    const ibv_gid none{};
    if (std::memcmp(gid.raw, none.raw, sizeof(none.raw)) == 0) return ENODATA;
    *entry = {gid, index, number, static_cast<std::uint32_t>(type), port->setting.gids[index].interface};
    return 0;
  });
}

}  // extern "C"
