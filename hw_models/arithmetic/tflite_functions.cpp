#include "hw_models/arithmetic/tflite_functions.h"

#include <algorithm>
#include <cmath>

#include "hw_models/arithmetic/requantize.h"

namespace qsim::arithmetic {
namespace {

/// log2(scale) where the scale is within 1e-3 of a power of two in the logarithm, as TFLite tests it.
bool is_power_of_two(float scale, std::int32_t& exponent) {
  const double log2_scale = std::log2(static_cast<double>(scale));
  const double rounded = std::round(log2_scale);
  exponent = static_cast<std::int32_t>(rounded);
  return std::abs(log2_scale - rounded) < 1e-3;
}

/// Sets the input shifts log2(s_i / s_out), both <= 0 and one of them 0, or returns false.
bool use_power_of_two_scales(const QuantizedType& a, const QuantizedType& b, const QuantizedType& output,
                             TfliteAddFunction& f) {
  std::int32_t log2_a = 0;
  std::int32_t log2_b = 0;
  std::int32_t log2_output = 0;
  if (output.format.bits <= 8 || a.zero_point != 0 || b.zero_point != 0 || output.zero_point != 0 ||
      !is_power_of_two(a.scale, log2_a) || !is_power_of_two(b.scale, log2_b) ||
      !is_power_of_two(output.scale, log2_output) || std::max(log2_a, log2_b) != log2_output) {
    return false;
  }
  f.power_of_two_scales = true;
  f.input1_shift = log2_a - log2_output;
  f.input2_shift = log2_b - log2_output;
  return true;
}

}  // namespace

/// S = 2 max(s1, s2);  M_i = s_i / S;  M_out = S / (2^left_shift * s_out); float32 products by powers of two
/// are exact, the divisions are in double.
TfliteAddFunction make_tflite_add(const QuantizedType& a, const QuantizedType& b, const QuantizedType& output,
                                  const ClampLimits& limits, bool subtract, bool pot_scale_int16) {
  TfliteAddFunction f;
  f.subtract = subtract;
  f.clamp_min = limits.min;
  f.clamp_max = limits.max;
  if (pot_scale_int16 && use_power_of_two_scales(a, b, output, f)) {
    return f;
  }
  f.left_shift = output.format.bits <= 8 ? 20 : 15;
  const double twice_max_scale = 2.0 * static_cast<double>(std::max(a.scale, b.scale));
  const double output_step = std::ldexp(static_cast<double>(output.scale), f.left_shift);
  f.input1_offset = -a.zero_point;
  f.input2_offset = -b.zero_point;
  f.output_offset = output.zero_point;
  quantize_multiplier(static_cast<double>(a.scale) / twice_max_scale, f.input1_multiplier, f.input1_shift);
  quantize_multiplier(static_cast<double>(b.scale) / twice_max_scale, f.input2_multiplier, f.input2_shift);
  quantize_multiplier(twice_max_scale / output_step, f.output_multiplier, f.output_shift);
  return f;
}

/// M = (s1 * s2) / s_out in float32.
TfliteMulFunction make_tflite_mul(const QuantizedType& a, const QuantizedType& b, const QuantizedType& output,
                                  const ClampLimits& limits) {
  TfliteMulFunction f;
  f.input1_offset = -a.zero_point;
  f.input2_offset = -b.zero_point;
  f.output_offset = output.zero_point;
  const float m = (a.scale * b.scale) / output.scale;
  quantize_multiplier(static_cast<double>(m), f.output_multiplier, f.output_shift);
  f.clamp_min = limits.min;
  f.clamp_max = limits.max;
  return f;
}

/// M1 = s_x / s_y;  M2 = s_x * s_slope / s_y in float32; limited to the format.
TflitePReluFunction make_tflite_prelu(const QuantizedType& input, const QuantizedType& slope,
                                      const QuantizedType& output) {
  TflitePReluFunction f;
  f.input_offset = -input.zero_point;
  f.slope_offset = -slope.zero_point;
  f.output_offset = output.zero_point;
  const float identity = input.scale / output.scale;
  const float sloped = input.scale * slope.scale / output.scale;
  quantize_multiplier(static_cast<double>(identity), f.identity_multiplier, f.identity_shift);
  quantize_multiplier(static_cast<double>(sloped), f.slope_multiplier, f.slope_shift);
  f.clamp_min = static_cast<std::int32_t>(output.format.min());
  f.clamp_max = static_cast<std::int32_t>(output.format.max());
  return f;
}

/// M = s_in / s_out in double; 1/n joins it at the evaluation.
TfliteMeanFunction make_tflite_mean(const QuantizedType& input, const QuantizedType& output,
                                    const ClampLimits& limits) {
  TfliteMeanFunction f;
  f.input_zero_point = input.zero_point;
  f.output_zero_point = output.zero_point;
  quantize_multiplier(static_cast<double>(input.scale) / static_cast<double>(output.scale), f.multiplier,
                      f.shift);
  f.clamp_min = limits.min;
  f.clamp_max = limits.max;
  return f;
}

ClampLimits activation_limits(const QuantizedType& output, float low, float high) {
  const auto type_min = static_cast<float>(output.format.min() - output.zero_point);
  const auto type_max = static_cast<float>(output.format.max() - output.zero_point);
  const auto quantized = [&](float bound) {
    const float steps = std::clamp(std::round(bound / output.scale), type_min, type_max);
    return static_cast<std::int32_t>(steps) + output.zero_point;
  };
  return {quantized(low), quantized(high)};
}

}  // namespace qsim::arithmetic
