// SPDX-License-Identifier: Apache-2.0
// Graphs: work with dependencies, made node by node or by capture, and the objects of the program's that live as long
// as they do. All of it is under submission().
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "tests/fakecuda/runtime/work.h"

namespace fakecuda {

struct Node {
  cudaGraphNode_t handle = nullptr;
  Graph* graph = nullptr;
  Work work;
  int device = 0;
  std::vector<Node*> after;
};

/// Something of the program's with a count of references; at the last one's end its function is called, in a thread of
/// the runtime's.
struct UserObject;

/// References that a graph or an executable holds; a copy holds as many again.
class References {
 public:
  References() = default;
  References(const References& other);
  References& operator=(const References&) = delete;
  ~References();

  /// Takes over references that somebody else held.
  void adopt(const std::shared_ptr<UserObject>& object, unsigned count);
  /// Gives up some. False if there are not as many.
  bool drop(const std::shared_ptr<UserObject>& object, unsigned count);

 private:
  std::map<std::shared_ptr<UserObject>, unsigned> held_;
};

struct Graph {
  Graph() = default;
  explicit Graph(const References& held) : references(held) {}
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  cudaGraph_t handle = nullptr;
  std::vector<std::unique_ptr<Node>> nodes;
  References references;
};

/// A graph with a handle.
std::shared_ptr<Graph> makeGraph();
std::shared_ptr<Graph> graphOf(cudaGraph_t handle);
void forgetGraph(cudaGraph_t handle);

/// Adds a node, with a handle.
Node* addNode(Graph& graph, Work work, int device, std::vector<Node*> after);

/// The node of a handle; null when there is none.
Node* nodeOf(cudaGraphNode_t handle);

/// Nodes and edges again, and as many references.
std::shared_ptr<Graph> cloneOf(const Graph& graph);

/// A graph's nodes, each after those it depends on. Fewer than all if they depend on each other in a circle.
std::vector<const Node*> inOrder(const Graph& graph);

std::size_t liveGraphs();
std::size_t liveUserObjects();
std::size_t liveExecutables();
void forgetGraphs();
void forgetExecutables();

}  // namespace fakecuda
