// SPDX-License-Identifier: Apache-2.0
// Executable graphs. What does not depend on each other runs at the same time, in threads of its own; launches of one
// executable run one after another, whatever their streams.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <utility>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/capture.h"
#include "tests/fakecuda/runtime/events.h"
#include "tests/fakecuda/runtime/graphs.h"
#include "tests/fakecuda/runtime/handles.h"
#include "tests/fakecuda/runtime/kernels.h"
#include "tests/fakecuda/runtime/streams.h"
#include "tests/fakecuda/runtime/thread_pool.h"

namespace fakecuda {
namespace {

struct Step;
/// In an order in which each step comes after those it depends on.
using Steps = std::vector<Step>;

struct Step {
  cudaGraphNode_t node = nullptr;
  Work work;
  int device = 0;
  std::vector<std::size_t> after;
  std::shared_ptr<const Steps> child;  ///< of a child graph
};

struct Executable {
  explicit Executable(const References& held) : references(std::make_shared<const References>(held)) {}
  std::shared_ptr<const Steps> steps;  ///< replaced, not changed, so that a launch keeps what it began with
  std::shared_ptr<const References> references;
  CompletionPtr last;
  unsigned long long flags = 0;
};

Handles<Executable, cudaGraphExec_t>& executables() {
  static auto* const made = new Handles<Executable, cudaGraphExec_t>;
  return *made;
}

/// Null when nodes depend on each other in a circle.
std::shared_ptr<const Steps> stepsOf(const Graph& graph) {
  const std::vector<const Node*> order = inOrder(graph);
  if (order.size() != graph.nodes.size()) return nullptr;
  std::map<const Node*, std::size_t> places;
  auto steps = std::make_shared<Steps>();
  for (const Node* node : order) {
    Step step{node->handle, node->work, node->device, {}, nullptr};
    for (const Node* earlier : node->after) step.after.push_back(places.at(earlier));
    if (const auto* child = std::get_if<ChildWork>(&node->work)) {
      step.child = stepsOf(*child->graph);
      if (step.child == nullptr) return nullptr;
    }
    places[node] = steps->size();
    steps->push_back(std::move(step));
  }
  return steps;
}

/// What an executable does now, as a graph again.
std::shared_ptr<Graph> graphFrom(const Executable& executable) {
  auto graph = std::make_shared<Graph>(*executable.references);
  for (const Step& step : *executable.steps) {
    std::vector<Node*> after;
    for (const std::size_t earlier : step.after) after.push_back(graph->nodes[earlier].get());
    addNode(*graph, step.work, step.device, std::move(after));
  }
  return graph;
}

/// One launch of some steps.
class Run : public std::enable_shared_from_this<Run> {
 public:
  /// Under submission(): events get their new points now, in the order of the steps.
  explicit Run(std::shared_ptr<const Steps> steps)
      : steps_(std::move(steps)),
        points_(steps_->size()),
        children_(steps_->size()),
        later_(steps_->size()),
        missing_(steps_->size()),
        left_(steps_->size()) {
    for (std::size_t i = 0; i < steps_->size(); ++i) {
      const Step& step = (*steps_)[i];
      missing_[i].store(step.after.size(), std::memory_order_relaxed);
      for (const std::size_t earlier : step.after) later_[earlier].push_back(i);
      if (step.child != nullptr) children_[i] = std::make_shared<Run>(step.child);
      if (const auto* record = std::get_if<RecordWork>(&step.work)) {
        record->event->recorded = points_[i] = std::make_shared<Completion>();
        record->event->capture = nullptr;
      } else if (const auto* wait = std::get_if<WaitWork>(&step.work)) {
        points_[i] = wait->event->recorded;
      }
    }
  }

  /// Does all steps; returns when they are done.
  void carryOut() {
    if (steps_->empty()) return;
    std::optional<std::size_t> own;
    for (std::size_t i = 0; i < steps_->size(); ++i) {
      if (!(*steps_)[i].after.empty()) continue;
      if (own) {
        begin(i);
      } else {
        own = i;
      }
    }
    goOnFrom(*own);
    done_.wait();
  }

