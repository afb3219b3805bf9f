// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/graphs.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/events.h"
#include "tests/fakecuda/runtime/handles.h"
#include "tests/fakecuda/runtime/kernels.h"
#include "tests/fakecuda/runtime/streams.h"

namespace fakecuda {
namespace {

struct NodeEntry {
  Node* node;
};

struct Graphs {
  Handles<Graph, cudaGraph_t> graphs;
  Handles<NodeEntry, cudaGraphNode_t> nodes;
};

Graphs& all() {
  static auto* const made = new Graphs;
  return *made;
}

/// Nodes of handles; false if one is unknown or of another graph.
bool nodesOf(const Graph& graph, const cudaGraphNode_t* handles, std::size_t count, std::vector<Node*>& nodes) {
  if (count > 0 && handles == nullptr) return false;
  for (std::size_t i = 0; i < count; ++i) {
    Node* const node = nodeOf(handles[i]);
    if (node == nullptr || node->graph != &graph) return false;
    nodes.push_back(node);
  }
  return true;
}

cudaError_t add(cudaGraphNode_t* result, cudaGraph_t graphHandle, const cudaGraphNode_t* dependencies,
                std::size_t count, Work work) {
  const std::lock_guard lock(submission());
  const std::shared_ptr<Graph> graph = graphOf(graphHandle);
  std::vector<Node*> after;
  if (result == nullptr || graph == nullptr || !nodesOf(*graph, dependencies, count, after))
    return cudaErrorInvalidValue;
  *result = addNode(*graph, std::move(work), currentDevice(), std::move(after))->handle;
  return cudaSuccess;
}

/// The one of a variant's members that a node must hold for a call to make sense.
template <class Kind, class Use>
cudaError_t withWork(cudaGraphNode_t handle, const void* parameters, Use&& use) {
  const std::lock_guard lock(submission());
  Node* const node = nodeOf(handle);
  Kind* const work = node == nullptr ? nullptr : std::get_if<Kind>(&node->work);
  return work == nullptr || parameters == nullptr ? cudaErrorInvalidValue : use(*work);
}

/// CUDA's way to return a list: the count alone, or as many as there is room for, the rest filled with null.
cudaError_t giveNodes(const std::vector<const Node*>& nodes, cudaGraphNode_t* handles, std::size_t* count) {
  if (count == nullptr) return cudaErrorInvalidValue;
  if (handles == nullptr) {
    *count = nodes.size();
    return cudaSuccess;
  }
  for (std::size_t i = 0; i < *count; ++i) handles[i] = i < nodes.size() ? nodes[i]->handle : nullptr;
  *count = std::min(*count, nodes.size());
  return cudaSuccess;
}

template <class Choose>
cudaError_t chosenNodes(cudaGraph_t handle, cudaGraphNode_t* nodes, std::size_t* count, Choose&& choose) {
  const std::lock_guard lock(submission());
  const std::shared_ptr<Graph> graph = graphOf(handle);
  if (graph == nullptr) return cudaErrorInvalidValue;
  std::vector<const Node*> chosen;
  for (const std::unique_ptr<Node>& node : graph->nodes) {
    if (choose(*node)) chosen.push_back(node.get());
  }
  return giveNodes(chosen, nodes, count);
}

}  // namespace

Graph::~Graph() {
  for (const std::unique_ptr<Node>& node : nodes) all().nodes.remove(node->handle);
}

std::shared_ptr<Graph> makeGraph() {
  auto graph = std::make_shared<Graph>();
  graph->handle = all().graphs.add(graph);
  return graph;
}

std::shared_ptr<Graph> graphOf(cudaGraph_t handle) {
  return all().graphs.find(handle);
}

void forgetGraph(cudaGraph_t handle) {
  all().graphs.remove(handle);
}

Node* addNode(Graph& graph, Work work, int device, std::vector<Node*> after) {
  auto node = std::make_unique<Node>();
  node->graph = &graph;
  node->work = std::move(work);
  node->device = device;
  node->after = std::move(after);
  node->handle = all().nodes.add(std::make_shared<NodeEntry>(NodeEntry{node.get()}));
  graph.nodes.push_back(std::move(node));
  return graph.nodes.back().get();
}

Node* nodeOf(cudaGraphNode_t handle) {
  const std::shared_ptr<NodeEntry> entry = all().nodes.find(handle);
  return entry == nullptr ? nullptr : entry->node;
}

std::shared_ptr<Graph> cloneOf(const Graph& graph) {
  auto clone = std::make_shared<Graph>(graph.references);
  std::map<const Node*, Node*> twins;
  for (const std::unique_ptr<Node>& node : graph.nodes)
    twins[node.get()] = addNode(*clone, node->work, node->device, {});
  for (const std::unique_ptr<Node>& node : graph.nodes) {
    for (const Node* earlier : node->after) twins[node.get()]->after.push_back(twins.at(earlier));
  }
  return clone;
}

std::vector<const Node*> inOrder(const Graph& graph) {
  std::vector<const Node*> order;
  std::map<const Node*, std::size_t> missing;
  std::map<const Node*, std::vector<const Node*>> later;
  for (const std::unique_ptr<Node>& node : graph.nodes) {
    missing[node.get()] = node->after.size();
    if (node->after.empty()) order.push_back(node.get());
    for (const Node* earlier : node->after) later[earlier].push_back(node.get());
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (const Node* next : later[order[i]]) {
      if (--missing[next] == 0) order.push_back(next);
    }
  }
  return order;
}

std::size_t liveGraphs() {
  return all().graphs.size();
}

void forgetGraphs() {
  forgetExecutables();
  all().graphs.clear();
}

}  // namespace fakecuda

