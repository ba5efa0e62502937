// Arithmetic that another runtime may have used for one layer: candidates to explain a difference with.
#pragma once

#include <string>
#include <vector>

#include "workloads/execute/execute.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// What a candidate makes of the layer's inputs.
struct Suspect {
  std::string name;     ///< "float32": a word to look up in docs/compare_outputs.md.
  std::string meaning;  ///< One line.
  TensorData output;
};

/// The suspect whose pairs of products saturate at 16 bits (PairSum::saturated_to_16_bits).
inline constexpr const char* kSaturatedPairs = "saturated_pairs";

/// One node with the values of its activations, in the order of its inputs (constants included).
struct LayerInputs {
  const Graph& graph;
  const Node& node;
  std::vector<const TensorData*> values;  ///< nullptr where an optional input is absent.

  [[nodiscard]] const Tensor& output() const { return graph.tensor(node.outputs[0]); }
};

/// Nodes on the MAC array: every rounding profile and its known variants on exact sums, and sums that lost
/// bits. An output of 32 bits is a sum itself, which nothing rounds.
[[nodiscard]] std::vector<Suspect> rounding_suspects(const LayerInputs& layer);

/// What `kSaturatedPairs` makes of a node on the MAC array for which has_saturated_pairs() holds.
[[nodiscard]] TensorData saturated_output(const LayerInputs& layer);

/// All other nodes: the arithmetic of each semantics, and real arithmetic rounded at the end.
[[nodiscard]] std::vector<Suspect> vector_suspects(const LayerInputs& layer);

}  // namespace qsim