 private:
  void begin(std::size_t step) {
    startJob([self = shared_from_this(), step] { self->goOnFrom(step); });
  }

  /// Does a step and then one of those that it was the last to hold up; the others of them get threads.
  void goOnFrom(std::size_t step) {
    for (std::optional<std::size_t> current = step; current;) {
      doStep(*current);
      std::optional<std::size_t> next;
      for (const std::size_t later : later_[*current]) {
        if (missing_[later].fetch_sub(1, std::memory_order_acq_rel) != 1) continue;
        if (next) {
          begin(later);
        } else {
          next = later;
        }
      }
      if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) done_.finish();
      current = next;
    }
  }

  void doStep(std::size_t i) {
    const Step& step = (*steps_)[i];
    if (children_[i] != nullptr) {
      children_[i]->carryOut();
    } else if (std::holds_alternative<RecordWork>(step.work)) {
      points_[i]->finish();
    } else if (std::holds_alternative<WaitWork>(step.work)) {
      if (points_[i] != nullptr) points_[i]->wait();
    } else {
      perform(step.work, step.device);
    }
  }

  std::shared_ptr<const Steps> steps_;
  std::vector<CompletionPtr> points_;  ///< of event nodes
  std::vector<std::shared_ptr<Run>> children_;
  std::vector<std::vector<std::size_t>> later_;
  std::vector<std::atomic<std::size_t>> missing_;
  std::atomic<std::size_t> left_;
  Completion done_;
};

cudaError_t instantiate(cudaGraphExec_t* result, cudaGraph_t handle, unsigned long long flags) {
  const std::lock_guard lock(submission());
  const std::shared_ptr<Graph> graph = graphOf(handle);
  constexpr unsigned long long known = cudaGraphInstantiateFlagAutoFreeOnLaunch | cudaGraphInstantiateFlagUpload |
                                       cudaGraphInstantiateFlagUseNodePriority;
  if (result == nullptr || graph == nullptr || (flags & ~known) != 0) return cudaErrorInvalidValue;
  std::shared_ptr<const Steps> steps = stepsOf(*graph);
  if (steps == nullptr) return cudaErrorInvalidValue;
  auto executable = std::make_shared<Executable>(graph->references);
  executable->steps = std::move(steps);
  executable->flags = flags;
  *result = executables().add(std::move(executable));
  return cudaSuccess;
}

cudaError_t launch(cudaGraphExec_t handle, cudaStream_t streamHandle) {
  const std::shared_ptr<Executable> executable = executables().find(handle);
  const StreamPtr stream = streamOf(streamHandle);
  if (executable == nullptr) return cudaErrorInvalidValue;
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  const std::lock_guard lock(submission());
  const cudaError_t implicit = forbidImplicitCapture(*stream);
  if (implicit != cudaSuccess) return implicit;
  if (stream->capture != nullptr) return captureWork(*stream, ChildWork{graphFrom(*executable)});
  std::vector<CompletionPtr> after;
  if (executable->last != nullptr) after.push_back(executable->last);
  auto run = std::make_shared<Run>(executable->steps);
  executable->last = enqueue(
      stream, [run = std::move(run), held = executable->references] { run->carryOut(); }, std::move(after));
  return cudaSuccess;
}

/// Gives one step other work.
template <class Kind>
cudaError_t change(cudaGraphExec_t handle, cudaGraphNode_t node, Kind work) {
  const std::shared_ptr<Executable> executable = executables().find(handle);
  if (executable == nullptr) return cudaErrorInvalidValue;
  const std::lock_guard lock(submission());
  auto steps = std::make_shared<Steps>(*executable->steps);
  const auto step = std::find_if(steps->begin(), steps->end(), [&](const Step& one) { return one.node == node; });
  if (step == steps->end() || !std::holds_alternative<Kind>(step->work)) return cudaErrorInvalidValue;
  step->work = std::move(work);
  executable->steps = std::move(steps);
  return cudaSuccess;
}

cudaGraphExecUpdateResult compare(const Steps& old, const Steps& next) {
  if (old.size() != next.size()) return cudaGraphExecUpdateErrorTopologyChanged;
  for (std::size_t i = 0; i < old.size(); ++i) {
    if (old[i].after != next[i].after) return cudaGraphExecUpdateErrorTopologyChanged;
    if (old[i].work.index() != next[i].work.index()) return cudaGraphExecUpdateErrorNodeTypeChanged;
  }
  return cudaGraphExecUpdateSuccess;
}

cudaError_t updateWhole(cudaGraphExec_t handle, cudaGraph_t graphHandle, cudaGraphExecUpdateResultInfo* info) {
  const std::shared_ptr<Executable> executable = executables().find(handle);
  const std::lock_guard lock(submission());
  const std::shared_ptr<Graph> graph = graphOf(graphHandle);
  if (executable == nullptr || graph == nullptr || info == nullptr) return cudaErrorInvalidValue;
  const std::shared_ptr<const Steps> next = stepsOf(*graph);
  *info = {};
  info->result = next == nullptr ? cudaGraphExecUpdateError : compare(*executable->steps, *next);
  if (info->result != cudaGraphExecUpdateSuccess) return cudaErrorGraphExecUpdateFailure;
  // Nodes keep the names that they were instantiated under.
  auto steps = std::make_shared<Steps>(*next);
  for (std::size_t i = 0; i < steps->size(); ++i) (*steps)[i].node = (*executable->steps)[i].node;
  executable->steps = std::move(steps);
  executable->references = std::make_shared<const References>(graph->references);
  return cudaSuccess;
}

}  // namespace

