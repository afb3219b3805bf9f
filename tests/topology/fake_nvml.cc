// SPDX-License-Identifier: Apache-2.0
// A stand-in for NVIDIA's driver library: two devices, the first in a fabric of several hosts, the second not.
#include <cstdio>
#include <cstring>

extern "C" {

// Without nvmlInit_v2 the real library answers nothing.
static bool started = false;

int nvmlInit_v2() {
  started = true;
  return 0;
}
int nvmlShutdown() {
  started = false;
  return 0;
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 2;
  return started ? 0 : 1;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  static char devices[2];
  *device = &devices[index];
  devices[index] = static_cast<char>(index);
  return started ? 0 : 1;
}
int nvmlDeviceGetName(void* device, char* name, unsigned length) {
  std::snprintf(name, length, "Fake %d", *static_cast<char*>(device));
  return 0;
}
struct Pci {
  char legacy[16];
  unsigned domain, bus, device, id, subsystem;
  char text[32];
};
int nvmlDeviceGetPciInfo_v3(void* device, Pci* pci) {
  pci->domain = 1;
  pci->bus = 0x1b;
  pci->device = static_cast<unsigned>(*static_cast<char*>(device));
  return 0;
}
struct Fabric {
  unsigned char cluster[16];
  int status;
  unsigned clique;
  unsigned char state;
};
int nvmlDeviceGetGpuFabricInfo(void* device, Fabric* fabric) {
  std::memset(fabric, 0, sizeof *fabric);
  fabric->state = 3;
  if (*static_cast<char*>(device) == 0) fabric->cluster[3] = 9;
  return 0;
}
}
