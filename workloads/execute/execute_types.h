// Private to the executor: tensors and activations as the arithmetic sees them.
#pragma once

#include <limits>

#include "hw_models/arithmetic/quantized_type.h"
#include "workloads/execute/execute.h"

namespace qsim {

/// Bounds of an activation in real numbers.
struct RealBounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};
[[nodiscard]] RealBounds bounds_of(Activation activation);
/// Format, scale and zero point of a quantized tensor.
[[nodiscard]] arithmetic::QuantizedType quantized_type(const Tensor& tensor);
/// output_clamp() as the arithmetic takes it.
[[nodiscard]] arithmetic::ClampLimits clamp_limits(const Graph& graph, const Node& node);

}  // namespace qsim
