// SPDX-License-Identifier: Apache-2.0
// NVIDIA's accelerators and the NVLink fabrics that they belong to, through the driver's own library. Nothing is needed
// to build, and a machine without the library simply has none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

struct NvmlDevice {
  std::string name;
  std::string pciAddress;    ///< "0000:1b:00.0", as hwloc and sysfs write it
  std::uint64_t fabric = 0;  ///< hash of the fabric and the clique in it that reach over several hosts; 0: none
};

struct NvmlReading {
  std::vector<NvmlDevice> devices;
  std::string absence;  ///< why there are none
};

/// Loads the library, asks and unloads it again; some ten milliseconds where there are devices.
NvmlReading readNvml(const std::string& library = "libnvidia-ml.so.1");

}  // namespace atl
