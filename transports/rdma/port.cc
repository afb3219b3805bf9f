// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/port.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "src/topology/device_order.h"
#include "transports/rdma/device_filter.h"

namespace atl::rdma {
namespace {

constexpr int bytesOf(ibv_mtu mtu) {
  return 128 << static_cast<int>(mtu);
}

Error unusable(const std::string& port, std::string_view why) {
  return makeError(ErrorCode::unsupported, "{}: {}", port, why);
}

/// The exported function fills what older libraries know, which is all that is wanted.
int query(const Port& port, ibv_port_attr& attributes) {
  return port.nic->api().queryPort(port.nic->context(), port.number,
                                   reinterpret_cast<_compat_ibv_port_attr*>(&attributes));
}

std::vector<GidEntry> gidTable(const Port& port, int rows) {
  std::vector<GidEntry> table;
  for (int index = 0; index < rows; ++index) {
    ibv_gid_entry row{};
    const int error = port.nic->api().queryGidEx(port.nic->context(), port.number, static_cast<std::uint32_t>(index),
                                                 &row, 0, sizeof row);
    if (error != 0) continue;  // a row that is not used
    GidEntry entry;
    entry.index = index;
    entry.type = row.gid_type == IBV_GID_TYPE_ROCE_V2   ? GidEntry::Type::roceV2
                 : row.gid_type == IBV_GID_TYPE_ROCE_V1 ? GidEntry::Type::roceV1
                                                        : GidEntry::Type::infiniband;
    std::copy(std::begin(row.gid.raw), std::end(row.gid.raw), entry.gid.begin());
    table.push_back(entry);
  }
  return table;
}

/// Whether the device makes an address out of it: in a container, rows may belong to interfaces of other namespaces,
/// which are listed and yet of no use.
bool works(const Port& port, const GidEntry& entry) {
  ibv_ah_attr attributes{};
  attributes.is_global = 1;
  attributes.port_num = port.number;
  attributes.grh.sgid_index = static_cast<std::uint8_t>(entry.index);
  attributes.grh.hop_limit = 1;
  std::copy(entry.gid.begin(), entry.gid.end(), std::begin(attributes.grh.dgid.raw));
  ibv_ah* const handle = port.nic->api().createAh(port.nic->protectionDomain(), &attributes);
  if (handle == nullptr) return false;
  port.nic->api().destroyAh(handle);
  return true;
}

Status chooseGid(Port& port, int rows, int wanted) {
  const auto table = gidTable(port, rows);
  if (wanted >= 0) {
    const auto row = std::ranges::find(table, wanted, &GidEntry::index);
    if (row == table.end()) {
      std::vector<std::string> there;
      for (const auto& entry : table) there.push_back(describe(entry));
      return unusable(port.name(), fmt::format("its GID table has nothing at {} (ATOLL_RDMA_GID_INDEX); it has: {}",
                                               wanted, fmt::join(there, "; ")));
    }
    port.gid = *row;
    return success();
  }
  const auto candidates = inOrderOfUse(table);
  const auto chosen = std::ranges::find_if(candidates, [&](const GidEntry& entry) { return works(port, entry); });
  if (chosen != candidates.end()) {
    port.gid = *chosen;
    return success();
  }
  return unusable(port.name(),
                  candidates.empty()
                      ? "it has no GID: give its network interface an address"
                      : "none of its GIDs can be used here (do they belong to another network namespace?)");
}

/// Those of the devices that the filter, which is of the settings, allows. A line in `refused` for each that cannot be
/// used.
std::vector<Port> allowedPorts(const std::vector<std::shared_ptr<Nic>>& nics, const DeviceFilter& filter,
                               const RdmaSettings& settings, std::vector<std::string>& refused) {
  std::vector<Port> ports;
  for (const auto& nic : nics) {
    for (std::uint8_t number = 1; number <= nic->attributes().phys_port_cnt; ++number) {
      if (!filter.allows(nic->name(), number)) {
        refused.push_back(
            fmt::format("{}:{}: ATOLL_RDMA_DEVICES={} leaves it out", nic->name(), number, settings.devices));
        continue;
      }
      Port& port = ports.emplace_back();
      port.nic = nic;
      port.number = number;
      port.examine(settings);
      if (!port.missing.empty()) refused.push_back(port.missing);
    }
  }
  return ports;
}

std::vector<Port> inOrderOfUse(const std::vector<Port>& ports, std::size_t turn) {
  std::vector<std::string> folders;
  for (const Port& port : ports) folders.push_back(port.nic->folder());
  std::vector<Port> ordered;
  for (const std::size_t place : nearestFirst(distancesFromHere(folders), turn)) ordered.push_back(ports[place]);
  return ordered;
}

}  // namespace

// The news are read first: what comes meanwhile is a reason to look again.
void Port::examine(const RdmaSettings& settings) {
  news = nic->news();
  auto looked = look(settings);
  missing = looked.ok() ? "" : std::move(looked).error().text;
}

Status Port::look(const RdmaSettings& settings) {
  ibv_port_attr attributes{};
  if (const int error = query(*this, attributes); error != 0) {
    return failure(error, fmt::format("{} does not say how it is", name()));
  }
  if (attributes.state != IBV_PORT_ACTIVE) {
    return unusable(name(),
                    fmt::format("it is {}: is its network interface up?", nic->api().portStateStr(attributes.state)));
  }
  ethernet = attributes.link_layer == IBV_LINK_LAYER_ETHERNET;
  lid = attributes.lid;
  mtu = attributes.active_mtu;
  if (settings.mtu > 0) {
    while (bytesOf(mtu) > settings.mtu && mtu > IBV_MTU_256) mtu = static_cast<ibv_mtu>(mtu - 1);
  }
  return chooseGid(*this, attributes.gid_tbl_len, settings.gidIndex);
}

bool Port::isUp() const {
  ibv_port_attr attributes{};
  return works() && query(*this, attributes) == 0 && attributes.state == IBV_PORT_ACTIVE;
}

int Port::megabits() const {
  ibv_port_attr attributes{};
  if (query(*this, attributes) != 0) return 0;
  const auto named = [](const auto& rows, int code) {
    const auto row = std::ranges::find(rows, code, &std::pair<int, int>::first);
    return row == std::end(rows) ? 0 : row->second;
  };
  // By the codes of the InfiniBand specification.
  constexpr std::pair<int, int> kLanes[] = {{1, 1}, {2, 4}, {4, 8}, {8, 12}, {16, 2}};
  constexpr std::pair<int, int> kMegabitsOfLane[] = {{1, 2'500},   {2, 5'000},   {4, 10'000},  {8, 10'000},
                                                     {16, 14'000}, {32, 25'000}, {64, 50'000}, {128, 100'000}};
  return named(kLanes, attributes.active_width) * named(kMegabitsOfLane, attributes.active_speed);
}

std::string Port::name() const {
  return fmt::format("{}:{}", nic->name(), number);
}

std::string Port::describe() const {
  return fmt::format("{} ({}, MTU {})", name(), rdma::describe(gid), bytesOf(mtu));
}

Result<std::vector<Port>> findPorts(const RdmaSettings& settings, std::size_t turn) {
  ATOLL_ASSIGN(const auto filter, DeviceFilter::parse(settings.devices));
  std::vector<std::string> refused;
  ATOLL_ASSIGN(const auto nics, Nic::openAll(refused));
  const auto ports = allowedPorts(nics, filter, settings, refused);
  if (std::ranges::none_of(ports, &Port::works)) {
    if (refused.empty()) return makeError(ErrorCode::unsupported, "libibverbs knows of no device on this machine");
    return makeError(ErrorCode::unsupported, "no RDMA port can be used: {}", fmt::join(refused, "; "));
  }
  return inOrderOfUse(ports, turn);
}

std::vector<Port> portsOfNewDevices(const RdmaSettings& settings, const std::vector<std::shared_ptr<Nic>>& known) {
  const auto filter = DeviceFilter::parse(settings.devices);
  if (!filter.ok()) return {};
  // To open a device takes long, and this is asked again and again.
  std::vector<std::string> refused;
  auto nics = Nic::openAll(refused, [&filter](std::string_view name) { return filter->mayAllow(name); });
  if (!nics.ok()) return {};
  std::erase_if(*nics, [&](const auto& nic) { return std::ranges::find(known, nic) != known.end(); });
  return allowedPorts(*nics, *filter, settings, refused);
}

}  // namespace atl::rdma
