// SPDX-License-Identifier: Apache-2.0
// Graphs: made by hand, launched again and again, changed, and what they keep alive.
#include <thread>

#include "tests/fakecuda/fixture.h"

namespace fakecuda {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

void store(int* /*data*/, int /*value*/) {}
void shake(int* /*mine*/, int* /*yours*/) {}

class Graphs : public FakeCuda {
 protected:
  void SetUp() override {
    FakeCuda::SetUp();
    registerKernel(store, "store", [](const Block& block, int* data, int value) { data[block.number] += value; });
    // Two of these, given each other's words, only end if they run at the same time.
    registerKernel(shake, "shake", [](const Block& block, int* mine, int* yours) {
      const int round = std::atomic_ref<int>(*mine).fetch_add(1) + 1;
      while (std::atomic_ref<int>(*yours).load() < round && !block.lost()) std::this_thread::yield();
    });
    EXPECT_CUDA(cudaSuccess, cudaGraphCreate(&graph, 0));
    stream = makeStream();
  }
  void TearDown() override {
    EXPECT_CUDA(cudaSuccess, cudaGraphDestroy(graph));
    EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
    FakeCuda::TearDown();
  }

  /// Parameters of a launch of store(); they point into it.
  struct StoreParameters {
    StoreParameters(int* target, int what, unsigned blocks = 1) : data(target), value(what) {
      parameters.func = reinterpret_cast<void*>(store);
      parameters.gridDim = dim3(blocks);
      parameters.blockDim = dim3(1);
      parameters.kernelParams = arguments;
    }
    int* data;
    int value;
    void* arguments[2] = {&data, &value};
    cudaKernelNodeParams parameters{};
  };

  [[nodiscard]] cudaGraphExec_t instantiate() const {
    cudaGraphExec_t executable = nullptr;
    EXPECT_CUDA(cudaSuccess, cudaGraphInstantiate(&executable, graph, 0));
    return executable;
  }

  void run(cudaGraphExec_t executable, int times = 1) const {
    for (int i = 0; i < times; ++i) EXPECT_CUDA(cudaSuccess, cudaGraphLaunch(executable, stream));
    EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(stream));
  }

  cudaGraph_t graph = nullptr;
  cudaStream_t stream = nullptr;
};

TEST_F(Graphs, OfAllKindsOfNodes_RunInTheirOrder) {
  DeviceInts data(2);
  static std::vector<int> seen;
  seen.clear();
  cudaGraphNode_t fill = nullptr;
  cudaGraphNode_t kernel = nullptr;
  cudaGraphNode_t copy = nullptr;
  cudaGraphNode_t host = nullptr;
  cudaGraphNode_t empty = nullptr;
  StoreParameters adds(data.data(), 3);
  cudaMemsetParams zeroes{};
  zeroes.dst = data.data();
  zeroes.elementSize = 4;
  zeroes.value = 10;
  zeroes.width = 2;
  zeroes.height = 1;
  cudaHostNodeParams looks{[](void* at) { seen.push_back(static_cast<int*>(at)[1]); }, data.data()};
  EXPECT_CUDA(cudaSuccess, cudaGraphAddHostNode(&host, graph, nullptr, 0, &looks));
  EXPECT_CUDA(cudaSuccess, cudaGraphAddMemsetNode(&fill, graph, nullptr, 0, &zeroes));
  EXPECT_CUDA(cudaSuccess, cudaGraphAddKernelNode(&kernel, graph, &fill, 1, &adds.parameters));
  EXPECT_CUDA(cudaSuccess,
              cudaGraphAddMemcpyNode1D(&copy, graph, &kernel, 1, data.data() + 1, data.data(), 4, cudaMemcpyDefault));
  EXPECT_CUDA(cudaSuccess, cudaGraphAddEmptyNode(&empty, graph, &copy, 1));
  EXPECT_CUDA(cudaSuccess, cudaGraphAddDependencies(graph, &empty, &host, nullptr, 1));
  const cudaGraphExec_t executable = instantiate();
  run(executable, 3);
  EXPECT_THAT(seen, ElementsAre(13, 13, 13));
  EXPECT_CUDA(cudaSuccess, cudaGraphExecDestroy(executable));
}

TEST_F(Graphs, Circles_CannotBeInstantiated) {
  cudaGraphNode_t nodes[2] = {};
  cudaGraphExec_t executable = nullptr;
  EXPECT_CUDA(cudaSuccess, cudaGraphAddEmptyNode(&nodes[0], graph, nullptr, 0));
  EXPECT_CUDA(cudaSuccess, cudaGraphAddEmptyNode(&nodes[1], graph, nodes, 1));
  EXPECT_CUDA(cudaSuccess, cudaGraphAddDependencies(graph, &nodes[1], &nodes[0], nullptr, 1));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaGraphInstantiate(&executable, graph, 0));
}

