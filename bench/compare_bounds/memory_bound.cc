// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_bounds/memory_bound.h"

#include <algorithm>
#include <barrier>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "kernels/host/kernels.h"
#include "src/base/clock.h"

namespace atl::perf {
namespace {

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, Free>;

/// Page-aligned, and filled by the thread that uses it: not with zeros, which memory may be clever about.
Memory touched(std::size_t bytes) {
  constexpr std::size_t kPage = 4096;
  Memory memory(std::aligned_alloc(kPage, (bytes + kPage - 1) / kPage * kPage));
  if (memory != nullptr) std::fill_n(static_cast<float*>(memory.get()), bytes / sizeof(float), 1.5F);
  return memory;
}

int buffersOf(MemoryWork work) {
  return work == MemoryWork::sum ? 3 : 2;
}

/// One core's buffers and what it does with them.
class Worker {
 public:
  Worker(MemoryWork work, std::size_t bytes) : work_(work), bytes_(bytes) {
    for (int i = 0; i < buffersOf(work); ++i) memory_.push_back(touched(bytes));
  }

  [[nodiscard]] bool ready() const {
    return std::all_of(memory_.begin(), memory_.end(), [](const Memory& m) { return m != nullptr; });
  }

  void runOnce() const {
    void* const to = memory_[0].get();
    const void* const from = memory_[1].get();
    switch (work_) {
      case MemoryWork::copy: std::memcpy(to, from, bytes_); break;
      case MemoryWork::stream: kernels::streamBytes(to, from, bytes_); break;
      case MemoryWork::sum: {
        const void* const operands[] = {from, memory_[2].get()};
        sum_(to, operands, 2, bytes_ / sizeof(float));
        break;
      }
    }
    asm volatile("" : : "r"(to) : "memory");  // the result counts as used
  }

 private:
  MemoryWork work_;
  std::size_t bytes_;
  std::vector<Memory> memory_;
  kernels::ReduceFn sum_ = kernels::reduceKernel(DataType::float32, ReduceOp::sum);
};

double secondsFor(const Worker& worker, std::int64_t rounds) {
  const auto start = Clock::now();
  for (std::int64_t i = 0; i < rounds; ++i) worker.runOnce();
  return seconds(Clock::now() - start);
}

}  // namespace

std::string_view nameOf(MemoryWork work) {
  switch (work) {
    case MemoryWork::copy: return "copy";
    case MemoryWork::stream: return "stream";
    case MemoryWork::sum: return "sum";
  }
  return "";
}

std::uint64_t workingSetOf(MemoryWork work, const std::vector<int>& cores, std::size_t bytes) {
  return static_cast<std::uint64_t>(buffersOf(work)) * bytes * cores.size();
}

MemoryRate measureMemory(MemoryWork work, const std::vector<int>& cores, std::size_t bytes, int repetitions,
                         double seconds) {
  // Each core writes its own element, and reads the others' after they have met.
  std::vector<std::int64_t> rounds(cores.size(), 0);
  std::vector<double> took(cores.size(), 0);
  std::vector<double> slowest;  // of each repetition; core 0 writes
  std::barrier meeting(static_cast<std::ptrdiff_t>(cores.size()));
  onEachCore(cores, [&](std::size_t core) {
    const Worker worker(work, bytes);
    if (worker.ready()) {
      secondsFor(worker, 1);  // warms up
      rounds[core] = static_cast<std::int64_t>(std::max(1.0, seconds / std::max(secondsFor(worker, 1), 1e-9)));
    }
    meeting.arrive_and_wait();
    const std::int64_t common = *std::min_element(rounds.begin(), rounds.end());
    for (int r = 0; r < repetitions; ++r) {
      meeting.arrive_and_wait();
      took[core] = secondsFor(worker, common);
      meeting.arrive_and_wait();
      if (core == 0) slowest.push_back(*std::max_element(took.begin(), took.end()));
    }
  });
  const std::uint64_t workingSet = workingSetOf(work, cores, bytes);
  const std::int64_t common = *std::min_element(rounds.begin(), rounds.end());
  const double best = *std::min_element(slowest.begin(), slowest.end());
  // No memory for some core's buffers: no rounds, and a rate of 0.
  return {work, workingSet, static_cast<double>(workingSet) * static_cast<double>(common) / best / 1e9};
}

}  // namespace atl::perf
