// Where operators whose operands carry their scales (QLinearConv, com.microsoft QGemm, ...) have them among
// their inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "workloads/readers/onnx/onnx_model.h"

namespace qsim::onnx_format {

/// Positions among a node's inputs.
struct QuantizedOperand {
  std::size_t value = 0;
  std::optional<std::size_t> scale;  ///< None: integers, of scale 1.
  std::size_t zero_point = 0;
};

struct QuantizedOperator {
  std::vector<QuantizedOperand> operands;
  std::optional<std::size_t> bias;
  std::optional<std::size_t> output_scale;  ///< None: the result is the int32 accumulator.
  std::size_t output_zero_point = 0;
  std::int64_t weight_axis = -1;  ///< Dimension of the weights that has a scale each, from the end below 0.
};

/// `count` operands as value, scale, zero point one after the other, `bias` (0: none), scale and zero point
/// of the output. Nothing where the node has too few inputs.
[[nodiscard]] std::optional<QuantizedOperator> scaled_operands(const OnnxNode& node, std::size_t count,
                                                               std::size_t bias, std::size_t output_scale,
                                                               std::int64_t weight_axis = -1);
/// The same of one operand.
[[nodiscard]] std::optional<QuantizedOperator> scaled_operand(const OnnxNode& node);

/// Products of integers: values a, b, then their zero points, which may be absent.
[[nodiscard]] std::optional<QuantizedOperator> integer_operands(const OnnxNode& node,
                                                                std::int64_t weight_axis = -1);

}  // namespace qsim::onnx_format
