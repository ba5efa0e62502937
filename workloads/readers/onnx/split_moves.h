// Moves of integers in more than four dimensions, which is what the vector unit has at most.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim::onnx_format {

/// Slices, pads, transposes and concatenations of integers that have to be split.
[[nodiscard]] bool needs_split(const Graph& graph, const Node& node);

/// How the pieces are added: a tensor like another one under another name and shape, and a node.
struct SplitSinks {
  std::function<TensorId(const Tensor& like, const std::string& name, const Shape& shape)> add_tensor;
  std::function<void(Node)> add_node;
};

/// Adds the same move in steps of at most four dimensions. Of several dimensions that are sliced or padded
/// each is a step; a permutation is a series of exchanges of two neighbouring blocks. The reshapes between
/// the steps move nothing.
void split_move(Graph& graph, const Node& node, const SplitSinks& sinks);

}  // namespace qsim::onnx_format
