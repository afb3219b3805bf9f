// SPDX-License-Identifier: Apache-2.0
// This machine for people and tools: packages, accelerators, network cards, and what may hide them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/topology/topology.h"

namespace atl {

struct MachineDevice {
  enum class Kind : std::uint8_t { accelerator, network };
  Kind kind = Kind::accelerator;
  std::string name;          ///< "eth0", "mlx5_0", "NVIDIA H100 80GB HBM3"
  std::string pciAddress;    ///< "0000:1b:00.0"; empty: not on PCI
  int package = 0;           ///< whose memory and PCI lanes it is attached to
  double rate = 0;           ///< of a network port, bytes per second; 0: not known
  std::uint64_t fabric = 0;  ///< of an accelerator, over several hosts; 0: none
};

struct MachinePackage {
  int cores = 0;
  int numaNodes = 0;
};

struct Machine {
  std::string hostName;
  std::vector<MachinePackage> packages;  ///< at least one
  std::vector<MachineDevice> devices;
  std::vector<std::string> remarks;  ///< why this may not be all, or not be so; whole clauses
};

/// By hwloc, NVML where it is there, and sysfs. Never fails: what cannot be read is left out, with a remark.
Machine readMachine();

/// The machine as a host whose ranks are its accelerators, or its cores where it has none.
Topology topologyOf(const Machine& machine);

/// "GPU" or "core": what ranks stand for in that topology.
std::string rankNameOf(const Machine& machine);

}  // namespace atl
