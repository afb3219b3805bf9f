// SPDX-License-Identifier: Apache-2.0
// What the tests of the fake runtime share.
#pragma once

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <ostream>
#include <thread>
#include <vector>

#include "tests/fakecuda/fakecuda.h"

namespace fakecuda {

inline void PrintTo(const LiveObjects& live, std::ostream* out) {
  *out << live.deviceAllocations << " device, " << live.hostAllocations << " host, " << live.importedAllocations
       << " imported, " << live.streams << " streams, " << live.events << " events, " << live.graphs << " graphs, "
       << live.executables << " executables, " << live.userObjects << " user objects, " << live.memoryHandles
       << " memory handles";
}

/// A fresh machine for each test, which has to leave nothing behind.
class FakeCuda : public ::testing::Test {
 protected:
  void SetUp() override { reset(); }
  void TearDown() override {
    EXPECT_THAT(takeFailures(), ::testing::IsEmpty());
    EXPECT_EQ(liveObjects(), LiveObjects{});
  }

  /// A machine that differs from the usual one.
  template <class Change>
  static void resetWith(Change&& change) {
    Configuration machine = configurationFromEnvironment();
    change(machine);
    reset(machine);
  }
};

#define EXPECT_CUDA(code, expression) EXPECT_EQ(static_cast<int>(code), static_cast<int>(expression))
#define ASSERT_CUDA(expression) ASSERT_EQ(static_cast<int>(cudaSuccess), static_cast<int>(expression))

/// Holds up a stream until it is opened; at the latest at its end.
class Gate {
 public:
  explicit Gate(cudaStream_t stream) {
    auto* const held = new std::shared_ptr<State>(state_);
    EXPECT_CUDA(cudaSuccess, cudaLaunchHostFunc(stream, wait, held));
  }
  ~Gate() { open(); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  void open() { set(state_->opened); }

  /// Waits until the stream has come to the gate.
  void awaitArrival() { state_->arrived.wait(false); }

 private:
  struct State {
    std::atomic<bool> arrived = false;
    std::atomic<bool> opened = false;
  };

  static void set(std::atomic<bool>& flag) {
    flag.store(true);
    flag.notify_all();
  }
  static void wait(void* data) {
    const std::unique_ptr<std::shared_ptr<State>> held(static_cast<std::shared_ptr<State>*>(data));
    set((*held)->arrived);
    (*held)->opened.wait(false);
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Notes in a stream's order what has been done. It has to live until the streams are done with it.
class Diary {
 public:
  std::vector<int> entries;  ///< to be read when no stream writes

  void note(cudaStream_t stream, int entry) {
    lines_.push_back(std::make_unique<Line>(Line{this, entry}));
    EXPECT_CUDA(cudaSuccess, cudaLaunchHostFunc(stream, write, lines_.back().get()));
  }

 private:
  struct Line {
    Diary* diary;
    int entry;
  };
  static void write(void* data) {
    const auto* const line = static_cast<const Line*>(data);
    const std::lock_guard lock(line->diary->mutex_);
    line->diary->entries.push_back(line->entry);
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Line>> lines_;
};

inline cudaStream_t makeStream(unsigned flags = cudaStreamNonBlocking) {
  cudaStream_t stream = nullptr;
  EXPECT_CUDA(cudaSuccess, cudaStreamCreateWithFlags(&stream, flags));
  return stream;
}

inline cudaEvent_t makeEvent(unsigned flags = cudaEventDisableTiming) {
  cudaEvent_t event = nullptr;
  EXPECT_CUDA(cudaSuccess, cudaEventCreateWithFlags(&event, flags));
  return event;
}

/// Device memory of ints; freed at the end, if the device still exists.
class DeviceInts {
 public:
  explicit DeviceInts(std::size_t count, int value = 0) : count_(count) {
    EXPECT_CUDA(cudaSuccess, cudaMalloc(reinterpret_cast<void**>(&data_), count * sizeof(int)));
    const std::vector<int> initial(count, value);
    EXPECT_CUDA(cudaSuccess, cudaMemcpy(data_, initial.data(), count * sizeof(int), cudaMemcpyHostToDevice));
  }
  ~DeviceInts() { cudaFree(data_); }
  DeviceInts(const DeviceInts&) = delete;
  DeviceInts& operator=(const DeviceInts&) = delete;

  [[nodiscard]] int* data() const { return data_; }
  [[nodiscard]] std::vector<int> read() const {
    std::vector<int> copy(count_);
    EXPECT_CUDA(cudaSuccess, cudaMemcpy(copy.data(), data_, count_ * sizeof(int), cudaMemcpyDeviceToHost));
    return copy;
  }

 private:
  std::size_t count_;
  int* data_ = nullptr;
};

}  // namespace fakecuda
