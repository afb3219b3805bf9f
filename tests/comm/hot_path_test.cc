// SPDX-License-Identifier: Apache-2.0
// A repeated call allocates nothing: this program counts every allocation it makes.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "tests/support/rank_threads.h"

namespace {

std::atomic<bool> counting{false};
std::atomic<long> allocations{0};

void* allocate(std::size_t bytes) {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) {
  return allocate(bytes);
}
void* operator new[](std::size_t bytes) {
  return allocate(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace atl {
namespace {

TEST(HotPath, RepeatedCalls_AllocateNothing) {
  constexpr Rank kRanks = 3;
  Settings settings = test::testSettings();
  settings.spin = 1 << 20;  // long waits sleep in poll(2), which is not what is measured here
  auto communicators = test::communicators(kRanks, settings);
  std::atomic<int> warm{0};
  std::atomic<int> finished{0};
  test::onThreads(kRanks, [&](Rank r) {
    auto& communicator = *communicators[static_cast<std::size_t>(r)];
    std::vector<std::vector<float>> buffers;
    for (const std::size_t count : {2U, 1000U, 300000U}) buffers.emplace_back(count, 1.0F);
    const auto callAll = [&] {
      for (auto& buffer : buffers) {
        Call call;
        call.collective = Collective::allReduce;
        call.op.op = ReduceOp::max;
        call.send = call.recv = buffer.data();
        call.count = buffer.size();
        call.type = DataType::float32;
        EXPECT_TRUE(communicator.run(call).ok());
      }
    };
    for (int i = 0; i < 3; ++i) callAll();
    if (++warm == kRanks) counting = true;
    while (!counting) std::this_thread::yield();
    for (int i = 0; i < 10; ++i) callAll();
    if (++finished == kRanks) counting = false;
    while (finished < kRanks) std::this_thread::yield();
  });
  EXPECT_EQ(allocations.load(), 0);
}

TEST(HotPath, FirstCall_IsSeenByTheCounter) {
  auto communicators = test::communicators(1, test::testSettings());
  float value = 1;
  Call call;
  call.collective = Collective::allReduce;
  call.send = call.recv = &value;
  call.count = 1;
  call.type = DataType::float32;
  allocations = 0;
  counting = true;
  EXPECT_TRUE(communicators[0]->run(call).ok());
  counting = false;
  EXPECT_GT(allocations.load(), 0);
}

}  // namespace
}  // namespace atl
