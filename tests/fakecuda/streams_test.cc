// SPDX-License-Identifier: Apache-2.0
// Streams and events: what happens in which order, and what does not wait.
#include <thread>

#include "tests/fakecuda/fixture.h"

namespace fakecuda {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Streams : public FakeCuda {};
class Events : public FakeCuda {};

TEST_F(Streams, Work_IsDoneInOrder) {
  const cudaStream_t stream = makeStream();
  Diary diary;
  std::vector<int> expected;
  for (int i = 0; i < 100; ++i) {
    diary.note(stream, i);
    expected.push_back(i);
  }
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(stream));
  EXPECT_EQ(diary.entries, expected);
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
}

TEST_F(Streams, Query_TellsWhetherThereIsWork) {
  const cudaStream_t stream = makeStream();
  EXPECT_CUDA(cudaSuccess, cudaStreamQuery(stream));
  Gate gate(stream);
  EXPECT_CUDA(cudaErrorNotReady, cudaStreamQuery(stream));
  gate.open();
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(stream));
  EXPECT_CUDA(cudaSuccess, cudaStreamQuery(stream));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
  EXPECT_CUDA(cudaErrorNotReady, cudaGetLastError());
}

TEST_F(Streams, NonBlocking_DoNotWaitForEachOtherNorForTheDefaultStream) {
  const cudaStream_t held = makeStream();
  const cudaStream_t free = makeStream();
  Gate gate(held);
  Gate defaultGate(nullptr);
  Diary diary;
  diary.note(free, 1);
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(free));
  EXPECT_THAT(diary.entries, ElementsAre(1));
  gate.open();
  defaultGate.open();
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(held));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(free));
}

TEST_F(Streams, DefaultStream_WaitsForBlockingStreamsAndTheyForIt) {
  const cudaStream_t first = makeStream(cudaStreamDefault);
  const cudaStream_t second = makeStream(cudaStreamDefault);
  Diary diary;
  Gate gate(first);
  diary.note(first, 1);
  diary.note(nullptr, 2);
  diary.note(second, 3);
  diary.note(cudaStreamPerThread, 4);
  EXPECT_CUDA(cudaErrorNotReady, cudaStreamQuery(second));
  EXPECT_CUDA(cudaErrorNotReady, cudaStreamQuery(nullptr));
  EXPECT_THAT(diary.entries, IsEmpty());
  gate.open();
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(second));
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  EXPECT_THAT(diary.entries, ::testing::AnyOf(ElementsAre(1, 2, 3, 4), ElementsAre(1, 2, 4, 3)));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(first));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(second));
}

TEST_F(Streams, SynchronisingTheDefaultStream_WaitsForBlockingStreams) {
  const cudaStream_t stream = makeStream(cudaStreamDefault);
  Diary diary;
  Gate gate(stream);
  diary.note(stream, 1);
  std::thread opener([&] { gate.open(); });
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(nullptr));
  EXPECT_THAT(diary.entries, ElementsAre(1));
  opener.join();
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
}

TEST_F(Streams, PerThreadStream_IsTheThreadsOwn) {
  unsigned long long here = 0;
  unsigned long long there = 0;
  ASSERT_CUDA(cudaStreamGetId(cudaStreamPerThread, &here));
  std::thread([&] { cudaStreamGetId(cudaStreamPerThread, &there); }).join();
  EXPECT_NE(here, there);
}

TEST_F(Streams, Devices_WorkSideBySide) {
  Gate gate(nullptr);
  ASSERT_CUDA(cudaSetDevice(1));
  Diary diary;
  diary.note(nullptr, 1);
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  EXPECT_THAT(diary.entries, ElementsAre(1));
  gate.open();
  ASSERT_CUDA(cudaSetDevice(0));
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
}

TEST_F(Streams, Destroyed_FinishTheirWorkButAreNotKnownAnyMore) {
  const cudaStream_t stream = makeStream();
  Diary diary;
  Gate gate(stream);
  diary.note(stream, 1);
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
  EXPECT_CUDA(cudaErrorInvalidResourceHandle, cudaStreamSynchronize(stream));
  EXPECT_CUDA(cudaErrorInvalidResourceHandle, cudaStreamDestroy(stream));
  gate.open();
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  EXPECT_THAT(diary.entries, ElementsAre(1));
}

TEST_F(Streams, Traits_AreAsTheyWereMade) {
  int least = -1;
  int greatest = -1;
  int priority = 0;
  int device = -1;
  unsigned flags = 99;
  cudaStream_t stream = nullptr;
  ASSERT_CUDA(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  EXPECT_GT(least, greatest);
  ASSERT_CUDA(cudaSetDevice(2));
  ASSERT_CUDA(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, greatest - 10));
  ASSERT_CUDA(cudaStreamGetPriority(stream, &priority));
  ASSERT_CUDA(cudaStreamGetFlags(stream, &flags));
  ASSERT_CUDA(cudaStreamGetDevice(stream, &device));
  EXPECT_EQ(priority, greatest);
  EXPECT_EQ(flags, static_cast<unsigned>(cudaStreamNonBlocking));
  EXPECT_EQ(device, 2);
  EXPECT_CUDA(cudaErrorInvalidValue, cudaStreamCreateWithFlags(&stream, 8));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
}

