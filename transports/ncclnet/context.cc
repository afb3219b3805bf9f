// SPDX-License-Identifier: Apache-2.0
#include "transports/ncclnet/context.h"

#include <fmt/ranges.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <string>

#include "src/base/log.h"
#include "src/topology/device_order.h"
#include "transports/ncclnet/wire.h"

namespace atl::ncclnet {
namespace {

/// Between looks of a rank that sleeps: a tenth of what it takes to wake one on a busy machine is lost by it at most,
/// and a core is idle for nine tenths of the time.
constexpr long kPauseNanoseconds = 100'000;

}  // namespace

Result<int> chooseDevice(const std::vector<DeviceProperties>& devices, std::string_view name, std::size_t turn,
                         const std::vector<int>& distances) {
  std::vector<int> usable;
  std::vector<int> theirs;
  std::vector<std::string> known;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const DeviceProperties& device = devices[i];
    const char* const why = (device.memoryKinds & kHostMemory) == 0 ? " (not for host memory)"
                            : device.driver != kHostDriven          ? " (driven by a GPU)"
                                                                    : "";
    known.push_back(device.name + why);
    if (*why != '\0' || (!name.empty() && device.name != name)) continue;
    usable.push_back(static_cast<int>(i));
    theirs.push_back(distances[i]);
  }
  if (!usable.empty()) return usable[nearestFirst(theirs, turn).front()];
  return makeError(ErrorCode::unsupported, "no device{} can be used (ATOLL_NCCL_NET_DEVICE); there are {}",
                   name.empty() ? "" : fmt::format(" '{}'", name), fmt::join(known, ", "));
}

Result<std::shared_ptr<Context>> Context::create(const NcclNetSettings& settings, std::uint64_t communicator,
                                                 std::size_t turn) {
  ATOLL_ASSIGN(const Plugin* const plugin, Plugin::forSettings(settings));
  std::shared_ptr<Context> context(new Context(*plugin));
  ATOLL_TRY(context->open(settings, communicator, turn));
  return context;
}

Status Context::open(const NcclNetSettings& settings, std::uint64_t communicator, std::size_t turn) {
  std::vector<std::string> folders;
  for (const DeviceProperties& device : plugin_.devices()) folders.push_back(folderBehind(device.pciPath));
  auto device = chooseDevice(plugin_.devices(), settings.device, turn, distancesFromHere(folders));
  if (!device.ok()) return std::move(device).error().within(plugin_.describe());
  device_ = *device;
  if (properties().mostBytes < kLeastBlockBytes) {
    return makeError(ErrorCode::unsupported, "{}: its device {} sends {} bytes at most (maxP2pBytes), {} are needed",
                     plugin_.describe(), properties().name, properties().mostBytes, kLeastBlockBytes);
  }
  timer_ = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer_) return systemError(errno, "cannot make a timer");
  // Before there were contexts a plug-in is initialised once a process, which Plugin has done.
  if (!net().hasContexts()) return success();
  const Code code = net().init(&handle_, communicator, &Plugin::log);
  if (code != Code::success) return plugin_.failure(ErrorCode::systemError, "init", code);
  opened_ = true;
  return success();
}

Context::~Context() {
  if (!opened_) return;
  const Code code = net().finalize(handle_);
  if (code != Code::success) log::warn("{}", plugin_.failure(ErrorCode::systemError, "finalize", code).text);
}

void Context::wanted(std::vector<pollfd>& fds) const {
  const itimerspec pause{{0, 0}, {0, kPauseNanoseconds}};
  ::timerfd_settime(timer_.get(), 0, &pause, nullptr);
  fds.push_back({timer_.get(), POLLIN, 0});
}

}  // namespace atl::ncclnet