TEST_F(Graphs, Branches_RunAtTheSameTime) {
  DeviceInts words(2);
  cudaStream_t other = nullptr;
  cudaEvent_t event = makeEvent();
  ASSERT_CUDA(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking));
  int* first = words.data();
  int* second = words.data() + 1;
  void* forward[] = {&first, &second};
  void* backward[] = {&second, &first};
  const auto* const symbol = reinterpret_cast<const void*>(shake);
  cudaGraph_t captured = nullptr;
  cudaGraphExec_t executable = nullptr;
  DeviceInts before(1);
  ASSERT_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  ASSERT_CUDA(cudaMemsetAsync(before.data(), 1, 4, stream));
  ASSERT_CUDA(cudaEventRecord(event, stream));
  ASSERT_CUDA(cudaStreamWaitEvent(other, event, 0));
  EXPECT_CUDA(cudaSuccess, cudaLaunchKernel(symbol, dim3(1), dim3(1), forward, 0, stream));
  EXPECT_CUDA(cudaSuccess, cudaLaunchKernel(symbol, dim3(1), dim3(1), backward, 0, other));
  ASSERT_CUDA(cudaEventRecord(event, other));
  ASSERT_CUDA(cudaStreamWaitEvent(stream, event, 0));
  ASSERT_CUDA(cudaStreamEndCapture(stream, &captured));
  ASSERT_CUDA(cudaGraphInstantiate(&executable, captured, 0));
  run(executable, 10);
  EXPECT_THAT(words.read(), Each(10));
  EXPECT_CUDA(cudaSuccess, cudaGraphExecDestroy(executable));
  EXPECT_CUDA(cudaSuccess, cudaGraphDestroy(captured));
  EXPECT_CUDA(cudaSuccess, cudaEventDestroy(event));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(other));
}

TEST_F(Graphs, LaunchesOfOneExecutable_DoNotOverlap) {
  cudaGraphNode_t node = nullptr;
  static std::atomic<int> running;
  static std::atomic<int> together;
  running = together = 0;
  cudaHostNodeParams counts{[](void*) {
                              if (++running > 1) ++together;
                              std::this_thread::yield();
                              --running;
                            },
                            nullptr};
  EXPECT_CUDA(cudaSuccess, cudaGraphAddHostNode(&node, graph, nullptr, 0, &counts));
  const cudaGraphExec_t executable = instantiate();
  const cudaStream_t other = makeStream();
  for (int i = 0; i < 50; ++i) {
    EXPECT_CUDA(cudaSuccess, cudaGraphLaunch(executable, i % 2 == 0 ? stream : other));
  }
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  EXPECT_EQ(together, 0);
  EXPECT_CUDA(cudaSuccess, cudaGraphExecDestroy(executable));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(other));
}

TEST_F(Graphs, Executable_CanBeGivenOtherParameters) {
  DeviceInts data(1);
  cudaGraphNode_t node = nullptr;
  StoreParameters one(data.data(), 1);
  StoreParameters ten(data.data(), 10);
  EXPECT_CUDA(cudaSuccess, cudaGraphAddKernelNode(&node, graph, nullptr, 0, &one.parameters));
  cudaKernelNodeParams told{};
  EXPECT_CUDA(cudaSuccess, cudaGraphKernelNodeGetParams(node, &told));
  EXPECT_EQ(*static_cast<int*>(told.kernelParams[1]), 1);
  const cudaGraphExec_t executable = instantiate();
  run(executable);
  EXPECT_CUDA(cudaSuccess, cudaGraphExecKernelNodeSetParams(executable, node, &ten.parameters));
  run(executable);
  EXPECT_THAT(data.read(), ElementsAre(11));
  EXPECT_CUDA(cudaSuccess, cudaGraphExecDestroy(executable));
}

TEST_F(Graphs, Executable_TakesOverAGraphOfItsShapeOnly) {
  DeviceInts data(1);
  cudaGraphNode_t node = nullptr;
  StoreParameters one(data.data(), 1);
  StoreParameters ten(data.data(), 10);
  EXPECT_CUDA(cudaSuccess, cudaGraphAddKernelNode(&node, graph, nullptr, 0, &one.parameters));
  const cudaGraphExec_t executable = instantiate();
  cudaGraph_t clone = nullptr;
  cudaGraphNode_t cloned = nullptr;
  std::size_t count = 1;
  cudaGraphExecUpdateResultInfo info{};
  EXPECT_CUDA(cudaSuccess, cudaGraphClone(&clone, graph));
  EXPECT_CUDA(cudaSuccess, cudaGraphGetNodes(clone, &cloned, &count));
  EXPECT_CUDA(cudaSuccess, cudaGraphKernelNodeSetParams(cloned, &ten.parameters));
  EXPECT_CUDA(cudaSuccess, cudaGraphExecUpdate(executable, clone, &info));
  run(executable);
  EXPECT_THAT(data.read(), ElementsAre(10));
  EXPECT_CUDA(cudaSuccess, cudaGraphAddEmptyNode(&node, clone, &cloned, 1));
  EXPECT_CUDA(cudaErrorGraphExecUpdateFailure, cudaGraphExecUpdate(executable, clone, &info));
  EXPECT_EQ(info.result, cudaGraphExecUpdateErrorTopologyChanged);
  EXPECT_CUDA(cudaSuccess, cudaGraphDestroy(clone));
  EXPECT_CUDA(cudaSuccess, cudaGraphExecDestroy(executable));
}