TEST_F(Streams, HostFunctions_MayNotCallCuda) {
  cudaError_t inside = cudaSuccess;
  EXPECT_CUDA(
      cudaSuccess,
      cudaLaunchHostFunc(
          nullptr, [](void* result) { *static_cast<cudaError_t*>(result) = cudaDeviceSynchronize(); }, &inside));
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  EXPECT_EQ(inside, cudaErrorNotPermitted);
  EXPECT_THAT(takeFailures(), ElementsAre(HasSubstr("cudaDeviceSynchronize was called inside a host function")));
}

TEST_F(Events, LetAStreamWaitForAnother) {
  const cudaStream_t first = makeStream();
  const cudaStream_t second = makeStream();
  const cudaEvent_t event = makeEvent();
  Diary diary;
  EXPECT_CUDA(cudaSuccess, cudaEventQuery(event));
  EXPECT_CUDA(cudaSuccess, cudaStreamWaitEvent(second, event, 0));
  Gate gate(first);
  diary.note(first, 1);
  EXPECT_CUDA(cudaSuccess, cudaEventRecord(event, first));
  EXPECT_CUDA(cudaErrorNotReady, cudaEventQuery(event));
  EXPECT_CUDA(cudaSuccess, cudaStreamWaitEvent(second, event, 0));
  EXPECT_CUDA(cudaSuccess, cudaEventDestroy(event));
  diary.note(second, 2);
  gate.open();
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(second));
  EXPECT_THAT(diary.entries, ElementsAre(1, 2));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(first));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(second));
}

TEST_F(Events, Synchronise_WaitsForTheLastRecordOnly) {
  const cudaStream_t stream = makeStream();
  const cudaEvent_t event = makeEvent();
  Diary diary;
  diary.note(stream, 1);
  EXPECT_CUDA(cudaSuccess, cudaEventRecord(event, stream));
  Gate gate(stream);
  EXPECT_CUDA(cudaSuccess, cudaEventSynchronize(event));
  EXPECT_THAT(diary.entries, ElementsAre(1));
  gate.open();
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(stream));
  EXPECT_CUDA(cudaSuccess, cudaEventDestroy(event));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
}

TEST_F(Events, ElapsedTime_NeedsTwoThatAreDoneAndTimed) {
  const cudaEvent_t first = makeEvent(cudaEventDefault);
  const cudaEvent_t second = makeEvent(cudaEventDefault);
  const cudaEvent_t untimed = makeEvent();
  const cudaStream_t stream = makeStream();
  float time = -1;
  EXPECT_CUDA(cudaErrorInvalidResourceHandle, cudaEventElapsedTime(&time, first, second));
  EXPECT_CUDA(cudaSuccess, cudaEventRecord(first, stream));
  EXPECT_CUDA(cudaSuccess, cudaEventRecord(untimed, stream));
  Gate gate(stream);
  EXPECT_CUDA(cudaSuccess, cudaEventRecord(second, stream));
  EXPECT_CUDA(cudaErrorInvalidResourceHandle, cudaEventElapsedTime(&time, first, untimed));
  EXPECT_CUDA(cudaErrorNotReady, cudaEventElapsedTime(&time, first, second));
  gate.open();
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(stream));
  EXPECT_CUDA(cudaSuccess, cudaEventElapsedTime(&time, first, second));
  EXPECT_GE(time, 0);
  for (const cudaEvent_t event : {first, second, untimed}) EXPECT_CUDA(cudaSuccess, cudaEventDestroy(event));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
}

TEST_F(Events, OfAnotherDevice_CannotBeRecordedButBeWaitedFor) {
  const cudaEvent_t event = makeEvent();
  ASSERT_CUDA(cudaSetDevice(1));
  const cudaStream_t stream = makeStream();
  EXPECT_CUDA(cudaErrorInvalidResourceHandle, cudaEventRecord(event, stream));
  EXPECT_CUDA(cudaSuccess, cudaStreamWaitEvent(stream, event, 0));
  EXPECT_CUDA(cudaSuccess, cudaEventDestroy(event));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
}

TEST_F(Events, BetweenProcesses_AreNotSupported) {
  cudaIpcEventHandle_t handle{};
  const cudaEvent_t event = makeEvent(cudaEventDisableTiming | cudaEventInterprocess);
  EXPECT_CUDA(cudaErrorNotSupported, cudaIpcGetEventHandle(&handle, event));
  EXPECT_CUDA(cudaSuccess, cudaEventDestroy(event));
}

TEST_F(Streams, ManyThreads_ShareThemSafely) {
  const cudaStream_t shared = makeStream(cudaStreamDefault);
  DeviceInts counter(1);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      const cudaStream_t own = makeStream();
      const cudaEvent_t event = makeEvent();
      for (int i = 0; i < 50; ++i) {
        // Only the shared stream touches the counter; events tie the others to it in both directions.
        EXPECT_CUDA(cudaSuccess, cudaEventRecord(event, own));
        EXPECT_CUDA(cudaSuccess, cudaStreamWaitEvent(shared, event, 0));
        EXPECT_CUDA(cudaSuccess, cudaLaunchHostFunc(
                                     shared, [](void* count) { ++*static_cast<int*>(count); }, counter.data()));
        EXPECT_CUDA(cudaSuccess, cudaStreamQuery(own) == cudaErrorNotReady ? cudaSuccess : cudaStreamSynchronize(own));
      }
      EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(own));
      EXPECT_CUDA(cudaSuccess, cudaEventDestroy(event));
      EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(own));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(shared));
  EXPECT_THAT(counter.read(), ElementsAre(200));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(shared));
}

}  // namespace
}  // namespace fakecuda
