// SPDX-License-Identifier: Apache-2.0
#include "src/base/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <vector>

#include "src/base/log.h"

extern char** environ;  // NOLINT: POSIX names it so

namespace atl {
namespace {

/// One setting: its documentation and how its text reaches the struct.
struct Row {
  SettingInfo info;
  Status (*read)(Settings&, std::string_view text);
};

Error bad(std::string_view text, std::string_view wanted) {
  return makeError(ErrorCode::invalidArgument, "'{}' is not {}", text, wanted);
}

Status readSeconds(double& field, std::string_view text) {
  double value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size() || !(value >= 0 && value < 1e9)) {
    return bad(text, "a number of seconds (0 for no limit)");
  }
  field = value;
  return success();
}

Status readInt(int& field, std::string_view text, int low, int high) {
  int value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    return bad(text, fmt::format("a whole number from {} to {}", low, high));
  }
  field = value;
  return success();
}

Status readBytes(std::uint64_t& field, std::string_view text, std::uint64_t low, std::uint64_t high) {
  ATOLL_ASSIGN(const auto value, parseBytes(text));
  if (value < low || value > high) return bad(text, fmt::format("a size from {} to {} bytes", low, high));
  field = value;
  return success();
}

Status readSwitch(bool& field, std::string_view text) {
  if (text == "1" || text == "on" || text == "yes" || text == "true") {
    field = true;
  } else if (text == "0" || text == "off" || text == "no" || text == "false") {
    field = false;
  } else {
    return bad(text, "on or off");
  }
  return success();
}

Status readText(std::string& field, std::string_view text) {
  field = text;
  return success();
}

/// Names with slashes between them, outer to inner.
Status readIsland(std::string& field, std::string_view text) {
  constexpr std::size_t kMostNames = 15;
  constexpr std::size_t kLongestName = 64;
  std::size_t names = 0;
  for (std::size_t begin = 0; begin <= text.size() && !text.empty(); ++names) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    if (end == begin || end - begin > kLongestName || names == kMostNames) {
      return bad(text, fmt::format("the names of up to {} islands, outer to inner, such as pod3/host7, each of 1 to {} "
                                   "characters",
                                   kMostNames, kLongestName));
    }
    begin = end + 1;
  }
  return readText(field, text);
}

constexpr std::uint64_t kKiB = 1024;

