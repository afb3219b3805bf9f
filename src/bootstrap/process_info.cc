// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/process_info.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "src/base/log.h"
#include "src/bootstrap/handshake.h"
#include "src/bootstrap/reception.h"
#include "src/bootstrap/service.h"
#include "src/bootstrap/socket.h"
#include "src/plan/tuning_file.h"
#include "src/topology/description.h"
#include "src/topology/host_identity.h"
#include "src/topology/network_interfaces.h"
#include "src/topology/surroundings.h"
#include "src/topology/usable_cores.h"
#include "transports/names.h"

namespace atl {
namespace {

/// More addresses than this are of no use to peers and would only make the directory larger.
constexpr std::size_t kMostAddresses = 4;

Status listen(const Settings& settings, ProcessInfo& process) {
  ATOLL_ASSIGN(const auto available, networkInterfaces());
  ATOLL_ASSIGN(const auto choice, chooseAddresses(available, settings));
  Error failure;
  std::string texts;
  process.rails = 0;
  for (std::size_t i = 0; i < choice.addresses.size() && process.addresses.size() < kMostAddresses; ++i) {
    const InterfaceAddress& candidate = choice.addresses[i];
    auto listening = Reception::instance().listenAt(NetAddress{candidate.ip, 0, candidate.scope});
    if (!listening.ok()) {
      failure = std::move(listening).error();
      continue;
    }
    texts += fmt::format("{}{} {}", texts.empty() ? "" : ", ", candidate.interface, listening->text());
    process.addresses.push_back(*listening);
    if (i < choice.rails) ++process.rails;
    if (process.addresses.size() == 1) process.megabits = static_cast<std::uint32_t>(candidate.megabitsPerSecond);
  }
  if (process.addresses.empty()) return failure;
  process.rails = std::max<std::uint16_t>(process.rails, 1);
  static std::atomic<bool> told = false;
  if (!told.exchange(true)) {
    log::line(log::Subject::link, kNoRank, "listening on {}: {}; streams are spread over the first {}", texts,
              choice.reason, process.rails);
  }
  return success();
}

/// 0 without a table, and with one that cannot be read, about which the communicator complains.
std::uint64_t tuningHash(const std::string& path) {
  if (path.empty()) return 0;
  const auto file = plan::tuningFileAt(path);
  return file.ok() ? (*file)->hash : 0;
}

/// Likewise.
std::uint64_t topologyHash(const std::string& path) {
  if (path.empty()) return 0;
  const auto file = topologyFileAt(path);
  return file.ok() ? (*file)->hash : 0;
}

}  // namespace

std::uint64_t processNumber() {
  static const std::uint64_t number = randomNumber();
  return number;
}

ProcessInfo describeProcess(const Settings& settings, std::uint32_t transports) {
  ProcessInfo process;
  process.id = processNumber();
  process.host = hostIdentity(settings);
  process.machine = machineIdentity();
  process.hostName = hostName();
  process.pid = ::getpid();
  process.transports = transports;
  process.cores = usableCores();
  process.cpus = allowedCpus();
  process.tuning = tuningHash(settings.tuningFile);
  process.topology = topologyHash(settings.topologyFile);
  process.fabric = fabricIdentity();
  process.island = settings.island;
  process.package = static_cast<std::int16_t>(boundPackage());
  return process;
}

Result<ProcessInfo> describeListeningProcess(const Settings& settings) {
  ATOLL_ASSIGN(const auto transports, allowedTransports(settings));
  ProcessInfo process = describeProcess(settings, transports);
  ATOLL_TRY(listen(settings, process));
  ATOLL_ASSIGN(const auto localName, Reception::instance().listenLocally());
  process.localName = localSocketName(localName);
  return process;
}

}  // namespace atl
