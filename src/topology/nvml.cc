// SPDX-License-Identifier: Apache-2.0
#include "src/topology/nvml.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "src/base/hash.h"

namespace atl {
namespace {

// What the library's binary interface says, as far as it is used.
using Device = struct OpaqueDevice*;
constexpr int kSuccess = 0;
constexpr unsigned char kFabricComplete = 3;
constexpr unsigned kMostDevices = 256;

struct PciInfo {
  std::array<char, 16> legacyAddress;
  unsigned domain, bus, device, deviceId, subsystemId;
  std::array<char, 32> address;
};

struct FabricInfo {
  std::array<unsigned char, 16> cluster;
  int status;
  unsigned clique;
  unsigned char state;
};

struct CloseLibrary {
  void operator()(void* library) const { ::dlclose(library); }
};

class Library {
 public:
  explicit Library(const std::string& name) : handle_(::dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL)) {
    find(start_, "nvmlInit_v2");
    find(stop_, "nvmlShutdown");
    find(count_, "nvmlDeviceGetCount_v2");
    find(device_, "nvmlDeviceGetHandleByIndex_v2");
    find(name_, "nvmlDeviceGetName");
    find(pci_, "nvmlDeviceGetPciInfo_v3");
    find(fabric_, "nvmlDeviceGetGpuFabricInfo");  // since 2022; older drivers know no fabrics
  }

  /// Empty, or why the library is of no use.
  [[nodiscard]] std::string fault() const {
    if (handle_ == nullptr) return "NVIDIA's driver library is not here";
    const bool complete = start_ && stop_ && count_ && device_ && name_ && pci_;
    return complete ? "" : "NVIDIA's driver library lacks functions that this program asks for";
  }

  [[nodiscard]] NvmlReading read() const {
    NvmlReading reading;
    if (const int code = start_(); code != kSuccess) {
      reading.absence = fmt::format("NVIDIA's driver does not answer (NVML error {})", code);
      return reading;
    }
    unsigned count = 0;
    if (count_(&count) != kSuccess) count = 0;
    for (unsigned i = 0; i < std::min(count, kMostDevices); ++i) {
      Device device = nullptr;
      if (device_(i, &device) == kSuccess) reading.devices.push_back(describe(device));
    }
    stop_();
    if (reading.devices.empty()) reading.absence = "NVIDIA's driver shows no device to this process";
    return reading;
  }

 private:
  template <class Function>
  void find(Function*& function, const char* symbol) {
    if (handle_ != nullptr) function = reinterpret_cast<Function*>(::dlsym(handle_.get(), symbol));
  }

  [[nodiscard]] NvmlDevice describe(Device device) const {
    NvmlDevice found;
    std::array<char, 96> name{};
    if (name_(device, name.data(), name.size() - 1) == kSuccess) found.name = name.data();
    PciInfo pci{};
    if (pci_(device, &pci) == kSuccess) {
      found.pciAddress = fmt::format("{:04x}:{:02x}:{:02x}.0", pci.domain, pci.bus, pci.device);
    }
    FabricInfo fabric{};
    if (fabric_ != nullptr && fabric_(device, &fabric) == kSuccess && fabric.state == kFabricComplete &&
        fabric.status == kSuccess &&
        std::ranges::any_of(fabric.cluster, [](unsigned char byte) { return byte != 0; })) {
      const std::string_view cluster(reinterpret_cast<const char*>(fabric.cluster.data()), fabric.cluster.size());
      found.fabric = std::max<std::uint64_t>(1, hashText(fmt::format("{}/{}", cluster, fabric.clique)));
    }
    return found;
  }

  std::unique_ptr<void, CloseLibrary> handle_;
  int (*start_)() = nullptr;
  int (*stop_)() = nullptr;
  int (*count_)(unsigned*) = nullptr;
  int (*device_)(unsigned, Device*) = nullptr;
  int (*name_)(Device, char*, unsigned) = nullptr;
  int (*pci_)(Device, PciInfo*) = nullptr;
  int (*fabric_)(Device, FabricInfo*) = nullptr;
};

}  // namespace

NvmlReading readNvml(const std::string& library) {
  const Library loaded(library);
  if (auto fault = loaded.fault(); !fault.empty()) return {{}, std::move(fault)};
  return loaded.read();
}

}  // namespace atl