using namespace fakecuda;

extern "C" {

cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned flags) {
  return call(__func__, Needs::driver, [&] {
    if (graph == nullptr || flags != 0) return cudaErrorInvalidValue;
    *graph = makeGraph()->handle;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t handle) {
  return call(__func__, Needs::driver, [&] {
    if (graphOf(handle) == nullptr) return cudaErrorInvalidValue;
    forgetGraph(handle);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphClone(cudaGraph_t* clone, cudaGraph_t original) {
  return call(__func__, Needs::driver, [&] {
    const std::lock_guard lock(submission());
    const std::shared_ptr<Graph> graph = graphOf(original);
    if (clone == nullptr || graph == nullptr) return cudaErrorInvalidValue;
    const std::shared_ptr<Graph> made = cloneOf(*graph);
    made->handle = *clone = all().graphs.add(made);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphAddEmptyNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                                  std::size_t count) {
  return call(__func__, Needs::driver, [&] { return add(node, graph, dependencies, count, NoWork{}); });
}

cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                                   std::size_t count, const cudaKernelNodeParams* parameters) {
  return call(__func__, Needs::driver, [&] {
    std::shared_ptr<const Launch> launch;
    const cudaError_t wrong = launchOf(parameters, launch);
    return wrong != cudaSuccess ? wrong : add(node, graph, dependencies, count, KernelWork{launch});
  });
}

cudaError_t cudaGraphAddHostNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                                 std::size_t count, const cudaHostNodeParams* parameters) {
  return call(__func__, Needs::driver, [&] {
    if (parameters == nullptr || parameters->fn == nullptr) return cudaErrorInvalidValue;
    return add(node, graph, dependencies, count, HostWork{*parameters});
  });
}

cudaError_t cudaGraphAddMemsetNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                                   std::size_t count, const cudaMemsetParams* parameters) {
  return call(__func__, Needs::driver, [&] {
    if (parameters == nullptr || parameters->dst == nullptr) return cudaErrorInvalidValue;
    return add(node, graph, dependencies, count, FillWork{*parameters});
  });
}

cudaError_t cudaGraphAddMemcpyNode1D(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                                     std::size_t count, void* to, const void* from, std::size_t bytes,
                                     cudaMemcpyKind kind) {
  return call(__func__, Needs::driver, [&] {
    if (to == nullptr || from == nullptr) return cudaErrorInvalidValue;
    return add(node, graph, dependencies, count, CopyWork{to, from, bytes, kind, nullptr});
  });
}

cudaError_t cudaGraphAddEventRecordNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                                        std::size_t count, cudaEvent_t event) {
  return call(__func__, Needs::driver, [&] {
    if (eventOf(event) == nullptr) return cudaErrorInvalidValue;
    return add(node, graph, dependencies, count, RecordWork{eventOf(event), event});
  });
}

cudaError_t cudaGraphAddEventWaitNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                                      std::size_t count, cudaEvent_t event) {
  return call(__func__, Needs::driver, [&] {
    if (eventOf(event) == nullptr) return cudaErrorInvalidValue;
    return add(node, graph, dependencies, count, WaitWork{eventOf(event), event});
  });
}

cudaError_t cudaGraphAddChildGraphNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                                       std::size_t count, cudaGraph_t child) {
  return call(__func__, Needs::driver, [&] {
    const std::shared_ptr<Graph> original = graphOf(child);
    if (original == nullptr || child == graph) return cudaErrorInvalidValue;
    return add(node, graph, dependencies, count, ChildWork{cloneOf(*original)});
  });
}

cudaError_t cudaGraphAddDependencies(cudaGraph_t handle, const cudaGraphNode_t* from, const cudaGraphNode_t* to,
                                     const cudaGraphEdgeData* /*data*/, std::size_t count) {
  return call(__func__, Needs::driver, [&] {
    const std::lock_guard lock(submission());
    const std::shared_ptr<Graph> graph = graphOf(handle);
    std::vector<Node*> earlier;
    std::vector<Node*> later;
    if (graph == nullptr || !nodesOf(*graph, from, count, earlier) || !nodesOf(*graph, to, count, later)) {
      return cudaErrorInvalidValue;
    }
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<Node*>& after = later[i]->after;
      if (std::find(after.begin(), after.end(), earlier[i]) != after.end()) return cudaErrorInvalidValue;
      after.push_back(earlier[i]);
    }
    return cudaSuccess;
  });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  return call(__func__, Needs::driver,
              [&] { return chosenNodes(graph, nodes, count, [](const Node&) { return true; }); });
}

