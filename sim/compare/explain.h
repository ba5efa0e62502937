// Why a layer's values differ from a reference: which arithmetic, applied to the layer's inputs, gives the
// reference's output.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/compare/tensor_set.h"
#include "workloads/execute/execute.h"

namespace qsim {

struct SuspectResult {
  std::string name;
  std::string meaning;
  std::int64_t unexplained = 0;  ///< Output elements that it does not reproduce.

  [[nodiscard]] bool is_exact() const { return unexplained == 0; }
};

struct Explanation {
  std::string node;
  std::string op;
  std::string place;
  std::string tensor;
  std::int64_t elements = 0;
  std::int64_t different = 0;  ///< Between the two sides.
  /// Activations that the reference lacks, taken from the other side: what differs may come from before.
  std::vector<std::string> assumed_inputs;
  std::string obstacle;                 ///< Why there are no suspects; empty otherwise.
  std::vector<SuspectResult> suspects;  ///< Fewest unexplained first.
  /// What the arithmetic that gives the reference says of its maker, one sentence; empty where nothing more.
  std::string verdict;
};

/// The first node, in order of execution, whose output both sides have with different values, recomputed from
/// the reference's inputs by every suspect. `values` are the graph's tensors as the run (or another file) has
/// them. With `tensor`, the node that computes it alone. Nothing where all nodes agree. The graph is valid.
[[nodiscard]] std::optional<Explanation> explain_first_difference(const Graph& graph, const TensorSet& values,
                                                                  const TensorSet& reference,
                                                                  const std::string& tensor = "");

/// Names of the graph's activations in order of execution: inputs, then each node's output.
[[nodiscard]] std::vector<std::string> execution_order(const Graph& graph);

}  // namespace qsim
