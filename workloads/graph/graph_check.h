// Limits of a graph, and its problems one by one.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Most elements of one tensor: everything derived from sizes then fits 64 bits.
inline constexpr std::int64_t kMaxTensorElements = std::int64_t{1} << 30;
/// Scales of weights and activations: normal float32 numbers with room for sums and products above.
inline constexpr float kMinScale = 1.17549435e-38F;  // 2^-126
inline constexpr float kMaxScale = 1.26765060e30F;   // 2^100
/// Largest stride, dilation and padding.
inline constexpr std::int64_t kMaxWindowAttribute = std::int64_t{1} << 20;

/// What to do about a model that contradicts itself.
inline constexpr const char* kModelRemedy = "correct the model there, or convert it again";

/// Element count of a shape, or -1 where a dimension is below 1 or the product above kMaxTensorElements.
[[nodiscard]] std::int64_t checked_element_count(const Shape& shape);

/// A problem of a graph and the nodes (indices) that it keeps from running.
struct GraphProblem {
  Problem problem;
  std::vector<std::size_t> nodes;  ///< Empty: the graph as a whole.
};
/// What validate() throws, problem by problem. A wrong tensor stops every node that reads or writes it.
[[nodiscard]] std::vector<GraphProblem> find_graph_problems(const Graph& graph);

}  // namespace qsim
