// SPDX-License-Identifier: Apache-2.0
// A program that knows nothing of the fake: it opens libibverbs.so.1, whichever is found, and says what is there.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <infiniband/verbs.h>

#include <cstdint>
#include <cstdio>

namespace {

void* library = nullptr;

template <class Function>
Function* symbol(const char* name) {
  void* const found = dlsym(library, name);
  if (found == nullptr) std::printf("no %s\n", name);
  return reinterpret_cast<Function*>(found);
}

void describePort(ibv_context* context, unsigned port, const ibv_port_attr& facts) {
  const auto queryGid = symbol<decltype(_ibv_query_gid_ex)>("_ibv_query_gid_ex");
  for (int i = 0; i < facts.gid_tbl_len; ++i) {
    ibv_gid_entry entry{};
    char text[INET6_ADDRSTRLEN] = "";
    if (queryGid(context, port, static_cast<unsigned>(i), &entry, 0, sizeof(entry)) != 0) continue;
    inet_ntop(AF_INET6, entry.gid.raw, text, sizeof(text));
    std::printf("  gid %d %s type %u\n", i, text, entry.gid_type);
  }
}

}  // namespace

#undef ibv_query_port

int main() {
  library = dlopen("libibverbs.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return 1;
  int count = 0;
  ibv_device** const list = symbol<decltype(ibv_get_device_list)>("ibv_get_device_list")(&count);
  for (int i = 0; i < count; ++i) {
    ibv_context* const context = symbol<decltype(ibv_open_device)>("ibv_open_device")(list[i]);
    ibv_device_attr device{};
    if (context == nullptr || symbol<decltype(ibv_query_device)>("ibv_query_device")(context, &device) != 0) return 1;
    std::printf("%s max_qp %d\n", list[i]->name, device.max_qp);
    for (unsigned port = 1; port <= device.phys_port_cnt; ++port) {
      ibv_port_attr facts{};
      symbol<decltype(ibv_query_port)>("ibv_query_port")(context, static_cast<std::uint8_t>(port),
                                                         reinterpret_cast<_compat_ibv_port_attr*>(&facts));
      std::printf(" port %u %s mtu %d\n", port, symbol<decltype(ibv_port_state_str)>("ibv_port_state_str")(facts.state),
                  128 << facts.active_mtu);
      describePort(context, port, facts);
    }
    symbol<decltype(ibv_close_device)>("ibv_close_device")(context);
  }
  symbol<decltype(ibv_free_device_list)>("ibv_free_device_list")(list);
  dlclose(library);
  return 0;
}
