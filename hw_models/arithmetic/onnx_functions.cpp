#include "hw_models/arithmetic/onnx_functions.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qsim::arithmetic {

/// With L = ln(FLT_MAX / length) - 5 (not below 0), the logarithm in float32, so that the sum of a row stays
/// finite: an input i below the largest has exp((L / s - i) s), computed in double and rounded to float32.
OnnxTableSoftmaxFunction make_onnx_table_softmax(const QuantizedType& input, const QuantizedType& output,
                                                 std::int64_t length) {
  OnnxTableSoftmaxFunction f;
  f.input = input.format;
  f.output = output.format;
  f.output_factor = std::floor(1.0F / output.scale);
  f.output_zero_point = output.zero_point;
  const float largest_term = std::numeric_limits<float>::max() / static_cast<float>(length);
  const auto scale = static_cast<double>(input.scale);
  const double shift = std::max(0.0, static_cast<double>(std::log(largest_term)) - 5.0) / scale;
  for (std::int64_t below = 0; below <= input.format.max() - input.format.min(); ++below) {
    f.exponentials.push_back(static_cast<float>(std::exp((static_cast<double>(-below) + shift) * scale)));
  }
  return f;
}

OnnxFloatBinaryFunction make_onnx_float_binary(FloatBinaryKind kind, const QuantizedType& a,
                                               const QuantizedType& b, const QuantizedType& output,
                                               const ClampLimits& limits) {
  return {kind,         a.scale,           b.scale,    output.scale, a.zero_point,
          b.zero_point, output.zero_point, limits.min, limits.max};
}

}  // namespace qsim::arithmetic