std::size_t liveExecutables() {
  return executables().size();
}
void forgetExecutables() {
  executables().clear();
}

}  // namespace fakecuda

using namespace fakecuda;

extern "C" {

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags) {
  return call(__func__, Needs::device, [&] { return instantiate(executable, graph, flags); });
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags) {
  return call(__func__, Needs::device, [&] { return instantiate(executable, graph, flags); });
}

cudaError_t cudaGraphExecGetFlags(cudaGraphExec_t handle, unsigned long long* flags) {
  return call(__func__, Needs::device, [&] {
    const std::shared_ptr<Executable> executable = executables().find(handle);
    if (executable == nullptr || flags == nullptr) return cudaErrorInvalidValue;
    *flags = executable->flags;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  return call(__func__, Needs::device, [&] { return launch(executable, stream); });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t executable, cudaStream_t stream) {
  return call(__func__, Needs::device, [&] {
    if (executables().find(executable) == nullptr) return cudaErrorInvalidValue;
    return streamOf(stream) == nullptr ? cudaErrorInvalidResourceHandle : cudaSuccess;
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return call(__func__, Needs::device,
              [&] { return executables().remove(executable) == nullptr ? cudaErrorInvalidValue : cudaSuccess; });
}

cudaError_t cudaGraphExecUpdate(cudaGraphExec_t executable, cudaGraph_t graph, cudaGraphExecUpdateResultInfo* info) {
  return call(__func__, Needs::device, [&] { return updateWhole(executable, graph, info); });
}

cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t executable, cudaGraphNode_t node,
                                             const cudaKernelNodeParams* parameters) {
  return call(__func__, Needs::device, [&] {
    std::shared_ptr<const Launch> made;
    const cudaError_t wrong = launchOf(parameters, made);
    return wrong != cudaSuccess ? wrong : change(executable, node, KernelWork{std::move(made)});
  });
}

cudaError_t cudaGraphExecHostNodeSetParams(cudaGraphExec_t executable, cudaGraphNode_t node,
                                           const cudaHostNodeParams* parameters) {
  return call(__func__, Needs::device, [&] {
    if (parameters == nullptr || parameters->fn == nullptr) return cudaErrorInvalidValue;
    return change(executable, node, HostWork{*parameters});
  });
}

cudaError_t cudaGraphExecMemcpyNodeSetParams1D(cudaGraphExec_t executable, cudaGraphNode_t node, void* to,
                                               const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return call(__func__, Needs::device, [&] {
    if (to == nullptr || from == nullptr) return cudaErrorInvalidValue;
    return change(executable, node, CopyWork{to, from, bytes, kind, nullptr});
  });
}

}  // extern "C"
