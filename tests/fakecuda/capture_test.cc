// SPDX-License-Identifier: Apache-2.0
// Capture: what becomes part of a graph, and what spoils it.
#include <thread>

#include "tests/fakecuda/fixture.h"

namespace fakecuda {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Capture : public FakeCuda {
 protected:
  void SetUp() override {
    FakeCuda::SetUp();
    stream = makeStream();
    other = makeStream();
    event = makeEvent();
    joined = makeEvent();
  }
  void TearDown() override {
    for (const cudaEvent_t one : {event, joined}) EXPECT_CUDA(cudaSuccess, cudaEventDestroy(one));
    for (const cudaStream_t one : {stream, other}) EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(one));
    FakeCuda::TearDown();
  }

  void begin(cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal) const {
    EXPECT_CUDA(cudaSuccess, cudaStreamBeginCapture(stream, mode));
  }

  /// Ends the capture and counts its nodes; with an error there must be no graph.
  [[nodiscard]] std::size_t end(cudaError_t expected = cudaSuccess) const {
    auto graph = reinterpret_cast<cudaGraph_t>(1);
    std::size_t count = 0;
    EXPECT_CUDA(expected, cudaStreamEndCapture(stream, &graph));
    if (expected != cudaSuccess) {
      EXPECT_EQ(graph, nullptr);
      return 0;
    }
    EXPECT_CUDA(cudaSuccess, cudaGraphGetNodes(graph, nullptr, &count));
    EXPECT_CUDA(cudaSuccess, cudaGraphDestroy(graph));
    return count;
  }

  /// Makes `other` part of the capture, and joins it again.
  void fork() const {
    EXPECT_CUDA(cudaSuccess, cudaEventRecord(event, stream));
    EXPECT_CUDA(cudaSuccess, cudaStreamWaitEvent(other, event, 0));
  }
  void join() const {
    EXPECT_CUDA(cudaSuccess, cudaEventRecord(joined, other));
    EXPECT_CUDA(cudaSuccess, cudaStreamWaitEvent(stream, joined, 0));
  }

  static cudaStreamCaptureStatus statusOf(cudaStream_t of) {
    cudaStreamCaptureStatus status{};
    EXPECT_CUDA(cudaSuccess, cudaStreamIsCapturing(of, &status));
    return status;
  }

  cudaStream_t stream = nullptr;
  cudaStream_t other = nullptr;
  cudaEvent_t event = nullptr;
  cudaEvent_t joined = nullptr;
  Diary diary;
};

TEST_F(Capture, Work_IsCollectedAndNotDone) {
  begin();
  diary.note(stream, 1);
  diary.note(stream, 2);
  EXPECT_EQ(statusOf(stream), cudaStreamCaptureStatusActive);
  cudaGraph_t graph = nullptr;
  EXPECT_CUDA(cudaSuccess, cudaStreamEndCapture(stream, &graph));
  EXPECT_EQ(statusOf(stream), cudaStreamCaptureStatusNone);
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(stream));
  EXPECT_THAT(diary.entries, IsEmpty());
  cudaGraphExec_t executable = nullptr;
  EXPECT_CUDA(cudaSuccess, cudaGraphInstantiate(&executable, graph, 0));
  EXPECT_CUDA(cudaSuccess, cudaGraphDestroy(graph));
  EXPECT_CUDA(cudaSuccess, cudaGraphLaunch(executable, stream));
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(stream));
  EXPECT_THAT(diary.entries, ElementsAre(1, 2));
  EXPECT_CUDA(cudaSuccess, cudaGraphExecDestroy(executable));
}

TEST_F(Capture, OtherStreams_JoinByEvents) {
  begin();
  diary.note(stream, 1);
  fork();
  EXPECT_EQ(statusOf(other), cudaStreamCaptureStatusActive);
  diary.note(other, 2);
  diary.note(stream, 3);
  join();
  diary.note(stream, 4);
  EXPECT_EQ(end(), 4U);
  EXPECT_EQ(statusOf(other), cudaStreamCaptureStatusNone);
}

TEST_F(Capture, InfoTellsGraphAndDependencies) {
  unsigned long long id = 0;
  cudaGraph_t graph = nullptr;
  const cudaGraphNode_t* dependencies = nullptr;
  std::size_t count = 0;
  cudaStreamCaptureStatus status{};
  begin();
  diary.note(stream, 1);
  EXPECT_CUDA(cudaSuccess, cudaStreamGetCaptureInfo(stream, &status, &id, &graph, &dependencies, nullptr, &count));
  EXPECT_EQ(count, 1U);
  EXPECT_NE(id, 0U);
  cudaGraphNode_t node = nullptr;
  EXPECT_CUDA(cudaSuccess, cudaGraphAddEmptyNode(&node, graph, dependencies, count));
  EXPECT_CUDA(cudaSuccess,
              cudaStreamUpdateCaptureDependencies(stream, &node, nullptr, 1, cudaStreamSetCaptureDependencies));
  diary.note(stream, 2);
  std::size_t edges = 0;
  EXPECT_CUDA(cudaSuccess, cudaGraphGetEdges(graph, nullptr, nullptr, nullptr, &edges));
  EXPECT_EQ(edges, 2U);
  EXPECT_EQ(end(), 3U);
  EXPECT_CUDA(cudaErrorIllegalState, cudaStreamUpdateCaptureDependencies(stream, &node, nullptr, 1, 0));
}

