// Operators whose operands carry their scales (QLinearConv, com.microsoft QGemm, ...): where those stand
// among the inputs, and which plain operator computes the same on real numbers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
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
  std::string plain;  ///< "Conv" of QLinearConv.
  std::vector<QuantizedOperand> operands;
  std::optional<std::size_t> bias;
  std::optional<std::size_t> output_scale;  ///< None: the result is the int32 accumulator.
  std::size_t output_zero_point = 0;
};

/// Nothing where the node is none of them, or has too few inputs.
[[nodiscard]] std::optional<QuantizedOperator> quantized_operator(const OnnxNode& node);

/// Operators that hand integers on as they are, so that their output has their input's scale.
[[nodiscard]] bool moves_integers(const OnnxNode& node);

}  // namespace qsim::onnx_format