cudaError_t cudaGraphGetRootNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  return call(__func__, Needs::driver,
              [&] { return chosenNodes(graph, nodes, count, [](const Node& node) { return node.after.empty(); }); });
}

cudaError_t cudaGraphNodeGetDependencies(cudaGraphNode_t handle, cudaGraphNode_t* nodes, cudaGraphEdgeData* data,
                                         std::size_t* count) {
  return call(__func__, Needs::driver, [&] {
    const std::lock_guard lock(submission());
    const Node* const node = nodeOf(handle);
    if (node == nullptr) return cudaErrorInvalidValue;
    const cudaError_t given = giveNodes({node->after.begin(), node->after.end()}, nodes, count);
    if (given == cudaSuccess && data != nullptr && nodes != nullptr) std::fill_n(data, *count, cudaGraphEdgeData{});
    return given;
  });
}

cudaError_t cudaGraphGetEdges(cudaGraph_t handle, cudaGraphNode_t* from, cudaGraphNode_t* to, cudaGraphEdgeData* data,
                              std::size_t* count) {
  return call(__func__, Needs::driver, [&] {
    const std::lock_guard lock(submission());
    const std::shared_ptr<Graph> graph = graphOf(handle);
    if (graph == nullptr || count == nullptr || (from == nullptr) != (to == nullptr)) return cudaErrorInvalidValue;
    std::vector<const Node*> earlier;
    std::vector<const Node*> later;
    for (const std::unique_ptr<Node>& node : graph->nodes) {
      earlier.insert(earlier.end(), node->after.begin(), node->after.end());
      later.insert(later.end(), node->after.size(), node.get());
    }
    std::size_t again = *count;
    if (from != nullptr && data != nullptr) std::fill_n(data, std::min(again, later.size()), cudaGraphEdgeData{});
    const cudaError_t given = giveNodes(earlier, from, count);
    return given != cudaSuccess ? given : giveNodes(later, to, &again);
  });
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t handle, cudaGraphNodeType* type) {
  return call(__func__, Needs::driver, [&] {
    const std::lock_guard lock(submission());
    const Node* const node = nodeOf(handle);
    if (node == nullptr || type == nullptr) return cudaErrorInvalidValue;
    *type = nodeType(node->work);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphKernelNodeGetParams(cudaGraphNode_t node, cudaKernelNodeParams* parameters) {
  return call(__func__, Needs::driver, [&] {
    return withWork<KernelWork>(node, parameters, [&](const KernelWork& work) {
      *parameters = parametersOf(*work.launch);
      return cudaSuccess;
    });
  });
}

cudaError_t cudaGraphKernelNodeSetParams(cudaGraphNode_t node, const cudaKernelNodeParams* parameters) {
  return call(__func__, Needs::driver, [&] {
    std::shared_ptr<const Launch> launch;
    const cudaError_t wrong = launchOf(parameters, launch);
    if (wrong != cudaSuccess) return wrong;
    return withWork<KernelWork>(node, parameters, [&](KernelWork& work) {
      work.launch = launch;
      return cudaSuccess;
    });
  });
}

cudaError_t cudaGraphHostNodeGetParams(cudaGraphNode_t node, cudaHostNodeParams* parameters) {
  return call(__func__, Needs::driver, [&] {
    return withWork<HostWork>(node, parameters, [&](const HostWork& work) {
      *parameters = work.parameters;
      return cudaSuccess;
    });
  });
}

}  // extern "C"
