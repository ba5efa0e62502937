// Cross-layer equalization: white paper, section 3.2.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim {

/// Two layers between which channels were scaled.
struct EqualizedPair {
  std::string first, second;  ///< Names of the nodes.
  /// By output channel of the first: its weights, bias and distribution are divided by the factor, and what
  /// the second multiplies with the channel is multiplied by it.
  std::vector<double> factors;
};

/// Gives the channels between two layers of a float graph the range that both need:
///
///   W1' = S^-1 W1, b1' = S^-1 b1, W2' = W2 S,  s_i = sqrt(r1_i / r2_i)
///
/// with r1_i = max |row i of W1| and r2_i = max |column i of W2|, so that both become sqrt(r1_i r2_i). All
/// pairs at once: the factors are the one solution of these equations for every pair (each factor is half the
/// sum of what its neighbours say, in logarithms, so that iterating contracts), in double, rounded into the
/// weights once. Of three layers around a depthwise one each range becomes cbrt(r1_i r2_i r3_i).
///
/// Pairs are those of layer_pairs.h. A second reader, a residual addition, ReLU6 and the like break a chain.
/// Channels whose range is 0 on either side, or below 2^-48 of the layer's largest weight, have the factor 1.
/// The function of the graph stays but for rounding.
///
/// Batch norms and activations are folded and fused before (graph_edits.h).
std::vector<EqualizedPair> equalize(Graph& graph);

}  // namespace qsim
