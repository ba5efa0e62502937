#include "hw_models/arithmetic/activation_tables.h"

#include <algorithm>
#include <cmath>

#include "hw_models/arithmetic/requantize.h"
#include "hw_models/arithmetic/sigmoid_16bit.h"
#include "hw_models/arithmetic/tflite_functions.h"

namespace qsim::arithmetic {
namespace {

std::int32_t limit(std::int64_t q, const IntegerFormat& format) {
  return static_cast<std::int32_t>(std::clamp(q, format.min(), format.max()));
}

/// Entry of every input integer, ascending.
template <class Function>
TableFunction tabulate(const IntegerFormat& input, const Function& function) {
  TableFunction result{input, {}};
  result.table.reserve(static_cast<std::size_t>(input.max() - input.min() + 1));
  for (std::int64_t q = input.min(); q <= input.max(); ++q) {
    result.table.push_back(function(static_cast<std::int32_t>(q)));
  }
  return result;
}

/// y = round(f(s_x (q - z_x)) * (1 / s_y)) + z_y in float32, half away from zero, limited to the format.
template <class Function>
TableFunction tabulate_float(const QuantizedType& input, const QuantizedType& output,
                             const Function& function) {
  const float inverse_scale = 1.0F / output.scale;
  const auto low = static_cast<float>(output.format.min());
  const auto high = static_cast<float>(output.format.max());
  return tabulate(input.format, [&](std::int32_t q) {
    const float real = input.scale * static_cast<float>(q - input.zero_point);
    const float y = std::round(function(real) * inverse_scale) + static_cast<float>(output.zero_point);
    return static_cast<std::int32_t>(std::clamp(y, low, high));
  });
}

struct Multiplier {
  std::int32_t multiplier = 0, shift = 0;
  explicit Multiplier(double m) { quantize_multiplier(m, multiplier, shift); }
  [[nodiscard]] std::int64_t operator()(std::int32_t x) const {
    return multiply_by_quantized_multiplier(x, multiplier, shift);
  }
};

}  // namespace

TableFunction make_logistic_table(const QuantizedType& input, const QuantizedType& output) {
  if (input.format.bits <= 8) {
    return tabulate_float(input, output, [](float x) { return 1.0F / (1.0F + std::exp(-x)); });
  }
  const Sigmoid16Bit sigmoid(input.scale, /*exact_left_shifts=*/0);
  return tabulate(input.format, [&](std::int32_t q) { return limit(sigmoid.logistic(q), output.format); });
}

TableFunction make_tanh_table(const QuantizedType& input, const QuantizedType& output) {
  if (input.format.bits <= 8) {
    return tabulate_float(input, output, [](float x) { return std::tanh(x); });
  }
  const Sigmoid16Bit sigmoid(input.scale, /*exact_left_shifts=*/1);
  return tabulate(input.format, [&](std::int32_t q) { return limit(sigmoid.tanh(q), output.format); });
}

/// x = q - z_x;  y = MBQM(x, M) for x >= 0, MBQM(x, M_alpha) below;  + z_y, limited. MBQM is
/// multiply_by_quantized_multiplier; M = s_x / s_y and M_alpha = s_x * alpha / s_y in float32.
TableFunction make_leaky_relu_table(const QuantizedType& input, const QuantizedType& output, float alpha) {
  const float scale_identity = input.scale / output.scale;
  const float scale_alpha = input.scale * alpha / output.scale;
  const Multiplier identity{static_cast<double>(scale_identity)};
  const Multiplier negative{static_cast<double>(scale_alpha)};
  return tabulate(input.format, [&](std::int32_t q) {
    const std::int32_t x = q - input.zero_point;
    return limit((x >= 0 ? identity(x) : negative(x)) + output.zero_point, output.format);
  });
}

/// y = MBQM(q - z_x, M) + z_y with M = s_x / s_y in float32, limited to the activation.
TableFunction make_relu_table(const QuantizedType& input, const QuantizedType& output, float low,
                              float high) {
  const float scale = input.scale / output.scale;
  const Multiplier multiplier{static_cast<double>(scale)};
  const ClampLimits limits = activation_limits(output, low, high);
  return tabulate(input.format, [&](std::int32_t q) {
    const std::int64_t y = multiplier(q - input.zero_point) + output.zero_point;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(y, limits.min, limits.max));
  });
}

/// y = MBQM(q - z_x, M) + z_y with M = s_x / s_y in double, limited to the format.
TableFunction make_requantize_table(const QuantizedType& input, const QuantizedType& output) {
  const Multiplier multiplier{static_cast<double>(input.scale) / static_cast<double>(output.scale)};
  return tabulate(input.format, [&](std::int32_t q) {
    return limit(multiplier(q - input.zero_point) + output.zero_point, output.format);
  });
}

TableFunction make_onnx_table(const QuantizedType& input, const QuantizedType& output,
                              const std::function<float(float)>& function) {
  const auto low = static_cast<float>(output.format.min() - output.zero_point);
  const auto high = static_cast<float>(output.format.max() - output.zero_point);
  return tabulate(input.format, [&](std::int32_t q) {
    const float real = static_cast<float>(q - input.zero_point) * input.scale;
    const float y = std::clamp(function(real) / output.scale, low, high);
    return static_cast<std::int32_t>(std::nearbyint(y)) + output.zero_point;
  });
}

}  // namespace qsim::arithmetic
