// SPDX-License-Identifier: Apache-2.0
// The stand-in has every function that Atoll asks libibverbs for, under the name and version that the real one has.
#include <dlfcn.h>

#include "tests/fakeverbs/fixture.h"

namespace fakeverbs {
namespace {

struct Export {
  const char* name;
  const char* version;
};

constexpr Export kExports[] = {{"_ibv_query_gid_ex", "IBVERBS_1.11"},
                               {"ibv_ack_async_event", "IBVERBS_1.1"},
                               {"ibv_ack_cq_events", "IBVERBS_1.1"},
                               {"ibv_alloc_pd", "IBVERBS_1.1"},
                               {"ibv_close_device", "IBVERBS_1.1"},
                               {"ibv_create_ah", "IBVERBS_1.1"},
                               {"ibv_create_comp_channel", "IBVERBS_1.0"},
                               {"ibv_create_cq", "IBVERBS_1.1"},
                               {"ibv_create_qp", "IBVERBS_1.1"},
                               {"ibv_create_srq", "IBVERBS_1.1"},
                               {"ibv_dealloc_pd", "IBVERBS_1.1"},
                               {"ibv_dereg_mr", "IBVERBS_1.1"},
                               {"ibv_destroy_ah", "IBVERBS_1.1"},
                               {"ibv_destroy_comp_channel", "IBVERBS_1.0"},
                               {"ibv_destroy_cq", "IBVERBS_1.1"},
                               {"ibv_destroy_qp", "IBVERBS_1.1"},
                               {"ibv_destroy_srq", "IBVERBS_1.1"},
                               {"ibv_event_type_str", "IBVERBS_1.1"},
                               {"ibv_free_device_list", "IBVERBS_1.1"},
                               {"ibv_get_async_event", "IBVERBS_1.1"},
                               {"ibv_get_cq_event", "IBVERBS_1.1"},
                               {"ibv_get_device_list", "IBVERBS_1.1"},
                               {"ibv_get_device_name", "IBVERBS_1.1"},
                               {"ibv_modify_qp", "IBVERBS_1.1"},
                               {"ibv_node_type_str", "IBVERBS_1.1"},
                               {"ibv_open_device", "IBVERBS_1.1"},
                               {"ibv_port_state_str", "IBVERBS_1.1"},
                               {"ibv_query_device", "IBVERBS_1.1"},
                               {"ibv_query_gid", "IBVERBS_1.1"},
                               {"ibv_query_port", "IBVERBS_1.1"},
                               {"ibv_query_qp", "IBVERBS_1.1"},
                               {"ibv_reg_dmabuf_mr", "IBVERBS_1.12"},
                               {"ibv_reg_mr", "IBVERBS_1.1"},
                               {"ibv_reg_mr_iova2", "IBVERBS_1.8"},
                               {"ibv_wc_status_str", "IBVERBS_1.1"}};

class Exports : public FakeVerbs {};

TEST_F(Exports, Fake_IsFoundByName) {
  void* const fake = dlopen("libibverbs.so.1", RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(fake, nullptr);
  for (const Export& one : kExports) {
    void* const found = dlsym(fake, one.name);
    EXPECT_NE(found, nullptr) << one.name;
    EXPECT_EQ(dlvsym(fake, one.name, one.version), found) << one.name;
  }
  EXPECT_EQ(dlsym(fake, "ibv_get_device_list"), reinterpret_cast<void*>(&ibv_get_device_list));
  EXPECT_EQ(dlclose(fake), 0);
}

TEST_F(Exports, RealLibrary_HasThemToo) {
#ifdef FAKEVERBS_REAL
  void* const real = dlopen(FAKEVERBS_REAL, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(real, nullptr) << dlerror();
  ASSERT_NE(dlsym(real, "ibv_get_device_list"), reinterpret_cast<void*>(&ibv_get_device_list)) << "this is the fake";
  for (const Export& one : kExports) {
    void* const found = dlsym(real, one.name);
    EXPECT_NE(found, nullptr) << one.name;
    EXPECT_EQ(dlvsym(real, one.name, one.version), found) << one.name;
  }
  EXPECT_EQ(dlclose(real), 0);
#else
  GTEST_SKIP() << "no libibverbs was found at configuration";
#endif
}

TEST_F(Exports, Names_AreInWords) {
  EXPECT_STREQ(ibv_wc_status_str(IBV_WC_RNR_RETRY_EXC_ERR), "RNR retry counter exceeded");
  EXPECT_STREQ(ibv_wc_status_str(static_cast<ibv_wc_status>(30)), "unknown");
  EXPECT_STREQ(ibv_event_type_str(IBV_EVENT_PORT_ERR), "port error");
  EXPECT_STREQ(ibv_node_type_str(IBV_NODE_UNKNOWN), "unknown");
  EXPECT_STREQ(ibv_port_state_str(IBV_PORT_ACTIVE), "active");
}

}  // namespace
}  // namespace fakeverbs
