// SPDX-License-Identifier: Apache-2.0
#include "src/topology/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "src/topology/device_view.h"
#include "src/topology/host_identity.h"
#include "src/topology/network_interfaces.h"
#include "src/topology/nvml.h"
#include "src/topology/surroundings.h"
#include "src/topology/usable_cores.h"

namespace atl {
namespace {

// PCI classes, the upper byte of which says what a device is.
constexpr unsigned kDisplayClass = 0x03;
constexpr unsigned kAcceleratorClass = 0x12;
constexpr unsigned kVgaSubclass = 0x00;

struct Vendor {
  unsigned id;
  const char* name;
};
constexpr std::array kVendors = {
    Vendor{0x10de, "NVIDIA accelerator"}, Vendor{0x1002, "AMD accelerator"},    Vendor{0x8086, "Intel accelerator"},
    Vendor{0x19e5, "Huawei accelerator"}, Vendor{0x1da3, "Habana accelerator"}, Vendor{0x1ae0, "Google accelerator"},
};

class Reader {
 public:
  explicit Reader(TopologyHandle handle) : handle_(std::move(handle)), nvml_(readNvml()) {}

  Machine read() {
    Machine machine;
    machine.hostName = hostName();
    machine.packages = packages();
    if (handle_ == nullptr) {
      machine.remarks.emplace_back("hwloc cannot read this machine: it is taken for one package without devices");
    } else {
      accelerators(machine);
      networks(machine);
      if (hwloc_get_nbobjs_by_type(handle_.get(), HWLOC_OBJ_PCI_DEVICE) <= 0) {
        machine.remarks.emplace_back("no PCI device is visible: accelerators and cards may be hidden");
      }
    }
    for (std::string& disguise : disguises()) machine.remarks.push_back(std::move(disguise));
    if (!nvml_.absence.empty()) machine.remarks.push_back(nvml_.absence);
    return machine;
  }

 private:
  [[nodiscard]] std::vector<MachinePackage> packages() const {
    const int count = handle_ == nullptr ? 0 : hwloc_get_nbobjs_by_type(handle_.get(), HWLOC_OBJ_PACKAGE);
    if (count <= 0) return {MachinePackage{usableCores(), 1}};
    std::vector<MachinePackage> all;
    for (int i = 0; i < count; ++i) {
      const auto* const package = hwloc_get_obj_by_type(handle_.get(), HWLOC_OBJ_PACKAGE, static_cast<unsigned>(i));
      const int cores = hwloc_get_nbobjs_inside_cpuset_by_type(handle_.get(), package->cpuset, HWLOC_OBJ_CORE);
      const int pus = hwloc_get_nbobjs_inside_cpuset_by_type(handle_.get(), package->cpuset, HWLOC_OBJ_PU);
      all.push_back({cores > 0 ? cores : std::max(pus, 1), std::max(hwloc_bitmap_weight(package->nodeset), 1)});
    }
    return all;
  }

  /// The package whose CPUs are nearest to an I/O object; the first where several are.
  [[nodiscard]] int packageOf(hwloc_obj_t object) const {
    const hwloc_obj_t near = hwloc_get_non_io_ancestor_obj(handle_.get(), object);
    const int count = hwloc_get_nbobjs_by_type(handle_.get(), HWLOC_OBJ_PACKAGE);
    for (int i = 0; near != nullptr && i < count; ++i) {
      const auto* const package = hwloc_get_obj_by_type(handle_.get(), HWLOC_OBJ_PACKAGE, static_cast<unsigned>(i));
      if (hwloc_bitmap_intersects(package->cpuset, near->cpuset) != 0) return i;
    }
    return 0;
  }

  static std::string addressOf(hwloc_obj_t pci) {
    const auto& at = pci->attr->pcidev;
    return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", at.domain, at.bus, at.dev, at.func);
  }

  /// "AMD accelerator 1002:74a1".
  static std::string modelOf(hwloc_obj_t pci) {
    const auto& ids = pci->attr->pcidev;
    const auto vendor = std::ranges::find(kVendors, ids.vendor_id, &Vendor::id);
    return fmt::format("{} {:04x}:{:04x}", vendor == kVendors.end() ? "accelerator" : vendor->name, ids.vendor_id,
                       ids.device_id);
  }

