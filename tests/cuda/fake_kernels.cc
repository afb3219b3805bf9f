// SPDX-License-Identifier: Apache-2.0
#include "tests/cuda/fake_kernels.h"

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kernels/cuda/folding.h"
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/scaling.h"
#include "src/exec/cuda/device/launch.h"
#include "tests/device/host_space.h"
#include "tests/fakecuda/fakecuda.h"

namespace atl::test {
namespace {

/// As many of a block's threads as make sense on a few cores; the code is the same for any number.
constexpr std::uint32_t kThreads = 2;

/// A block that the device's disappearance ends too.
class FakeSpace : public HostSpace {
 public:
  FakeSpace(HostBlock& block, std::uint32_t thread, const std::function<bool()>& lost)
      : HostSpace(block, thread), lost_(lost) {}
  [[nodiscard]] bool interrupted() { return lost_() || HostSpace::interrupted(); }

 private:
  const std::function<bool()>& lost_;
};

template <DataType type>
void walkBlock(const fakecuda::Block& block, const device::Launch& launch, const device::Signals& signals) {
  HostBlock together(kThreads, signals);
  const auto memory = std::make_unique<device::Block<FakeSpace>>();
  const auto walk = [&](std::uint32_t thread) {
    FakeSpace space(together, thread, block.lost);
    device::walkAll<kernels::device::Folding<type>>(space, *memory, launch, static_cast<std::int32_t>(block.index.y),
                                                    static_cast<std::int32_t>(block.index.x));
  };
  std::vector<std::jthread> others;
  for (std::uint32_t thread = 1; thread < kThreads; ++thread) others.emplace_back(walk, thread);
  walk(0);
}

template <DataType type>
void registerWalk(const std::string& name) {
  fakecuda::KernelTraits traits;
  traits.maxThreadsPerBlock = kernels::device::kWalkThreads;
  fakecuda::registerKernel(
      nullptr, "atollWalk_" + name, {{sizeof(device::Launch), false}, {sizeof(void*), true}},
      [](const fakecuda::Block& block, void** arguments) {
        walkBlock<type>(block, *static_cast<const device::Launch*>(arguments[0]),
                        **static_cast<const device::Signals* const*>(arguments[1]));
      },
      traits);
}

}  // namespace

void registerKernels() {
  registerWalk<DataType::int8>("int8");
  registerWalk<DataType::uint8>("uint8");
  registerWalk<DataType::int32>("int32");
  registerWalk<DataType::uint32>("uint32");
  registerWalk<DataType::int64>("int64");
  registerWalk<DataType::uint64>("uint64");
  registerWalk<DataType::float16>("float16");
  registerWalk<DataType::float32>("float32");
  registerWalk<DataType::float64>("float64");
  registerWalk<DataType::bfloat16>("bfloat16");
  registerWalk<DataType::float8e4m3>("float8e4m3");
  registerWalk<DataType::float8e5m2>("float8e5m2");
  fakecuda::KernelTraits traits;
  traits.maxThreadsPerBlock = kernels::device::kScaleThreads;
  traits.concurrentBlocks = false;
  fakecuda::registerKernel(
      nullptr, "atollScale", {{sizeof(kernels::device::Scaling), false}},
      [](const fakecuda::Block& block, void** arguments) {
        const auto& scaling = *static_cast<const kernels::device::Scaling*>(arguments[0]);
        if (!fakecuda::storesArrive(block.device, scaling.to)) return;
        kernels::device::scale(scaling, block.number, block.grid.x);
      },
      traits);
}

}  // namespace atl::test
