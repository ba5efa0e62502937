// Layers whose channels meet: white paper, section 3.2.
#pragma once

#include <cstddef>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim {

/// Nodes, in the order of the data.
struct LayerPair {
  std::size_t first = 0, second = 0;
  std::vector<std::size_t> between = {};
};

/// Layers with float weights (convolution of any groups, transposed convolution, fully connected) of which
/// the second alone reads what the first makes, through nothing but operations with
/// OpDefinition::keeps_factors: ReLU, leaky ReLU, PReLU, pooling, means, zero padding, flattening. The
/// first's fused activation is ReLU or none.
[[nodiscard]] std::vector<LayerPair> layer_pairs(const Graph& graph);

}  // namespace qsim
