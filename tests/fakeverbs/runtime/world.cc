// SPDX-License-Identifier: Apache-2.0
#include "tests/fakeverbs/runtime/world.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <unordered_set>

#include "tests/fakeverbs/runtime/calls.h"
#include "tests/fakeverbs/runtime/network.h"

namespace fakeverbs {
namespace {

/// The addresses that a driver gives a port that nobody configured.
std::vector<Gid> usualGids(int host, int device, int port, bool ethernet) {
  const std::string numbers = std::to_string(host) + ":" + std::to_string(device) + ":" + std::to_string(port);
  const std::string local = "fe80::fa4e:" + numbers;
  if (!ethernet) return {{local, IBV_GID_TYPE_IB}};
  const std::string ip = "10." + std::to_string(device) + "." + std::to_string(host) + "." + std::to_string(port);
  return {{local, IBV_GID_TYPE_ROCE_V1},
          {local, IBV_GID_TYPE_ROCE_V2},
          {ip, IBV_GID_TYPE_ROCE_V1},
          {ip, IBV_GID_TYPE_ROCE_V2}};
}

void fillTable(Port& port, const std::vector<Gid>& gids) {
  port.setting.gids = gids;
  port.gids.clear();
  for (const Gid& gid : gids) {
    port.gids.emplace_back(gid.address.empty() ? ibv_gid{} : parseGid(gid.address), gid.type);
  }
}

template <std::size_t n>
void copyName(char (&to)[n], const std::string& from) {
  const std::size_t length = std::min(n - 1, from.size());
  std::memcpy(to, from.data(), length);
  to[length] = '\0';
}

Device* tryDeviceAt(const World& all, int device) {
  const bool known = device >= 0 && static_cast<std::size_t>(device) < all.devices.size();
  return known ? all.devices[static_cast<std::size_t>(device)].get() : nullptr;
}

}  // namespace

World::World() : wakeDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  // Far from each other in two processes, so that a key of one means nothing in the other.
  lastKey = static_cast<std::uint32_t>(getpid()) * 0x10001U;
  lastQueuePair = static_cast<std::uint32_t>(getpid()) * 0x61U;
}

World::~World() {
  close(wakeDescriptor);
}

World& world() {
  static World* const made = [] {
    auto* const fresh = new World;
    fresh->network = std::make_unique<Network>();
    build(*fresh, configurationFromEnvironment());
    plan(*fresh, fresh->configuration.faults);
    return fresh;
  }();
  return *made;
}

void giveUp(const std::string& why) {
  std::fprintf(stderr, "fakeverbs: %s\n", why.c_str());
  std::fflush(nullptr);
  _exit(70);
}

Device& deviceAt(World& all, int device) {
  Device* const found = tryDeviceAt(all, device);
  if (found == nullptr) giveUp("there is no adapter " + std::to_string(device));
  return *found;
}

Port& portAt(World& all, int device, int port) {
  Device& owner = deviceAt(all, device);
  if (port < 1 || static_cast<std::size_t>(port) > owner.ports.size()) {
    giveUp("adapter " + std::to_string(device) + " has no port " + std::to_string(port));
  }
  return owner.ports[static_cast<std::size_t>(port) - 1];
}

Port& portOf(const QueuePair& qp) {
  return qp.home->ports[qp.attributes.port_num - 1U];
}

Device& plugIn(World& all, DeviceConfiguration setting) {
  const int number = static_cast<int>(all.devices.size());
  auto made = std::make_unique<Device>();
  made->node_type = IBV_NODE_CA;
  made->transport_type = IBV_TRANSPORT_IB;
  if (setting.name.empty()) setting.name = "fake_" + std::to_string(number);
  copyName(made->name, setting.name);
  copyName(made->dev_name, "uverbs" + std::to_string(number));
  copyName(made->dev_path, "/sys/class/infiniband_verbs/uverbs" + std::to_string(number));
  copyName(made->ibdev_path, setting.sysfsPath.empty() ? "/sys/class/infiniband/" + setting.name : setting.sysfsPath);
  for (std::size_t i = 0; i < setting.ports.size(); ++i) {
    const int portNumber = static_cast<int>(i) + 1;
    Port port;
    port.setting = setting.ports[i];
    const bool ethernet = port.setting.ethernet;
    if (!ethernet && port.setting.lid == 0) {
      port.setting.lid = static_cast<std::uint16_t>(all.configuration.host * 64 + number * 8 + portNumber);
    }
    fillTable(port, port.setting.gids.empty() ? usualGids(all.configuration.host, number, portNumber, ethernet)
                                              : port.setting.gids);
    made->ports.push_back(std::move(port));
  }
  made->setting = std::move(setting);
  all.devices.push_back(std::move(made));
  return *all.devices.back();
}

