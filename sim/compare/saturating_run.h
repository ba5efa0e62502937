// A whole network as kernels that saturate compute it, for references that have its outputs alone.
#pragma once

#include "sim/compare/tensor_set.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Whether ONNX Runtime on x86 without VNNI, and not with exact sums, gives every tensor of `reference` that
/// the graph computes: layers of uint8 activations and int8 weights add pairs of products in 16 bits,
/// depthwise convolutions, ConvInteger and layers of int8 activations are exact; accumulators become outputs
/// in float32. The graph's inputs are those of `reference`, else of `values`; false where one is in neither,
/// and for other semantics than ONNX's.
[[nodiscard]] bool only_saturating_kernels_give(const Graph& graph, const TensorSet& values,
                                                const TensorSet& reference);

}  // namespace qsim
