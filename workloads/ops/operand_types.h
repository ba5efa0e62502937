// Tensors and activations as the arithmetic sees them.
#pragma once

#include "hw_models/arithmetic/quantized_type.h"
#include "hw_models/arithmetic/vector_functions.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Format, scale and zero point of a quantized tensor.
[[nodiscard]] arithmetic::QuantizedType quantized_type(const Tensor& tensor);
using ClampRange = arithmetic::ClampLimits;
/// Output clamp of a node: type limits and fused activation, in output integers.
[[nodiscard]] ClampRange output_clamp(const Graph& graph, const Node& node);
/// Integers at another scale: inputs of a concatenation, a quantization of integers.
[[nodiscard]] arithmetic::TableFunction rescaling_table(Semantics semantics,
                                                        const arithmetic::QuantizedType& in,
                                                        const arithmetic::QuantizedType& out);

}  // namespace qsim
