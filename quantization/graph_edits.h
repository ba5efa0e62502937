// What is done to a float graph before it is quantized: white paper, sections 2.3.1 and 2.3.2.
#pragma once

#include "workloads/graph/graph.h"

namespace qsim {

/// y = scale * (W x + b) + shift becomes one layer with W' = scale[n] * W[n], b' = scale[n] * b[n] +
/// shift[n], products in double, rounded to float32 once: batch norms behind a convolution or fully connected
/// layer whose output nothing else reads. The layer's node stays, makes the norm's output, and the norm's
/// name goes to Graph::folded_nodes; what the norm says of its output's distribution is the layer's from then
/// on. Returns how many were folded.
int fold_batch_norm(Graph& graph);

/// ReLU, ReLU6 and clips to [0, 6], [0, inf) and [-1, 1] behind an operation that can apply them before it
/// rounds (convolutions, fully connected layers, sums, products, pooling), has none yet, and whose output
/// nothing else reads. Returns how many were fused.
int fuse_activations(Graph& graph);

/// ReLU6, fused or a node of its own, becomes ReLU: other outputs where an input is above 6. Returns how
/// many.
int replace_relu6(Graph& graph);

/// Integer weights under float activations (dynamic range) become float32: w = s * q. Returns how many.
int dequantize_weights(Graph& graph);

/// Input `input` of a node, a constant, to be changed for this node alone: others that read it keep it.
[[nodiscard]] Tensor& own_constant(Graph& graph, Node& node, std::size_t input);

/// The bias of a layer of `channels` output channels: one of zeros where it has none.
[[nodiscard]] Tensor& own_bias(Graph& graph, Node& node, std::int64_t channels);

/// Number of nodes that read a tensor, plus one where it is a graph output.
[[nodiscard]] int use_count(const Graph& graph, TensorId id);

}  // namespace qsim
