// SPDX-License-Identifier: Apache-2.0
// The host kernels beside memcpy. Bytes per second count what is read and written: (n + 1) · size for n sources.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/host/kernels.h"

namespace {

using atl::DataType;
using atl::ReduceOp;

constexpr DataType kTypes[] = {DataType::float32, DataType::float64,    DataType::bfloat16,
                               DataType::float16, DataType::float8e4m3, DataType::float8e5m2,
                               DataType::int32,   DataType::int64,      DataType::int8};

/// Bytes per buffer: in the first-level cache, in the second, and beyond the last.
constexpr std::int64_t kSizes[] = {8 << 10, 32 << 10, 256 << 10, 1 << 20, 64 << 20};

/// Cache-line aligned bytes, of values near 1 in every type, so that products neither overflow nor reach subnormals.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes) : storage_(bytes + 64, 0x3c) {}
  void* data() { return reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(storage_.data()) + 63) / 64 * 64); }

 private:
  std::vector<std::uint8_t> storage_;
};

void countTraffic(benchmark::State& state, std::int64_t bytesPerIteration) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * bytesPerIteration);
}

void copyWith(benchmark::State& state, void (*copy)(void*, const void*, std::size_t)) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  Buffer from(bytes);
  Buffer to(bytes);
  for ([[maybe_unused]] auto _ : state) {
    copy(to.data(), from.data(), bytes);
    benchmark::ClobberMemory();
  }
  countTraffic(state, 2 * state.range(0));
}

void systemCopy(void* to, const void* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
}

void reduceWith(benchmark::State& state, DataType type, ReduceOp op) {
  const int n = static_cast<int>(state.range(0));
  const auto bytes = static_cast<std::size_t>(state.range(1));
  std::vector<Buffer> buffers;
  std::vector<const void*> sources;
  for (int s = 0; s < n; ++s) sources.push_back(buffers.emplace_back(bytes).data());
  Buffer destination(bytes);
  const atl::kernels::ReduceFn reduce = atl::kernels::reduceKernel(type, op);
  for ([[maybe_unused]] auto _ : state) {
    reduce(destination.data(), sources.data(), n, bytes / atl::sizeOf(type));
    benchmark::ClobberMemory();
  }
  countTraffic(state, (n + 1) * state.range(1));
  state.SetLabel(atl::kernels::targetName());
}

std::string nameOf(const char* what, DataType type, ReduceOp op) {
  return std::string(what).append("/").append(atl::nameOf(type)).append("/").append(atl::nameOf(op));
}

/// Registered at run time: the list is a product of types, operators, sources and sizes.
const bool registered = [] {
  auto* const memcpyBenchmark = benchmark::RegisterBenchmark("memcpy", copyWith, systemCopy);
  auto* const copyBenchmark = benchmark::RegisterBenchmark("copyBytes", copyWith, atl::kernels::copyBytes);
  for (const std::int64_t size : kSizes) {
    memcpyBenchmark->Arg(size);
    copyBenchmark->Arg(size);
  }
  for (const DataType type : kTypes) {
    for (const ReduceOp op : {ReduceOp::sum, ReduceOp::prod, ReduceOp::max}) {
      auto* const reduction = benchmark::RegisterBenchmark(nameOf("reduce", type, op).c_str(), reduceWith, type, op);
      for (const std::int64_t n : {2, 3, 4, 8}) {
        for (const std::int64_t size : kSizes) reduction->Args({n, size});
      }
    }
  }
  // The smallest messages: a call's fixed cost.
  auto* const small = benchmark::RegisterBenchmark("reduce/small", reduceWith, DataType::float32, ReduceOp::sum);
  for (const std::int64_t size : {4, 8, 64, 256, 1024}) small->Args({2, size});
  return true;
}();

}  // namespace
