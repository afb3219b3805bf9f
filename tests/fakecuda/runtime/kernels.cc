// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/kernels.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "tests/fakecuda/runtime/configuration.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/streams.h"

namespace fakecuda {
namespace {

constexpr std::size_t kArgumentAlignment = 64;

struct Kernels {
  std::mutex mutex;
  std::map<const void*, std::shared_ptr<const Kernel>> bySymbol;
  std::map<std::string, std::shared_ptr<const Kernel>> byName;  ///< registered without a symbol
  std::map<const void*, std::string> symbolNames;
  std::set<std::pair<const void*, int>> loaded;  ///< symbol and device
};

Kernels& kernels() {
  static auto* const made = new Kernels;
  return *made;
}

/// Looks for a kernel; the table is locked.
std::shared_ptr<const Kernel> lookUp(Kernels& all, const void* symbol) {
  const auto found = all.bySymbol.find(symbol);
  if (found != all.bySymbol.end()) return found->second;
  const auto name = all.symbolNames.find(symbol);
  if (name == all.symbolNames.end()) return nullptr;
  const auto named = all.byName.find(name->second);
  if (named == all.byName.end()) return nullptr;
  return all.bySymbol[symbol] = named->second;
}

std::size_t roundUp(std::size_t bytes) {
  return (bytes + kArgumentAlignment - 1) / kArgumentAlignment * kArgumentAlignment;
}

void copyArguments(Launch& launch, void** arguments) {
  std::size_t bytes = kArgumentAlignment;
  for (const Parameter& parameter : launch.kernel->parameters) bytes += roundUp(parameter.bytes);
  launch.storage.assign(bytes, std::byte{0});
  launch.arguments.clear();
  auto place = reinterpret_cast<std::byte*>(roundUp(reinterpret_cast<std::uintptr_t>(launch.storage.data())));
  for (std::size_t i = 0; i < launch.kernel->parameters.size(); ++i) {
    std::memcpy(place, arguments[i], launch.kernel->parameters[i].bytes);
    launch.arguments.push_back(place);
    place += roundUp(launch.kernel->parameters[i].bytes);
  }
}

bool isCluster(const Launch& launch) {
  return blocksOf(launch.cluster) > 1;
}

cudaError_t checkCluster(const Launch& launch) {
  if (blocksOf(launch.cluster) == 0) return cudaErrorInvalidValue;
  const unsigned long long most = launch.kernel->largeClusters ? 2 * kPortableClusterBlocks : kPortableClusterBlocks;
  if (blocksOf(launch.cluster) > most) return cudaErrorInvalidClusterSize;
  const bool divides = launch.grid.x % launch.cluster.x == 0 && launch.grid.y % launch.cluster.y == 0 &&
                       launch.grid.z % launch.cluster.z == 0;
  return divides ? cudaSuccess : cudaErrorInvalidConfiguration;
}

}  // namespace

unsigned long long blocksOf(const dim3& size) {
  return 1ULL * size.x * size.y * size.z;
}

void registerKernel(const void* symbol, std::string name, std::vector<Parameter> parameters, KernelBody body,
                    KernelTraits traits) {
  auto kernel = std::make_shared<Kernel>();
  kernel->name = name;
  kernel->parameters = std::move(parameters);
  kernel->body = std::move(body);
  kernel->traits = traits;
  kernel->dynamicSharedLimit = kSharedPerBlock - std::min(traits.staticSharedBytes, kSharedPerBlock);
  Kernels& all = kernels();
  const std::lock_guard lock(all.mutex);
  if (symbol == nullptr) {
    all.byName[name] = std::move(kernel);
  } else {
    all.bySymbol[symbol] = std::move(kernel);
  }
}

std::shared_ptr<const Kernel> kernelOf(const void* symbol) {
  Kernels& all = kernels();
  std::unique_lock lock(all.mutex);
  std::shared_ptr<const Kernel> kernel = lookUp(all, symbol);
  if (kernel != nullptr) return kernel;
  const auto name = all.symbolNames.find(symbol);
  const std::string shown = name == all.symbolNames.end() ? "without a name" : name->second;
  lock.unlock();
  reportFailure("a kernel was used that no test registered: " + shown);
  return nullptr;
}

void nameSymbol(const void* symbol, const char* name) {
  Kernels& all = kernels();
  const std::lock_guard lock(all.mutex);
  all.symbolNames[symbol] = name;
}

cudaError_t setKernelAttribute(const void* symbol, cudaFuncAttribute attribute, int value) {
  const std::shared_ptr<const Kernel> kernel = kernelOf(symbol);
  if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
  auto changed = std::make_shared<Kernel>(*kernel);
  switch (attribute) {
    case cudaFuncAttributeMaxDynamicSharedMemorySize:
      if (value < 0 || static_cast<std::size_t>(value) + kernel->traits.staticSharedBytes > kSharedPerBlockOptIn) {
        return cudaErrorInvalidValue;
      }
      changed->dynamicSharedLimit = static_cast<std::size_t>(value);
      break;
    case cudaFuncAttributeNonPortableClusterSizeAllowed: changed->largeClusters = value != 0; break;
    case cudaFuncAttributePreferredSharedMemoryCarveout: return cudaSuccess;
    default: return cudaErrorInvalidValue;
  }
  Kernels& all = kernels();
  const std::lock_guard lock(all.mutex);
  all.bySymbol[symbol] = std::move(changed);
  return cudaSuccess;
}

void loadKernel(const void* symbol, const Kernel& kernel, int device) {
  Kernels& all = kernels();
  {
    const std::lock_guard lock(all.mutex);
    if (!all.loaded.emplace(symbol, device).second) return;
  }
  if (configuration().eagerLoading) return;
  // A program that launches it under a kernel which waits for it hangs here, as it would on a device; let it be seen
  // where.
  std::future<void> idle = std::async(std::launch::async, [device] { waitForDevice(device); });
  while (idle.wait_for(std::chrono::seconds(5)) != std::future_status::ready) {
    std::fprintf(stderr, "fakecuda: loading kernel %s waits for the work of device %d\n", kernel.name.c_str(), device);
  }
}

void forgetKernelLoads() {
  Kernels& all = kernels();
  const std::lock_guard lock(all.mutex);
  all.loaded.clear();
}

int blocksPerMultiprocessor(const Kernel& kernel, unsigned long long threads, std::size_t sharedBytes) {
  if (threads == 0 || threads > static_cast<unsigned long long>(kernel.traits.maxThreadsPerBlock)) return 0;
  const std::size_t shared = sharedBytes + kernel.traits.staticSharedBytes + kSharedReservedPerBlock;
  const auto registers = static_cast<unsigned long long>(std::max(kernel.traits.registers, 1)) * threads;
  const unsigned long long most =
      std::min({kThreadsPerMultiprocessor / threads, kRegistersPerMultiprocessor / registers,
                static_cast<unsigned long long>(kSharedPerMultiprocessor / shared),
                static_cast<unsigned long long>(kBlocksPerMultiprocessor)});
  return static_cast<int>(most);
}

cudaError_t complete(Launch& launch, void** arguments) {
  launch.kernel = kernelOf(launch.symbol);
  if (launch.kernel == nullptr) return cudaErrorInvalidDeviceFunction;
  const unsigned long long threads = blocksOf(launch.threads);
  if (blocksOf(launch.grid) == 0 || threads == 0 || threads > kThreadsPerBlock) return cudaErrorInvalidConfiguration;
  if (launch.sharedBytes > launch.kernel->dynamicSharedLimit) return cudaErrorInvalidValue;
  const int resident = blocksPerMultiprocessor(*launch.kernel, threads, launch.sharedBytes);
  if (resident == 0) return cudaErrorLaunchOutOfResources;
  const cudaError_t cluster = checkCluster(launch);
  if (cluster != cudaSuccess) return cluster;
  const unsigned long long together =
      1ULL * static_cast<unsigned>(resident) * static_cast<unsigned>(configuration().multiprocessors);
  if ((launch.cooperative && blocksOf(launch.grid) > together) ||
      (isCluster(launch) && blocksOf(launch.cluster) > together)) {
    return cudaErrorCooperativeLaunchTooLarge;
  }
  if (arguments == nullptr && !launch.kernel->parameters.empty()) return cudaErrorInvalidValue;
  copyArguments(launch, arguments);
  return cudaSuccess;
}

cudaError_t launchOf(const cudaKernelNodeParams* parameters, std::shared_ptr<const Launch>& launch) {
  if (parameters == nullptr || parameters->extra != nullptr) return cudaErrorInvalidValue;
  auto made = std::make_shared<Launch>();
  made->symbol = parameters->func;
  made->grid = parameters->gridDim;
  made->threads = parameters->blockDim;
  made->sharedBytes = parameters->sharedMemBytes;
  const cudaError_t wrong = complete(*made, parameters->kernelParams);
  if (wrong != cudaSuccess) return wrong;
  loadKernel(made->symbol, *made->kernel, currentDevice());
  launch = std::move(made);
  return cudaSuccess;
}

cudaKernelNodeParams parametersOf(const Launch& launch) {
  cudaKernelNodeParams parameters{};
  parameters.func = const_cast<void*>(launch.symbol);
  parameters.gridDim = launch.grid;
  parameters.blockDim = launch.threads;
  parameters.sharedMemBytes = static_cast<unsigned>(launch.sharedBytes);
  parameters.kernelParams = const_cast<void**>(launch.arguments.data());
  return parameters;
}

}  // namespace fakecuda
