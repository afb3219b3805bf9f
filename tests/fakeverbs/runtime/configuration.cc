// SPDX-License-Identifier: Apache-2.0
// FAKEVERBS: what it may say is in fakeverbs.h.
#include <arpa/inet.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string_view>

#include "tests/fakeverbs/runtime/calls.h"
#include "tests/fakeverbs/runtime/faults.h"
#include "tests/fakeverbs/runtime/world.h"

namespace fakeverbs {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

struct Item {
  std::string name;
  std::string value;

  [[noreturn]] void refuse() const { giveUp("FAKEVERBS has '" + name + "=" + value + "', which means nothing"); }

  [[nodiscard]] long long number(const std::string& text) const {
    long long result = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
    if (error != std::errc() || end != text.data() + text.size()) refuse();
    return result;
  }
  [[nodiscard]] long long number() const { return number(value); }
  [[nodiscard]] int integer() const { return static_cast<int>(number()); }
  [[nodiscard]] std::chrono::microseconds time() const { return std::chrono::microseconds(number()); }
};

std::vector<Item> itemsOf(const std::string& text) {
  std::vector<Item> items;
  for (const std::string& part : split(text, ',')) {
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) giveUp("FAKEVERBS has '" + part + "', which is not NAME=VALUE");
    items.push_back({part.substr(0, equals), part.substr(equals + 1)});
  }
  return items;
}

void replaceAll(std::string& text, std::string_view what, int number) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos;) {
    text.replace(at, what.size(), std::to_string(number));
  }
}

/// What makes the adapters, put together when all items are known.
struct Plan {
  int devices = 2;
  int ports = 1;
  int networks = 1;
  std::vector<std::string> addresses;
  PortConfiguration port;
  Limits limits;

  [[nodiscard]] std::vector<Gid> gids(int host, int device, int portNumber) const {
    std::vector<Gid> made;
    for (std::string address : addresses) {
      replaceAll(address, "%h", host);
      replaceAll(address, "%d", device);
      replaceAll(address, "%p", portNumber);
      if (!port.ethernet) {
        made.push_back({address, IBV_GID_TYPE_IB});
        continue;
      }
      made.push_back({address, IBV_GID_TYPE_ROCE_V1});
      made.push_back({address, IBV_GID_TYPE_ROCE_V2});
    }
    return made;
  }
};

using Setter = std::function<void(const Item&, Plan&, Configuration&)>;

const std::map<std::string, Setter>& setters() {
  static const std::map<std::string, Setter> known = {
      {"devices", [](const Item& item, Plan& plan, Configuration&) { plan.devices = item.integer(); }},
      {"ports", [](const Item& item, Plan& plan, Configuration&) { plan.ports = item.integer(); }},
      {"net", [](const Item& item, Plan& plan, Configuration&) { plan.networks = std::max(1, item.integer()); }},
      {"host", [](const Item& item, Plan&, Configuration& all) { all.host = item.integer(); }},
      {"link",
       [](const Item& item, Plan& plan, Configuration&) {
         if (item.value != "roce" && item.value != "ib") item.refuse();
         plan.port.ethernet = item.value == "roce";
       }},
      {"gids", [](const Item& item, Plan& plan, Configuration&) { plan.addresses = split(item.value, '+'); }},
      {"maxqp", [](const Item& item, Plan& plan, Configuration&) { plan.limits.queuePairs = item.integer(); }},
      {"inline", [](const Item& item, Plan& plan,
                    Configuration&) { plan.limits.inlineBytes = static_cast<unsigned>(item.number()); }},
      {"sge", [](const Item& item, Plan& plan, Configuration&) { plan.limits.sges = item.integer(); }},
      {"maxmsg", [](const Item& item, Plan& plan,
                    Configuration&) { plan.limits.messageBytes = static_cast<std::uint32_t>(item.number()); }},
      {"memlock", [](const Item& item, Plan& plan,
                     Configuration&) { plan.limits.memlockBytes = static_cast<std::size_t>(item.number()); }},
      {"mtu", [](const Item& item, Plan& plan, Configuration&) { plan.port.mtu = item.integer(); }},
      {"dmabuf", [](const Item& item, Plan& plan, Configuration&) { plan.limits.dmabuf = item.integer() != 0; }},
      {"scatter", [](const Item& item, Plan&, Configuration& all) { all.scatteredWrites = item.integer() != 0; }},
      {"relaxed",
       [](const Item& item, Plan& plan, Configuration&) { plan.limits.relaxedOrdering = item.integer() != 0; }},
      {"ack", [](const Item& item, Plan&, Configuration& all) { all.ackTimeout = item.time(); }},
      {"rnr", [](const Item& item, Plan&, Configuration& all) { all.rnrTimeout = item.time(); }},
      {"delay", [](const Item& item, Plan&, Configuration& all) { all.completionDelay = item.time(); }},
      {"reorder", [](const Item& item, Plan&, Configuration& all) { all.completionJitter = item.time(); }},
      {"seed", [](const Item& item, Plan&, Configuration& all) { all.seed = static_cast<unsigned>(item.number()); }},
  };
  return known;
}

}  // namespace

ibv_gid parseGid(const std::string& address) {
  ibv_gid gid{};
  if (inet_pton(AF_INET6, address.c_str(), gid.raw) == 1) return gid;
  if (inet_pton(AF_INET, address.c_str(), gid.raw + 12) != 1) giveUp("'" + address + "' is not an address");
  gid.raw[10] = 0xff;
  gid.raw[11] = 0xff;
  return gid;
}

Configuration configurationFromEnvironment() {
  Configuration all;
  const char* const text = std::getenv("FAKEVERBS");
  Plan plan;
  for (const Item& item : itemsOf(text == nullptr ? "" : text)) {
    const auto setter = setters().find(item.name);
    if (setter != setters().end()) {
      setter->second(item, plan, all);
    } else {
      all.faults += (all.faults.empty() ? "" : ",") + item.name + "=" + item.value;
    }
  }
  all.devices.clear();
  for (int d = 0; d < plan.devices; ++d) {
    DeviceConfiguration device;
    device.limits = plan.limits;
    device.ports.clear();
    for (int p = 1; p <= plan.ports; ++p) {
      PortConfiguration port = plan.port;
      port.network = d % plan.networks;
      port.gids = plan.gids(all.host, d, p);
      device.ports.push_back(std::move(port));
    }
    all.devices.push_back(std::move(device));
  }
  return all;
}

void plan(World& all, const std::string& faults) {
  for (const Item& item : itemsOf(faults)) {
    for (const std::string& one : split(item.value, '+')) {
      const std::vector<std::string> fields = split(one, ':');
      const auto number = [&](std::size_t which) {
        if (which >= fields.size()) item.refuse();
        return static_cast<int>(item.number(fields[which]));
      };
      if (item.name == "fail") {
        failCall(fields[0], number(1), number(2));
        continue;
      }
      Port& port = portAt(all, number(0), number(1));
      if (item.name == "down") {
        port.setting.up = false;
      } else if (item.name == "lose") {
        planLoss(port, number(2), number(3), Traffic::requests);
      } else if (item.name == "losework") {
        workFault(port, number(2)).lose = true;
      } else if (item.name == "failwork") {
        workFault(port, number(2)).status = static_cast<ibv_wc_status>(number(3));
      } else if (item.name == "breakqp") {
        workFault(port, number(2)).breakQueuePair = true;
      } else if (item.name == "downafter") {
        planDown(port, number(2));
      } else if (item.name == "rnrfor") {
        port.refusals = number(2);
      } else {
        item.refuse();
      }
    }
  }
}

}  // namespace fakeverbs