TEST_F(Capture, Allocation_SpoilsAGlobalCapture) {
  void* pointer = nullptr;
  begin();
  diary.note(stream, 1);
  EXPECT_CUDA(cudaErrorStreamCaptureUnsupported, cudaMalloc(&pointer, 16));
  EXPECT_EQ(statusOf(stream), cudaStreamCaptureStatusInvalidated);
  EXPECT_CUDA(cudaErrorStreamCaptureInvalidated, cudaEventRecord(event, stream));
  EXPECT_EQ(end(cudaErrorStreamCaptureInvalidated), 0U);
  EXPECT_EQ(statusOf(stream), cudaStreamCaptureStatusNone);
  EXPECT_CUDA(cudaSuccess, cudaMalloc(&pointer, 16));
  EXPECT_CUDA(cudaSuccess, cudaFree(pointer));
}

TEST_F(Capture, Mode_DecidesWhoseAllocationsSpoilIt) {
  struct Case {
    cudaStreamCaptureMode mode;
    cudaError_t here;
    cudaError_t elsewhere;
  };
  for (const Case& one :
       {Case{cudaStreamCaptureModeGlobal, cudaErrorStreamCaptureUnsupported, cudaErrorStreamCaptureUnsupported},
        Case{cudaStreamCaptureModeThreadLocal, cudaErrorStreamCaptureUnsupported, cudaSuccess},
        Case{cudaStreamCaptureModeRelaxed, cudaSuccess, cudaSuccess}}) {
    const auto allocate = [](cudaError_t expected) {
      void* pointer = nullptr;
      EXPECT_CUDA(expected, cudaMalloc(&pointer, 16));
      EXPECT_CUDA(expected, cudaFree(pointer));
    };
    begin(one.mode);
    std::thread(allocate, one.elsewhere).join();
    EXPECT_EQ(end(one.elsewhere == cudaSuccess ? cudaSuccess : cudaErrorStreamCaptureInvalidated), 0U);
    begin(one.mode);
    allocate(one.here);
    EXPECT_EQ(end(one.here == cudaSuccess ? cudaSuccess : cudaErrorStreamCaptureInvalidated), 0U);
  }
}

TEST_F(Capture, ThreadThatIsRelaxed_MayAllocate) {
  void* pointer = nullptr;
  begin();
  cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
  EXPECT_CUDA(cudaSuccess, cudaThreadExchangeStreamCaptureMode(&mode));
  EXPECT_EQ(mode, cudaStreamCaptureModeGlobal);
  EXPECT_CUDA(cudaSuccess, cudaMalloc(&pointer, 16));
  EXPECT_CUDA(cudaSuccess, cudaFree(pointer));
  EXPECT_CUDA(cudaSuccess, cudaThreadExchangeStreamCaptureMode(&mode));
  EXPECT_EQ(mode, cudaStreamCaptureModeRelaxed);
  EXPECT_EQ(end(), 0U);
}

TEST_F(Capture, UnjoinedStream_IsAnError) {
  begin();
  fork();
  diary.note(other, 1);
  EXPECT_EQ(end(cudaErrorStreamCaptureUnjoined), 0U);
  EXPECT_EQ(statusOf(other), cudaStreamCaptureStatusNone);
}

TEST_F(Capture, End_IsForTheThreadAndTheStreamThatBegan) {
  cudaGraph_t graph = nullptr;
  begin();
  fork();
  std::thread([&] { EXPECT_CUDA(cudaErrorStreamCaptureWrongThread, cudaStreamEndCapture(stream, &graph)); }).join();
  EXPECT_CUDA(cudaErrorStreamCaptureUnmatched, cudaStreamEndCapture(other, &graph));
  join();
  EXPECT_EQ(end(), 0U);
  EXPECT_CUDA(cudaErrorIllegalState, cudaStreamEndCapture(stream, &graph));
  begin(cudaStreamCaptureModeRelaxed);
  std::thread([&] { EXPECT_EQ(end(), 0U); }).join();
}

TEST_F(Capture, SynchronisingAStreamOrAnEvent_SpoilsIt) {
  begin();
  EXPECT_CUDA(cudaErrorStreamCaptureUnsupported, cudaStreamSynchronize(stream));
  EXPECT_EQ(end(cudaErrorStreamCaptureInvalidated), 0U);
  begin();
  EXPECT_CUDA(cudaErrorStreamCaptureUnsupported, cudaStreamQuery(stream));
  EXPECT_EQ(end(cudaErrorStreamCaptureInvalidated), 0U);
  begin();
  EXPECT_CUDA(cudaSuccess, cudaEventRecord(event, stream));
  EXPECT_CUDA(cudaErrorCapturedEvent, cudaEventSynchronize(event));
  EXPECT_EQ(end(cudaErrorStreamCaptureInvalidated), 0U);
  begin();
  EXPECT_CUDA(cudaErrorStreamCaptureUnsupported, cudaDeviceSynchronize());
  EXPECT_EQ(end(cudaErrorStreamCaptureInvalidated), 0U);
}