TEST_F(Graphs, Children_AreCopiedAndRunInTheirPlace) {
  DeviceInts data(1);
  cudaGraphNode_t node = nullptr;
  cudaGraph_t parent = nullptr;
  StoreParameters one(data.data(), 1);
  EXPECT_CUDA(cudaSuccess, cudaGraphAddKernelNode(&node, graph, nullptr, 0, &one.parameters));
  EXPECT_CUDA(cudaSuccess, cudaGraphCreate(&parent, 0));
  cudaGraphNode_t first = nullptr;
  cudaGraphNode_t second = nullptr;
  EXPECT_CUDA(cudaSuccess, cudaGraphAddChildGraphNode(&first, parent, nullptr, 0, graph));
  EXPECT_CUDA(cudaSuccess, cudaGraphAddChildGraphNode(&second, parent, &first, 1, graph));
  cudaGraphExec_t executable = nullptr;
  EXPECT_CUDA(cudaSuccess, cudaGraphInstantiate(&executable, parent, 0));
  EXPECT_CUDA(cudaSuccess, cudaGraphDestroy(parent));
  run(executable);
  EXPECT_THAT(data.read(), ElementsAre(2));
  EXPECT_CUDA(cudaSuccess, cudaGraphExecDestroy(executable));
}

TEST_F(Graphs, LaunchedInACapture_BecomeAChildAsTheyAreThen) {
  DeviceInts data(1);
  cudaGraphNode_t node = nullptr;
  StoreParameters one(data.data(), 1);
  StoreParameters ten(data.data(), 10);
  EXPECT_CUDA(cudaSuccess, cudaGraphAddKernelNode(&node, graph, nullptr, 0, &one.parameters));
  const cudaGraphExec_t inner = instantiate();
  EXPECT_CUDA(cudaSuccess, cudaGraphExecKernelNodeSetParams(inner, node, &ten.parameters));
  cudaGraph_t captured = nullptr;
  cudaGraphExec_t outer = nullptr;
  ASSERT_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  EXPECT_CUDA(cudaSuccess, cudaGraphLaunch(inner, stream));
  ASSERT_CUDA(cudaStreamEndCapture(stream, &captured));
  EXPECT_CUDA(cudaSuccess, cudaGraphExecDestroy(inner));
  ASSERT_CUDA(cudaGraphInstantiate(&outer, captured, 0));
  EXPECT_CUDA(cudaSuccess, cudaGraphDestroy(captured));
  EXPECT_THAT(data.read(), ElementsAre(0));
  run(outer, 2);
  EXPECT_THAT(data.read(), ElementsAre(20));
  EXPECT_CUDA(cudaSuccess, cudaGraphExecDestroy(outer));
}

TEST_F(Graphs, UserObjects_LiveAsLongAsAnyGraphNeedsThem) {
  static std::atomic<int> destroyed;
  destroyed = 0;
  cudaUserObject_t object = nullptr;
  const auto destroy = [](void*) {
    ++destroyed;
    destroyed.notify_all();
  };
  EXPECT_CUDA(cudaErrorInvalidValue, cudaUserObjectCreate(&object, nullptr, destroy, 1, 0));
  ASSERT_CUDA(cudaUserObjectCreate(&object, nullptr, destroy, 1, cudaUserObjectNoDestructorSync));
  cudaGraph_t owner = nullptr;
  ASSERT_CUDA(cudaGraphCreate(&owner, 0));
  EXPECT_CUDA(cudaSuccess, cudaGraphRetainUserObject(owner, object, 1, cudaGraphUserObjectMove));
  cudaGraphNode_t node = nullptr;
  cudaHostNodeParams nothing{[](void*) {}, nullptr};
  EXPECT_CUDA(cudaSuccess, cudaGraphAddHostNode(&node, owner, nullptr, 0, &nothing));
  cudaGraphExec_t executable = nullptr;
  EXPECT_CUDA(cudaSuccess, cudaGraphInstantiate(&executable, owner, 0));
  EXPECT_CUDA(cudaSuccess, cudaGraphDestroy(owner));
  Gate gate(stream);
  EXPECT_CUDA(cudaSuccess, cudaGraphLaunch(executable, stream));
  EXPECT_CUDA(cudaSuccess, cudaGraphExecDestroy(executable));
  EXPECT_EQ(destroyed, 0);
  EXPECT_EQ(liveObjects().userObjects, 1U);
  gate.open();
  destroyed.wait(0);
  EXPECT_EQ(destroyed, 1);
  EXPECT_CUDA(cudaErrorInvalidValue, cudaUserObjectRetain(object, 1));
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(stream));
}

}  // namespace
}  // namespace fakecuda
