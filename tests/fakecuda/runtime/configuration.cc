// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/configuration.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <sstream>
#include <string_view>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/capture.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/events.h"
#include "tests/fakecuda/runtime/graphs.h"
#include "tests/fakecuda/runtime/kernels.h"
#include "tests/fakecuda/runtime/memory.h"
#include "tests/fakecuda/runtime/streams.h"
#include "tests/fakecuda/runtime/virtual_memory.h"

namespace fakecuda {
namespace {

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> items;
  std::istringstream stream(list);
  for (std::string item; std::getline(stream, item, ',');) items.push_back(item);
  return items;
}

std::atomic<const Configuration*> current{nullptr};
std::atomic<unsigned long long> resets{0};

/// Puts a machine in place. Earlier ones are kept, for a thread may still hold a reference.
void install(Configuration machine) {
  static std::mutex mutex;
  static auto* const machines = new std::vector<std::unique_ptr<const Configuration>>;
  if (machine.visible.empty()) {
    for (int device = 0; device < machine.devices; ++device) machine.visible.push_back(device);
  }
  const std::lock_guard lock(mutex);
  machines->push_back(std::make_unique<const Configuration>(std::move(machine)));
  planFailures(split(machines->back()->fail));
  current.store(machines->back().get(), std::memory_order_release);
}

void readNumber(const char* variable, auto& value) {
  if (const char* text = std::getenv(variable))
    value = static_cast<std::remove_reference_t<decltype(value)>>(std::atoll(text));
}

void readText(const char* variable, std::string& value) {
  if (const char* text = std::getenv(variable)) value = text;
}

/// Is the pair of different devices one of "0-1,2-3"? Of "all" every pair is.
bool names(const std::string& told, int physical, int otherPhysical) {
  if (physical == otherPhysical) return false;
  if (told == "all" || told == "none") return told == "all";
  const std::string pair = std::to_string(physical) + "-" + std::to_string(otherPhysical);
  const std::string mirrored = std::to_string(otherPhysical) + "-" + std::to_string(physical);
  const std::vector<std::string> pairs = split(told);
  return std::any_of(pairs.begin(), pairs.end(),
                     [&](const std::string& one) { return one == pair || one == mirrored; });
}

}  // namespace

Configuration configurationFromEnvironment() {
  Configuration machine;
  readNumber("FAKECUDA_DEVICES", machine.devices);
  readNumber("FAKECUDA_MEMORY", machine.memoryBytes);
  readNumber("FAKECUDA_SMS", machine.multiprocessors);
  readNumber("FAKECUDA_FABRIC", machine.fabric);
  readNumber("FAKECUDA_DRIVER", machine.driverVersion);  // "none" reads as 0
  readText("FAKECUDA_PEERS", machine.peers);
  readText("FAKECUDA_CORRUPT", machine.corrupt);
  readText("FAKECUDA_FAIL", machine.fail);
  std::string loading;
  readText("CUDA_MODULE_LOADING", loading);
  machine.eagerLoading = loading == "EAGER";
  std::string visible;
  readText("CUDA_VISIBLE_DEVICES", visible);
  for (const std::string& item : split(visible)) {
    const int device = std::atoi(item.c_str());
    if (device < 0 || device >= machine.devices) break;  // as the driver does: what follows a wrong one is not seen
    machine.visible.push_back(device);
  }
  if (!visible.empty() && machine.visible.empty()) machine.devices = 0;
  return machine;
}

const Configuration& configuration() {
  static std::once_flag first;
  std::call_once(first, [] {
    if (current.load(std::memory_order_relaxed) == nullptr) install(configurationFromEnvironment());
  });
  return *current.load(std::memory_order_acquire);
}

unsigned long long generation() {
  return resets.load(std::memory_order_acquire);
}

int physicalNumber(int device) {
  return configuration().visible.at(static_cast<std::size_t>(device));
}

int visibleNumber(int physical) {
  const std::vector<int>& visible = configuration().visible;
  const auto place = std::find(visible.begin(), visible.end(), physical);
  return place == visible.end() ? -1 : static_cast<int>(place - visible.begin());
}

bool peersByMachine(int physical, int otherPhysical) {
  return names(configuration().peers, physical, otherPhysical);
}

bool corruptsByMachine(int physical, int otherPhysical) {
  return names(configuration().corrupt, physical, otherPhysical);
}

void reset(Configuration machine) {
  forgetStreams();
  forgetCaptures();
  forgetEvents();
  forgetGraphs();
  forgetVirtualMemory();
  forgetMemory();
  forgetKernelLoads();
  forgetCalls();
  resets.fetch_add(1, std::memory_order_acq_rel);
  install(std::move(machine));
  forgetDevices();
}

}  // namespace fakecuda
