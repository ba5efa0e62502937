#include "hw_models/arithmetic/activation_tables.h"

#include <algorithm>
#include <cmath>

#include "hw_models/arithmetic/fixed_point.h"
#include "hw_models/arithmetic/interpolated_table.h"
#include "hw_models/arithmetic/limited.h"
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

/// 513 samples of f over the real range of int16, S = 2^16 / (s_y * 65535) in float32, between them straight
/// lines. Zero points are 0.
template <class Function>
TableFunction tabulate_interpolated(const QuantizedType& input, const QuantizedType& output,
                                    const Function& function) {
  const float span = output.scale * 32767.0F - output.scale * -32768.0F;
  const InterpolatedTable table(function, input.scale * -32768.0F, input.scale * 32767.0F, 65536.0F / span);
  return tabulate(input.format, [&](std::int32_t q) { return limit(table.at(q), output.format); });
}

template <class Function>
TableFunction tabulate_any_width(const QuantizedType& input, const QuantizedType& output,
                                 const Function& function) {
  return input.format.bits <= 8 ? tabulate_float(input, output, function)
                                : tabulate_interpolated(input, output, function);
}

struct Multiplier {
  std::int32_t multiplier = 0, shift = 0;
  explicit Multiplier(double m) { quantize_multiplier(m, multiplier, shift); }
  [[nodiscard]] std::int64_t operator()(std::int32_t x) const {
    return multiply_by_quantized_multiplier(x, multiplier, shift);
  }
};

constexpr int kLastShift = 31;  ///< Shifts of 16 bits by more are shifts by this.

/// M = multiplier * 2^(exponent - 15), the multiplier rounded to 16 bits.
struct Multiplier16 {
  std::int16_t multiplier = 0;
  std::int32_t exponent = 0;
  explicit Multiplier16(double m) {
    std::int32_t wide = 0;
    quantize_multiplier(m, wide, exponent);
    multiplier = static_cast<std::int16_t>(round_to_16bit_multiplier(wide));
  }
};

/// (a*b + (a*b >= 0 ? 2^14 : 1 - 2^14)) / 2^15, truncated; -2^15 * -2^15 saturates.
std::int16_t doubling_high_multiply_16(std::int16_t a, std::int16_t b) {
  const std::int32_t product = std::int32_t{a} * b;
  const std::int32_t nudge = product >= 0 ? 1 << 14 : 1 - (1 << 14);
  return static_cast<std::int16_t>(std::min((product + nudge) / (1 << 15), 32767));
}

std::int16_t saturating_left_shift_16(std::int16_t x, int shift) {
  const std::int64_t shifted = std::int64_t{x} * (std::int64_t{1} << std::min(shift, kLastShift));
  return static_cast<std::int16_t>(std::clamp<std::int64_t>(shifted, -32768, 32767));
}

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

/// 16-bit steps on x = (q - z_x) * 2^7, at scale s_x / 128:
///   r = 2^15 * clamp((x s_x / 128) / 3, -1, 1), by a 16-bit multiplier with its shift, saturating: "reluish"
///   -1..1 a = (r + 2^15) >> 1, Q0.15: 0..1 y = rounding_divide(a * SRDHM16(x, M), 2^-e) + z_y with M 2^e =
///   s_x / 128 / s_y, limited to the format.
TableFunction make_hard_swish_table(const QuantizedType& input, const QuantizedType& output) {
  const float hires_scale = (1.0F / 128.0F) * input.scale;
  const float reluish_scale = 3.0F / 32768.0F;
  const Multiplier16 to_output(static_cast<double>(hires_scale / output.scale));
  const Multiplier16 to_reluish(static_cast<double>(hires_scale / reluish_scale));
  return tabulate(input.format, [&](std::int32_t q) {
    const auto hires = static_cast<std::int16_t>((q - input.zero_point) * 128);
    const std::int16_t preshift = doubling_high_multiply_16(hires, to_output.multiplier);
    std::int16_t reluish = hires;
    if (to_reluish.exponent > 0) reluish = saturating_left_shift_16(reluish, to_reluish.exponent - 1);
    reluish = doubling_high_multiply_16(reluish, to_reluish.multiplier);
    if (to_reluish.exponent > 0) reluish = saturating_left_shift_16(reluish, 1);
    if (to_reluish.exponent < 0) {
      reluish = static_cast<std::int16_t>(
          rounding_divide_by_power_of_two(reluish, std::min(-to_reluish.exponent, kLastShift)));
    }
    const auto gate = static_cast<std::int16_t>((reluish + (1 << 15)) >> 1);
    const std::int32_t product = std::int32_t{gate} * preshift / (1 << 15);  // truncated
    const int shift = std::clamp(-to_output.exponent, 0, kLastShift);
    return limit(rounding_divide_by_power_of_two(product, shift) + output.zero_point, output.format);
  });
}

/// x/2 * erfc(-x / sqrt(2)), or x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))).
TableFunction make_gelu_table(const QuantizedType& input, const QuantizedType& output, bool approximate) {
  constexpr float kInverseSqrt2 = 0.707106781186547524401F;
  constexpr float kSqrt2OverPi = 1.12837916709551257390F * kInverseSqrt2;
  if (approximate) {
    return tabulate_any_width(input, output, [](float x) {
      return 0.5F * x * (1.0F + std::tanh(kSqrt2OverPi * (x + 0.044715F * x * x * x)));
    });
  }
  return tabulate_any_width(input, output, [](float x) { return 0.5F * x * std::erfc(x * -kInverseSqrt2); });
}

TableFunction make_elu_table(const QuantizedType& input, const QuantizedType& output) {
  return tabulate_float(input, output, [](float x) { return x < 0.0F ? std::expm1(x) : x; });
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
    const float y = limited(function(real) / output.scale, low, high);
    return static_cast<std::int32_t>(std::nearbyint(y)) + output.zero_point;
  });
}

}  // namespace qsim::arithmetic