const std::array kRows = {
    Row{{"ATOLL_TIMEOUT", "seconds", "120", "Limit of any wait in a call; 0 for none."},
        [](Settings& s, std::string_view t) { return readSeconds(s.timeoutSeconds, t); }},
    Row{{"ATOLL_BOOTSTRAP_TIMEOUT", "seconds", "60", "Limit for all ranks to come to the rendezvous; 0 for none."},
        [](Settings& s, std::string_view t) { return readSeconds(s.bootstrapTimeoutSeconds, t); }},
    Row{{"ATOLL_ALGO", "algorithm, or collective:algorithm list", "",
         "Forces algorithms, e.g. ring or allreduce:ring,broadcast:chain."},
        [](Settings& s, std::string_view t) { return readText(s.algorithms, t); }},
    Row{{"ATOLL_TUNING", "path", "",
         "A tuning table that `atoll tune` wrote on this machine: which algorithm was fastest. The same on every "
         "rank."},
        [](Settings& s, std::string_view t) { return readText(s.tuningFile, t); }},
    Row{{"ATOLL_TOPOLOGY", "path", "", "A topology file (YAML): islands, and what joins them. The same on every rank."},
        [](Settings& s, std::string_view t) { return readText(s.topologyFile, t); }},
    Row{{"ATOLL_ISLAND", "names", "",
         "The islands that this process is in, outer to inner, e.g. pod3/host7; every process needs as many names."},
        [](Settings& s, std::string_view t) { return readIsland(s.island, t); }},
    Row{{"ATOLL_PLAN_FILE", "path", "",
         "A plan of the user's own (JSON), used for its collective on communicators of its size."},
        [](Settings& s, std::string_view t) { return readText(s.planFile, t); }},
    Row{{"ATOLL_TRANSPORT", "name list", "inproc,shm,tcp",
         "Transports that may be used: inproc, shm, ncclnet, rdma, ucx, tcp. The first of these that serves is taken; "
         "ncclnet, rdma and ucx only if they are named."},
        [](Settings& s, std::string_view t) { return readText(s.transports, t); }},
    Row{{"ATOLL_SOCKET_IFNAME", "interface list", "",
         "Interfaces for TCP: names or prefixes, =NAME for exactly that, ^NAME to exclude, or a subnet such as "
         "10.0.0.0/8."},
        [](Settings& s, std::string_view t) { return readText(s.interfaces, t); }},
    Row{{"ATOLL_SOCKET_FAMILY", "4 or 6", "", "Address family for TCP; empty for either, IPv4 first."},
        [](Settings& s, std::string_view t) -> Status {
          if (!t.empty() && t != "4" && t != "6") return bad(t, "4, 6 or empty");
          return readText(s.addressFamily, t);
        }},
    Row{{"ATOLL_SOCKETS_PER_PEER", "1 to 16", "1",
         "TCP connections of a link, which large messages are spread over; more for a network that one cannot fill, or "
         "several interfaces."},
        [](Settings& s, std::string_view t) { return readInt(s.socketsPerPeer, t, 1, 16); }},
    Row{{"ATOLL_TCP_CONGESTION", "name", "",
         "Congestion control of data connections, e.g. bbr, or system for the host's own; empty for cubic where it may "
         "be used."},
        [](Settings& s, std::string_view t) { return readText(s.congestionControl, t); }},
    Row{{"ATOLL_RDMA_DEVICES", "device list", "",
         "Ports for RDMA: names or prefixes of devices, mlx5_0:2 for one port, = in front for whole names, ^ for all "
         "but these."},
        [](Settings& s, std::string_view t) { return readText(s.rdma.devices, t); }},
    Row{{"ATOLL_RDMA_GID_INDEX", "-1 to 255", "-1",
         "Row of the port's GID table; -1 chooses: RoCEv2 before RoCEv1, IPv4 before IPv6 before link-local."},
        [](Settings& s, std::string_view t) { return readInt(s.rdma.gidIndex, t, -1, 255); }},
    Row{{"ATOLL_RDMA_TRAFFIC_CLASS", "0 to 255", "0", "Traffic class of RoCE's packets: DSCP times 4, and ECN."},
        [](Settings& s, std::string_view t) { return readInt(s.rdma.trafficClass, t, 0, 255); }},
    Row{{"ATOLL_RDMA_SERVICE_LEVEL", "0 to 15", "0", "InfiniBand's service level, and RoCE's priority."},
        [](Settings& s, std::string_view t) { return readInt(s.rdma.serviceLevel, t, 0, 15); }},
    Row{{"ATOLL_RDMA_MTU", "0 or 256 to 4096", "0", "Most bytes of payload in an RDMA packet; 0 for the port's own."},
        [](Settings& s, std::string_view t) -> Status {
          if (t == "0") {
            s.rdma.mtu = 0;
            return success();
          }
          return readInt(s.rdma.mtu, t, 256, 4096);
        }},
    Row{{"ATOLL_RDMA_TIMEOUT", "1 to 31", "16",
         "An RDMA packet without answer is sent again after 4.096 us times 2^this."},
        [](Settings& s, std::string_view t) { return readInt(s.rdma.timeout, t, 1, 31); }},
    Row{{"ATOLL_RDMA_RETRIES", "0 to 7", "6",
         "So many times; then the port counts as failed. 7 is for ever with some devices."},
        [](Settings& s, std::string_view t) { return readInt(s.rdma.retries, t, 0, 7); }},
    Row{{"ATOLL_RDMA_RAILS", "1 to 8", "1", "RDMA ports that a link uses side by side; the same on every rank."},
        [](Settings& s, std::string_view t) { return readInt(s.rdma.rails, t, 1, 8); }},
    Row{{"ATOLL_RDMA_QUEUE_PAIRS", "1 to 8", "1",
         "Queue pairs of an RDMA link, each of which a network may send another way; the same on every rank."},
        [](Settings& s, std::string_view t) { return readInt(s.rdma.queuePairs, t, 1, 8); }},
    Row{{"ATOLL_RDMA_ADAPTIVE_ROUTING", "on/off", "off",
         "Data of RDMA messages goes by writes whose packets may arrive in any order, and a write of no bytes says "
         "that "
         "they have: for networks that choose the way of each packet."},
        [](Settings& s, std::string_view t) { return readSwitch(s.rdma.adaptiveRouting, t); }},
    Row{{"ATOLL_RDMA_RELAXED_ORDERING", "on/off", "on",
         "Devices may write the data of RDMA messages to memory in any order, where they can; notes keep theirs."},
        [](Settings& s, std::string_view t) { return readSwitch(s.rdma.relaxedOrdering, t); }},
    Row{{"ATOLL_RDMA_RETURN", "seconds", "5",
         "An RDMA link goes back to a port that failed when it has worked again for so long, and twice as long each "
         "time it fails soon after; 0 for at once."},
        [](Settings& s, std::string_view t) { return readSeconds(s.rdma.returnSeconds, t); }},
    Row{{"ATOLL_NCCL_NET_PLUGIN", "library list", "",
         "NCCL's network plug-in for the transport ncclnet: a library, a path, or NAME for libnccl-net-NAME.so; the "
         "first that works. Empty for what NCCL_NET_PLUGIN says, or libnccl-net.so."},
        [](Settings& s, std::string_view t) { return readText(s.ncclNet.plugins, t); }},
    Row{{"ATOLL_NCCL_NET_DEVICE", "name", "",
         "The plug-in's device; empty for the nearest to the process's cores, another for each process of a host."},
        [](Settings& s, std::string_view t) { return readText(s.ncclNet.device, t); }},
    Row{{"ATOLL_NCCL_NET_TRANSPORT", "rdma, ucx or tcp", "",
         "What libnccl-net-atoll.so gives to NCCL; empty for rdma where there is a port, else tcp."},
        [](Settings& s, std::string_view t) -> Status {
          if (!t.empty() && t != "rdma" && t != "ucx" && t != "tcp") return bad(t, "rdma, ucx, tcp or empty");
          return readText(s.ncclNet.transport, t);
        }},
    Row{{"ATOLL_HOSTID", "text", "", "Replaces the identity that decides which processes share a host."},
        [](Settings& s, std::string_view t) { return readText(s.hostId, t); }},
    Row{{"ATOLL_SLOT_BYTES", "bytes", "64K", "Size of a bounce slot for messages between processes of a host."},
        [](Settings& s, std::string_view t) { return readBytes(s.slotBytes, t, 4 * kKiB, 16 * kKiB * kKiB); }},
    Row{{"ATOLL_SLOTS", "2 to 1024", "16", "Bounce slots of a rank."},
        [](Settings& s, std::string_view t) { return readInt(s.slots, t, 2, 1024); }},
    Row{{"ATOLL_DIRECT", "on/off", "on", "Processes of a host read memory of atollMemAlloc in place."},
        [](Settings& s, std::string_view t) { return readSwitch(s.direct, t); }},
    Row{{"ATOLL_TILE_BYTES", "bytes", "1M", "Data that one pass of a pipelined plan handles; the same on every rank."},
        [](Settings& s, std::string_view t) { return readBytes(s.tileBytes, t, 4 * kKiB, kKiB * kKiB * kKiB); }},
    Row{{"ATOLL_SPIN", "-1 to 1000000", "-1",
         "Polls before a waiting rank yields its core; -1 goes by ranks, cores, and where the peers run."},
        [](Settings& s, std::string_view t) { return readInt(s.spin, t, -1, 1000000); }},
    Row{{"ATOLL_PATHS", "path=auto/on/off list", "",
         "Forces fast paths on or off, to find out whether one is at fault: flat, stream, forward, deliver, eager, "
         "sleep, or "
         "all "
         "of them, e.g. all=off,flat=on (docs/tuning.md)."},
        [](Settings& s, std::string_view t) -> Status {
          ATOLL_ASSIGN(s.paths, Paths::parse(t));
          return success();
        }},
    Row{{"ATOLL_CUDA_P2P", "on/off", "on",
         "Devices of one host reach each other's memory where they can; off: all goes by way of host memory. The same "
         "on every rank."},
        [](Settings& s, std::string_view t) { return readSwitch(s.peerAccess, t); }},
    Row{{"ATOLL_CHECK", "on/off", "on", "Ranks compare what they call, with every message."},
        [](Settings& s, std::string_view t) { return readSwitch(s.checkCalls, t); }},
};

