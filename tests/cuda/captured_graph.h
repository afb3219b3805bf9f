// SPDX-License-Identifier: Apache-2.0
// Calls that are captured in a graph once, and run whenever it is replayed.
#pragma once

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

namespace atl::test {

class CapturedGraph {
 public:
  explicit CapturedGraph(cudaStream_t stream) : stream_(stream) {}
  CapturedGraph(const CapturedGraph&) = delete;
  CapturedGraph& operator=(const CapturedGraph&) = delete;
  ~CapturedGraph() {
    cudaGraphExecDestroy(executable_);
    cudaGraphDestroy(graph_);
  }

  /// What `calls` queues on the stream; it gives its outcome. Once.
  template <class Calls>
  void capture(Calls calls) {
    ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    const auto status = calls();
    ASSERT_TRUE(status.ok()) << status.error().text;
    ASSERT_EQ(cudaStreamEndCapture(stream_, &graph_), cudaSuccess);
    ASSERT_EQ(cudaGraphInstantiate(&executable_, graph_, 0), cudaSuccess);
  }

  /// Runs it to its end.
  void replay() const {
    ASSERT_EQ(cudaGraphLaunch(executable_, stream_), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  }

 private:
  cudaStream_t stream_;
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace atl::test
