#include "workloads/readers/onnx/quantized_operators.h"

namespace qsim::onnx_format {

std::optional<QuantizedOperator> scaled_operands(const OnnxNode& node, std::size_t count, std::size_t bias,
                                                 std::size_t output_scale, std::int64_t weight_axis) {
  if (node.inputs.size() <= output_scale) return std::nullopt;
  QuantizedOperator op{{}, {}, output_scale, output_scale + 1, weight_axis};
  for (std::size_t i = 0; i < count; ++i) op.operands.push_back({3 * i, 3 * i + 1, 3 * i + 2});
  if (bias != 0 && bias < node.inputs.size() && !node.inputs[bias].empty()) op.bias = bias;
  return op;
}

std::optional<QuantizedOperator> scaled_operand(const OnnxNode& node) {
  return scaled_operands(node, 1, 0, 3);
}

std::optional<QuantizedOperator> integer_operands(const OnnxNode& node, std::int64_t weight_axis) {
  if (node.inputs.size() < 2) return std::nullopt;
  return QuantizedOperator{{{0, std::nullopt, 2}, {1, std::nullopt, 3}}, {}, {}, 0, weight_axis};
}

}  // namespace qsim::onnx_format