/// Variables that other parts read for themselves; documented beside the registry's own.
const std::array kElsewhere = {
    SettingInfo{"ATOLL_DEBUG", "subject list", "",
                "Diagnostics on standard error: info, plan, link, bootstrap, exec, topology, or all."},
    SettingInfo{"ATOLL_RENDEZVOUS_FILE", "path", "",
                "File by which the processes of a job find each other; process 0 writes it."},
    SettingInfo{"ATOLL_RANK", "rank", "", "Set by `atoll run`: number of this process in its job."},
    SettingInfo{"ATOLL_RANKS", "count", "", "Set by `atoll run`: number of processes."},
    SettingInfo{"ATOLL_LOCAL_RANK", "rank", "", "Set by `atoll run`: number of this process among those of its host."},
    SettingInfo{"ATOLL_LAUNCHER_FD", "descriptor", "",
                "Set by `atoll run`: where process 0's rendezvous reaches the others."},
    SettingInfo{"ATOLL_ID", "hexadecimal", "", "A unique id for the world communicator, for launchers of one's own."},
};

std::size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row[b.size()];
}

void warnOfUnknown() {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto name = text.substr(0, text.find('='));
    if (!name.starts_with("ATOLL_")) continue;
    const auto table = settingTable();
    if (std::ranges::any_of(table, [&](const SettingInfo& s) { return s.name == name; })) continue;
    const auto nearest =
        std::ranges::min_element(table, {}, [&](const SettingInfo& s) { return editDistance(s.name, name); });
    log::warn("unknown setting {}; did you mean {}?", name, nearest->name);
  }
}

}  // namespace