void build(World& all, Configuration configuration) {
  all.inbox.clear();
  all.ready.clear();
  all.pauses.clear();
  all.delayed.clear();
  all.byNumber.clear();
  all.byLocalKey.clear();
  all.byRemoteKey.clear();
  all.registeredBytes = 0;
  all.queuePairs.clear();
  all.sharedReceiveQueues.clear();
  all.completionQueues.clear();
  all.channels.clear();
  all.addressHandles.clear();
  all.regions.clear();
  all.domains.clear();
  all.contexts.clear();
  for (ibv_device** const list : all.lists) delete[] list;
  all.lists.clear();
  all.devices.clear();
  all.random.seed(configuration.seed);
  all.configuration = std::move(configuration);
  for (const DeviceConfiguration& device : all.configuration.devices) plugIn(all, device);
}

void raisePortEvent(World& all, const Device& device, int port, ibv_event_type type) {
  ibv_async_event event{};
  event.element.port_num = port;
  event.event_type = type;
  all.contexts.forEach([&](Context& context) {
    if (context.home == &device) context.events.push(event);
  });
}

void changePort(World& all, Device& device, int port, bool up) {
  bool& now = device.ports[static_cast<std::size_t>(port) - 1].setting.up;
  if (now == up) return;
  now = up;
  raisePortEvent(all, device, port, up ? IBV_EVENT_PORT_ACTIVE : IBV_EVENT_PORT_ERR);
}

void reset(Configuration configuration) {
  World& all = world();
  forgetCalls();
  const Lock lock(all);
  build(all, std::move(configuration));
  plan(all, all.configuration.faults);
}

int addDevice(DeviceConfiguration device) {
  World& all = world();
  const Lock lock(all);
  plugIn(all, std::move(device));
  return static_cast<int>(all.devices.size()) - 1;
}

void setGids(int device, int port, const std::vector<Gid>& gids) {
  World& all = world();
  const Lock lock(all);
  fillTable(portAt(all, device, port), gids);
  raisePortEvent(all, deviceAt(all, device), port, IBV_EVENT_GID_CHANGE);
}

void setPort(int device, int port, bool up) {
  World& all = world();
  const Lock lock(all);
  portAt(all, device, port);
  changePort(all, deviceAt(all, device), port, up);
}

Counters counters(int device, int port) {
  World& all = world();
  const Lock lock(all);
  return portAt(all, device, port).counters;
}

Counters counters() {
  World& all = world();
  const Lock lock(all);
  Counters sum;
  for (const auto& device : all.devices) {
    for (const Port& port : device->ports) {
      const Counters& one = port.counters;
      sum.packetsSent += one.packetsSent;
      sum.packetsReceived += one.packetsReceived;
      sum.bytesSent += one.bytesSent;
      sum.bytesReceived += one.bytesReceived;
      sum.packetsLost += one.packetsLost;
      sum.retries += one.retries;
      sum.notReady += one.notReady;
      sum.inlineWorks += one.inlineWorks;
      sum.receives += one.receives;
      for (const auto& [opcode, count] : one.works) sum.works[opcode] += count;
    }
  }
  return sum;
}

LiveObjects liveObjects() {
  World& all = world();
  const Lock lock(all);
  return {.deviceLists = all.lists.size(),
          .contexts = all.contexts.size(),
          .protectionDomains = all.domains.size(),
          .memoryRegions = all.regions.size(),
          .registeredBytes = all.registeredBytes,
          .channels = all.channels.size(),
          .completionQueues = all.completionQueues.size(),
          .sharedReceiveQueues = all.sharedReceiveQueues.size(),
          .queuePairs = all.queuePairs.size(),
          .addressHandles = all.addressHandles.size()};
}

std::vector<Region> regions() {
  World& all = world();
  const Lock lock(all);
  std::vector<Region> found;
  all.regions.forEach([&](const MemoryRegion& region) { found.push_back({region.length, region.access}); });
  return found;
}

}  // namespace fakeverbs
