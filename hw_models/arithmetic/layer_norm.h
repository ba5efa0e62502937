// Layer normalization of one row.
#pragma once

#include <cstdint>
#include <span>

#include "hw_models/arithmetic/vector_functions.h"

namespace qsim::arithmetic {

/// ONNX Runtime LayerNormalization between DequantizeLinear and QuantizeLinear; formula above the evaluation.
struct OnnxLayerNormFunction {
  float input_scale = 1.0F, output_scale = 1.0F;
  std::int32_t input_zero_point = 0, output_zero_point = 0;
  IntegerFormat output{};
  float epsilon = 1e-5F;
};

/// gamma and beta are empty or as long as the row.
void evaluate_row(const OnnxLayerNormFunction& function, std::span<const std::int64_t> in,
                  std::span<std::int64_t> out, const RowParameters& parameters);
/// Sum, difference, sum of squares, beta; dequantize, square, scale, gamma.
[[nodiscard]] inline RowWork row_work(const OnnxLayerNormFunction& /*function*/) {
  return {.adds = 4, .multiplies = 4};
}

}  // namespace qsim::arithmetic