  /// What NVML names, and PCI devices that are made to compute: 3-D controllers and accelerators, not screens' cards.
  void accelerators(Machine& machine) const {
    for (hwloc_obj_t pci = nullptr; (pci = hwloc_get_next_pcidev(handle_.get(), pci)) != nullptr;) {
      MachineDevice device;
      device.pciAddress = addressOf(pci);
      const auto known = std::ranges::find(nvml_.devices, device.pciAddress, &NvmlDevice::pciAddress);
      const unsigned upper = pci->attr->pcidev.class_id >> 8;
      const unsigned lower = pci->attr->pcidev.class_id & 0xff;
      const bool computes = upper == kAcceleratorClass || (upper == kDisplayClass && lower != kVgaSubclass);
      if (known == nvml_.devices.end() && !computes) continue;
      device.name = known != nvml_.devices.end() && !known->name.empty() ? known->name : modelOf(pci);
      if (known != nvml_.devices.end()) device.fabric = known->fabric;
      device.package = packageOf(pci);
      machine.devices.push_back(std::move(device));
    }
  }

  /// Interfaces of PCI cards, and those without a card that lead out of the machine.
  void networks(Machine& machine) const {
    const auto addresses = networkInterfaces();
    std::vector<std::string> found;
    for (hwloc_obj_t os = nullptr; (os = hwloc_get_next_osdev(handle_.get(), os)) != nullptr;) {
      if (os->attr->osdev.type != HWLOC_OBJ_OSDEV_NETWORK) continue;
      MachineDevice device;
      device.kind = MachineDevice::Kind::network;
      device.name = os->name;
      device.package = packageOf(os);
      if (os->parent != nullptr && os->parent->type == HWLOC_OBJ_PCI_DEVICE) device.pciAddress = addressOf(os->parent);
      device.rate = rateOf(addresses, device.name);
      found.push_back(device.name);
      machine.devices.push_back(std::move(device));
    }
    if (!addresses.ok()) return;
    for (const InterfaceAddress& address : *addresses) {
      if (address.loopback || address.virtualBridge || !address.up) continue;
      if (std::ranges::find(found, address.interface) != found.end()) continue;
      found.push_back(address.interface);
      machine.devices.push_back(
          {MachineDevice::Kind::network, address.interface, "", 0, rateOf(addresses, address.interface), 0});
    }
  }

  static double rateOf(const Result<std::vector<InterfaceAddress>>& addresses, const std::string& name) {
    constexpr double kBytesOfMegabit = 1e6 / 8;
    if (!addresses.ok()) return 0;
    const auto known = std::ranges::find(*addresses, name, &InterfaceAddress::interface);
    return known == addresses->end() ? 0 : known->megabitsPerSecond * kBytesOfMegabit;
  }

  TopologyHandle handle_;
  NvmlReading nvml_;
};

bool isAccelerator(const MachineDevice& device) {
  return device.kind == MachineDevice::Kind::accelerator;
}

}  // namespace

Machine readMachine() {
  return Reader(loadWithDevices()).read();
}

std::string rankNameOf(const Machine& machine) {
  return std::ranges::any_of(machine.devices, isAccelerator) ? "GPU" : "core";
}

Topology topologyOf(const Machine& machine) {
  const bool accelerators = std::ranges::any_of(machine.devices, isAccelerator);
  plan::Hierarchy::Members ranks;
  std::vector<std::string> names;
  for (std::size_t p = 0; p < machine.packages.size(); ++p) {
    const auto mine = std::ranges::count_if(machine.devices, [&](const MachineDevice& device) {
      return isAccelerator(device) && device.package == static_cast<int>(p);
    });
    const int count = accelerators ? static_cast<int>(mine) : machine.packages[p].cores;
    if (count == 0) continue;  // a package without accelerators has no rank
    ranks.push_back(count);
    names.push_back(fmt::format("package {}", p));
  }
  Level host;
  host.name = "host";
  std::vector<plan::Hierarchy::Members> members = {ranks};
  std::vector<Level> levels = {host};
  Topology::Labels labels = {{machine.hostName}};
  if (ranks.size() > 1) {
    Level package;
    package.name = "package";
    members.push_back({static_cast<std::int32_t>(ranks.size())});
    levels.insert(levels.begin(), package);
    labels.insert(labels.begin(), names);
  }
  return Topology::make(machine.hostName, plan::Hierarchy::make(members).value(), levels, labels).value();
}

}  // namespace atl