Result<Settings> Settings::fromEnvironment() {
  static std::once_flag warned;
  std::call_once(warned, warnOfUnknown);
  Settings settings;
  for (const Row& row : kRows) {
    const char* value = std::getenv(row.info.name.data());
    if (value == nullptr) continue;
    if (auto status = row.read(settings, value); !status.ok()) return std::move(status).error().within(row.info.name);
  }
  return settings;
}

std::span<const SettingInfo> settingTable() {
  static const std::vector<SettingInfo> table = [] {
    std::vector<SettingInfo> rows;
    for (const Row& row : kRows) rows.push_back(row.info);
    rows.insert(rows.end(), kElsewhere.begin(), kElsewhere.end());
    return rows;
  }();
  return table;
}

Result<std::uint64_t> parseBytes(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, ec] = std::from_chars(text.data(), end, value);
  if (ec != std::errc() || rest == text.data()) return bad(text, "a size such as 8, 64K, 1M or 2G");
  unsigned shift = 0;
  const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  if (suffix == "K" || suffix == "k") {
    shift = 10;
  } else if (suffix == "M" || suffix == "m") {
    shift = 20;
  } else if (suffix == "G" || suffix == "g") {
    shift = 30;
  } else if (!suffix.empty()) {
    return bad(text, "a size such as 8, 64K, 1M or 2G");
  }
  if (value > (std::uint64_t{1} << 62 >> shift)) return bad(text, "a size that fits 62 bits");
  return value << shift;
}

}  // namespace atl
