#include "workloads/ops/operand_types.h"

#include <algorithm>
#include <stdexcept>

#include "hw_models/arithmetic/tflite_functions.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/run.h"

namespace qsim {

RealBounds bounds_of(Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation) {
    case Activation::none:
      return {};
    case Activation::relu:
      return {0.0F, kInfinity};
    case Activation::relu6:
      return {0.0F, 6.0F};
    case Activation::relu_n1_to_1:
      return {-1.0F, 1.0F};
  }
  throw std::logic_error("activation out of range");
}

arithmetic::QuantizedType quantized_type(const Tensor& tensor) {
  const Quantization& q = *tensor.quantization;
  return {q.format(), q.scale(), q.zero_point()};
}

ClampRange output_clamp(const Graph& graph, const Node& node) {
  const arithmetic::IntegerFormat format = graph.tensor(node.outputs[0]).quantization->format();
  // Limits that float32 has no numbers for; nothing is fused.
  if (format.bits == 32)
    return {static_cast<std::int32_t>(format.min()), static_cast<std::int32_t>(format.max())};
  const Activation* activation = fused_activation(node.op);
  const RealBounds bounds = bounds_of(activation == nullptr ? Activation::none : *activation);
  const arithmetic::ClampLimits limits =
      arithmetic::activation_limits(quantized_type(graph.tensor(node.outputs[0])), bounds.low, bounds.high);
  if (!node.requantization) return limits;
  return {std::max(limits.min, node.requantization->low), std::min(limits.max, node.requantization->high)};
}

}  // namespace qsim
