// SPDX-License-Identifier: Apache-2.0
// Adapters, ports and GIDs: what a program sees of them, and who reaches whom.
#include <arpa/inet.h>

#include "tests/fakeverbs/fixture.h"

namespace fakeverbs {
namespace {

class Addresses : public FakeVerbs {
 protected:
  static bool reaches(const End& one, const End& other) {
    EXPECT_EQ(other.receive(1, {}), 0);
    EXPECT_EQ(one.send(work(2, IBV_WR_SEND), {}), 0);
    const ibv_wc done = one.awaitSend();
    EXPECT_TRUE(done.status == IBV_WC_SUCCESS || done.status == IBV_WC_RETRY_EXC_ERR) << done.status;
    return done.status == IBV_WC_SUCCESS;
  }

  static std::string text(const ibv_gid& gid) {
    char buffer[INET6_ADDRSTRLEN];
    return inet_ntop(AF_INET6, gid.raw, buffer, sizeof(buffer));
  }
};

TEST_F(Addresses, Adapters_AreListedAndDescribed) {
  resetWith([](Configuration& machine) {
    machine.devices.resize(3);
    machine.devices[2].name = "mlx5_bond_0";
    machine.devices[2].ports.resize(2);
    machine.devices[2].ports[1].up = false;
    machine.devices[2].ports[1].mtu = 1024;
    machine.devices[2].limits.queuePairs = 17;
    machine.devices[2].sysfsPath = "/nowhere";
  });
  int count = 0;
  ibv_device** const list = ibv_get_device_list(&count);
  ASSERT_EQ(count, 3);
  EXPECT_EQ(list[3], nullptr);
  EXPECT_STREQ(ibv_get_device_name(list[0]), "fake_0");
  EXPECT_STREQ(ibv_get_device_name(list[2]), "mlx5_bond_0");
  EXPECT_STREQ(list[0]->ibdev_path, "/sys/class/infiniband/fake_0");
  EXPECT_STREQ(list[2]->ibdev_path, "/nowhere");
  EXPECT_STREQ(ibv_node_type_str(list[0]->node_type), "InfiniBand channel adapter");
  ibv_context* const context = ibv_open_device(list[2]);
  ibv_free_device_list(list);
  ibv_device_attr device{};
  ASSERT_EQ(ibv_query_device(context, &device), 0);
  EXPECT_EQ(device.phys_port_cnt, 2);
  EXPECT_EQ(device.max_qp, 17);
  ibv_port_attr port{};
  ASSERT_EQ(ibv_query_port(context, 1, &port), 0);
  EXPECT_EQ(port.state, IBV_PORT_ACTIVE);
  EXPECT_EQ(port.active_mtu, IBV_MTU_4096);
  EXPECT_EQ(port.link_layer, IBV_LINK_LAYER_ETHERNET);
  EXPECT_EQ(port.gid_tbl_len, 4);
  ASSERT_EQ(ibv_query_port(context, 2, &port), 0);
  EXPECT_STREQ(ibv_port_state_str(port.state), "down");
  EXPECT_EQ(port.active_mtu, IBV_MTU_1024);
  EXPECT_EQ(ibv_query_port(context, 3, &port), EINVAL);
  EXPECT_EQ(ibv_close_device(context), 0);
}

TEST_F(Addresses, GidTable_HasEmptyEntries) {
  setGids(0, 1, {{"fe80::1", IBV_GID_TYPE_ROCE_V1, 7}, {""}, {"192.168.3.4"}, {"2001:db8::5"}});
  ibv_context* const context = openDevice(0);
  ibv_gid_entry entry{};
  ASSERT_EQ(ibv_query_gid_ex(context, 1, 0, &entry, 0), 0);
  EXPECT_EQ(text(entry.gid), "fe80::1");
  EXPECT_EQ(entry.gid_type, static_cast<std::uint32_t>(IBV_GID_TYPE_ROCE_V1));
  EXPECT_EQ(entry.ndev_ifindex, 7U);
  EXPECT_EQ(ibv_query_gid_ex(context, 1, 1, &entry, 0), ENODATA);
  ASSERT_EQ(ibv_query_gid_ex(context, 1, 2, &entry, 0), 0);
  EXPECT_EQ(text(entry.gid), "::ffff:192.168.3.4");
  EXPECT_EQ(entry.gid_type, static_cast<std::uint32_t>(IBV_GID_TYPE_ROCE_V2));
  EXPECT_EQ(ibv_query_gid_ex(context, 1, 4, &entry, 0), EINVAL);
  ibv_gid gid{};
  ASSERT_EQ(ibv_query_gid(context, 1, 3, &gid), 0);
  EXPECT_EQ(text(gid), "2001:db8::5");
  ASSERT_EQ(ibv_query_gid(context, 1, 1, &gid), 0);
  EXPECT_EQ(text(gid), "::");
  EXPECT_EQ(ibv_query_gid(context, 1, 4, &gid), -1);
  EXPECT_EQ(ibv_close_device(context), 0);
}

TEST_F(Addresses, GidsOfOneKind_ReachEachOther) {
  for (std::uint8_t index = 0; index < 4; ++index) {
    End one({.gidIndex = index});
    End other({.device = 1, .gidIndex = index});
    connect(one, other);
    EXPECT_TRUE(reaches(one, other)) << int{index};
  }
}

TEST_F(Addresses, RoceVersions_DoNotMix) {
  setGids(1, 1, {{"2001:db8::9", IBV_GID_TYPE_ROCE_V1}});
  End one({.gidIndex = 3});
  End other({.device = 1, .gidIndex = 0});
  connect(one, other);
  EXPECT_FALSE(reaches(one, other));
}

TEST_F(Addresses, Networks_AreApart) {
  resetWith([](Configuration& machine) { machine.devices[1].ports[0].network = 1; });
  End one;
  End other({.device = 1});
  connect(one, other);
  EXPECT_FALSE(reaches(one, other));
}

TEST_F(Addresses, GidThatHasGone_IsNotReachedAndSendsNothing) {
  for (const int device : {0, 1}) {
    reset();
    End one;
    End other({.device = 1});
    connect(one, other);
    EXPECT_TRUE(reaches(one, other));
    setGids(device, 1, {{"2001:db8::1"}});
    EXPECT_FALSE(reaches(one, other)) << device;
  }
}

TEST_F(Addresses, SecondPort_IsAnotherPlace) {
  resetWith([](Configuration& machine) { machine.devices[0].ports.resize(2); });
  End one({.port = 2});
  End other({.device = 1});
  connect(one, other);
  EXPECT_TRUE(reaches(one, other));
  EXPECT_EQ(counters(0, 1).packetsSent, 0U);
  EXPECT_GT(counters(0, 2).packetsSent, 0U);
}

TEST_F(Addresses, InfiniBand_IsReachedByLidAndByGid) {
  resetWith([](Configuration& machine) {
    for (DeviceConfiguration& device : machine.devices) device.ports[0].ethernet = false;
  });
  End one({.gidIndex = 0});
  End other({.device = 1, .gidIndex = 0});
  connect(one, other);
  EXPECT_TRUE(reaches(one, other));
  End third({.gidIndex = 0});
  End fourth({.device = 1, .gidIndex = 0});
  for (const auto& [end, partner] : {std::pair(&third, &fourth), std::pair(&fourth, &third)}) {
    ibv_qp_attr receive = end->toReceive(partner->name());
    receive.ah_attr.is_global = 0;
    receive.ah_attr.dlid = partner->name().lid;
    EXPECT_NE(receive.ah_attr.dlid, 0);
    ASSERT_EQ(end->modify(end->toInit(), End::kInitMask), 0);
    ASSERT_EQ(end->modify(receive, End::kReceiveMask), 0);
    ASSERT_EQ(end->modify(end->toSend(), End::kSendMask), 0);
  }
  EXPECT_TRUE(reaches(third, fourth));
}

TEST_F(Addresses, AddressHandle_NeedsAPath) {
  End one;
  ibv_ah_attr path = one.toReceive(one.name()).ah_attr;
  ibv_ah* const made = ibv_create_ah(one.domain, &path);
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(liveObjects().addressHandles, 1U);
  path.grh.sgid_index = 9;
  EXPECT_EQ(ibv_create_ah(one.domain, &path), nullptr);
  EXPECT_EQ(ibv_dealloc_pd(one.domain), EBUSY);
  EXPECT_EQ(ibv_destroy_ah(made), 0);
}

TEST_F(Addresses, AdapterThatIsPluggedIn_IsThereAtTheNextLook) {
  DeviceConfiguration device;
  device.name = "late";
  EXPECT_EQ(addDevice(device), 2);
  ibv_context* const context = openDevice(2);
  EXPECT_STREQ(ibv_get_device_name(context->device), "late");
  EXPECT_EQ(ibv_close_device(context), 0);
}

}  // namespace
}  // namespace fakeverbs