TEST_F(Capture, EventOfBefore_CannotBeWaitedFor) {
  EXPECT_CUDA(cudaSuccess, cudaEventRecord(event, stream));
  begin();
  EXPECT_CUDA(cudaErrorStreamCaptureIsolation, cudaStreamWaitEvent(stream, event, 0));
  EXPECT_EQ(end(cudaErrorStreamCaptureInvalidated), 0U);
}

TEST_F(Capture, Two_CannotBecomeOne) {
  cudaGraph_t graph = nullptr;
  begin();
  EXPECT_CUDA(cudaSuccess, cudaStreamBeginCapture(other, cudaStreamCaptureModeGlobal));
  EXPECT_CUDA(cudaSuccess, cudaEventRecord(event, stream));
  EXPECT_CUDA(cudaErrorStreamCaptureMerge, cudaStreamWaitEvent(other, event, 0));
  EXPECT_EQ(end(cudaErrorStreamCaptureInvalidated), 0U);
  EXPECT_CUDA(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(other, &graph));
}

TEST_F(Capture, DefaultStream_IsNotCapturedAndSpoilsBlockingStreams) {
  EXPECT_CUDA(cudaErrorStreamCaptureUnsupported, cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeGlobal));
  const cudaStream_t blocking = makeStream(cudaStreamDefault);
  cudaStreamCaptureStatus status{};
  cudaGraph_t graph = nullptr;
  EXPECT_CUDA(cudaSuccess, cudaStreamBeginCapture(blocking, cudaStreamCaptureModeRelaxed));
  EXPECT_CUDA(cudaErrorStreamCaptureImplicit, cudaStreamIsCapturing(nullptr, &status));
  EXPECT_EQ(statusOf(blocking), cudaStreamCaptureStatusActive);
  EXPECT_CUDA(cudaErrorStreamCaptureImplicit, cudaEventRecord(event, nullptr));
  EXPECT_CUDA(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(blocking, &graph));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(blocking));
  begin(cudaStreamCaptureModeRelaxed);  // of a stream that does not block
  EXPECT_CUDA(cudaSuccess, cudaEventRecord(event, nullptr));
  EXPECT_EQ(end(), 0U);
}

TEST_F(Capture, SynchronousCopy_SpoilsIt) {
  int value = 1;
  DeviceInts data(1);
  begin();
  EXPECT_CUDA(cudaErrorStreamCaptureUnsupported, cudaMemcpy(data.data(), &value, 4, cudaMemcpyHostToDevice));
  EXPECT_EQ(end(cudaErrorStreamCaptureInvalidated), 0U);
}

TEST_F(Capture, ExternalEvents_BecomeNodes) {
  begin();
  EXPECT_CUDA(cudaSuccess, cudaEventRecordWithFlags(event, stream, cudaEventRecordExternal));
  EXPECT_CUDA(cudaSuccess, cudaStreamWaitEvent(stream, joined, cudaEventWaitExternal));
  cudaGraph_t graph = nullptr;
  cudaGraphNode_t nodes[2] = {};
  cudaGraphNodeType types[2] = {};
  std::size_t count = 2;
  EXPECT_CUDA(cudaSuccess, cudaStreamEndCapture(stream, &graph));
  EXPECT_CUDA(cudaSuccess, cudaGraphGetNodes(graph, nodes, &count));
  ASSERT_EQ(count, 2U);
  for (int i = 0; i < 2; ++i) EXPECT_CUDA(cudaSuccess, cudaGraphNodeGetType(nodes[i], &types[i]));
  EXPECT_THAT(types, ElementsAre(cudaGraphNodeTypeEventRecord, cudaGraphNodeTypeWaitEvent));
  cudaGraphExec_t executable = nullptr;
  EXPECT_CUDA(cudaSuccess, cudaGraphInstantiate(&executable, graph, 0));
  Gate gate(other);
  EXPECT_CUDA(cudaSuccess, cudaEventRecord(joined, other));
  EXPECT_CUDA(cudaSuccess, cudaGraphLaunch(executable, stream));
  EXPECT_CUDA(cudaSuccess, cudaEventSynchronize(event));
  EXPECT_CUDA(cudaErrorNotReady, cudaStreamQuery(stream));
  gate.open();
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(stream));
  EXPECT_CUDA(cudaSuccess, cudaGraphExecDestroy(executable));
  EXPECT_CUDA(cudaSuccess, cudaGraphDestroy(graph));
}

}  // namespace
}  // namespace fakecuda
