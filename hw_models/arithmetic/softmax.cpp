#include "hw_models/arithmetic/softmax.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "hw_models/arithmetic/fixed_point.h"
#include "hw_models/arithmetic/fixed_point_exp.h"
#include "hw_models/arithmetic/interpolated_table.h"
#include "hw_models/arithmetic/limited.h"
#include "hw_models/arithmetic/requantize.h"

namespace qsim::arithmetic {
namespace {

using Row = std::span<const std::int64_t>;
using RowOut = std::span<std::int64_t>;

/// Inputs of at most 8 bits, fixed point throughout. With d = q - max(q), for d >= diff_min:
///   e = exp(SRDHM(d * 2^input_left_shift, input_multiplier)), Q5.26 -> Q0.31;  S = sum e / 2^12, Q12.19
///   1/S = r * 2^-(12 - h) with r = 1/(1 + (S * 2^h - 1)) in Q0.31, h the leading zeros of S
///   y = e * r / 2^(12 - h + 31 - bits), rounded, + the output format's minimum; d < diff_min gives 0.
void softmax_fixed_point(const TfliteSoftmaxFunction& f, Row in, RowOut out) {
  constexpr int kSumIntegerBits = 12;
  const std::int64_t maximum = *std::max_element(in.begin(), in.end());
  std::vector<std::int32_t> exps(in.size(), 0);
  std::int64_t wide_sum = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const auto difference = static_cast<std::int32_t>(in[i] - maximum);
    if (difference >= f.diff_min) {
      const std::int32_t shifted = saturating_left_shift(difference, f.input_left_shift);
      exps[i] = fixed_point_exp(doubling_high_multiply(shifted, f.input_multiplier));
      wide_sum += rounding_divide_by_power_of_two(exps[i], kSumIntegerBits);
    }
  }
  const std::int32_t sum = saturate_to_int32(wide_sum);  // Leaves Q12.19 from 4,096 equal inputs on.
  const int headroom = std::countl_zero(static_cast<std::uint32_t>(sum));
  const std::uint32_t normalized = (static_cast<std::uint32_t>(sum) << headroom) - (std::uint32_t{1} << 31);
  const std::int32_t reciprocal = fixed_point_one_over_one_plus(static_cast<std::int32_t>(normalized));
  const int exponent = kSumIntegerBits - headroom + 31 - f.output.bits;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::int32_t product = doubling_high_multiply(reciprocal, exps[i]);
    const std::int32_t y = exponent > 31 ? 0 : rounding_divide_by_power_of_two(product, exponent);
    out[i] = std::clamp(y + f.output.min(), f.output.min(), f.output.max());
  }
}

/// exp over [-10, 0] and 1/(1+x) over [0, 1], Q0.15, 512 intervals.
const InterpolatedTable& exp_table() {
  static const InterpolatedTable table([](double x) { return std::exp(x); }, -10.0, 0.0);
  return table;
}
const InterpolatedTable& reciprocal_table() {
  static const InterpolatedTable table([](double x) { return 1.0 / (1.0 + x); }, 0.0, 1.0);
  return table;
}

/// Inputs of 9 to 16 bits, two interpolated tables. With d = MBQM(q - max(q)), where -65535 stands for -10:
///   e = exp_table(d + 32767), Q0.15;  S = sum e;  h = leading zeros of S
///   x = (S * 2^(h-1) + 2^13) / 2^14 - 2^16 = S normalized to [1, 2), minus 1, in Q.16
///   y = (e * reciprocal_table(x - 2^15) + 2^(30-h)) >> (31 - h), limited to [0, 32767].
void softmax_tables(const TfliteSoftmaxFunction& f, Row in, RowOut out) {
  const std::int64_t maximum = *std::max_element(in.begin(), in.end());
  std::vector<std::int32_t> exps(in.size());
  std::int64_t wide_sum = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const auto difference = static_cast<std::int32_t>(in[i] - maximum);
    const std::int32_t scaled =
        multiply_by_quantized_multiplier(difference, f.input_multiplier, f.input_left_shift);
    exps[i] = exp_table().at(std::int64_t{scaled} + 32767);
    wide_sum += exps[i];
  }
  const std::int32_t sum = saturate_to_int32(wide_sum);
  const int headroom = std::countl_zero(static_cast<std::uint32_t>(sum));
  const std::int64_t normalized = ((std::int64_t{sum} << (headroom - 1)) + (1 << 13)) >> 14;
  const std::int32_t reciprocal = reciprocal_table().at(normalized - ((1 << 15) + (1 << 16)));
  const int right_shift = 31 - headroom;
  const std::int64_t half = std::int64_t{1} << (right_shift - 1);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::int64_t y = (std::int64_t{exps[i]} * reciprocal + half) >> right_shift;
    out[i] = std::clamp<std::int64_t>(y, 0, 32767);
  }
}

}  // namespace

void evaluate_row(const TfliteSoftmaxFunction& f, Row in, RowOut out, const RowParameters& /*parameters*/) {
  if (f.input.bits <= 8) {
    softmax_fixed_point(f, in, out);
  } else {
    softmax_tables(f, in, out);
  }
}

namespace {

/// rne(v) as a 32-bit conversion of the x86 gives it: outside its range the lowest integer.
std::int64_t to_int32(float v) {
  const float rounded = std::nearbyint(v);
  constexpr float kLimit = 2147483648.0F;
  if (!(rounded >= -kLimit && rounded < kLimit)) return std::numeric_limits<std::int32_t>::min();
  return static_cast<std::int64_t>(rounded);
}

}  // namespace

/// e_i = table[max x - x_i];  S = sum e_i, float32 in order;  q_i = rne((e_i * floor(1/sy)) / S) + zy,
/// limited. The table is scaled so that S stays below the largest float, but e_i * floor(1/sy) may exceed it
/// in rows of one or two elements; the conversion to an integer then gives INT32_MIN (signed; the zero point
/// wraps around with it) or 0 (unsigned), and so does this function.
void evaluate_row(const OnnxTableSoftmaxFunction& f, Row in, RowOut out,
                  const RowParameters& /*parameters*/) {
  const std::int64_t maximum = *std::max_element(in.begin(), in.end());
  const auto exponential = [&](std::int64_t x) {
    return f.exponentials[static_cast<std::size_t>(maximum - x)];
  };
  float sum = 0.0F;
  for (const std::int64_t x : in) sum += exponential(x);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const float product = exponential(in[i]) * f.output_factor;
    const float v = product / sum;
    if (f.output.is_signed) {
      const auto wrapped = static_cast<std::int32_t>(static_cast<std::uint32_t>(to_int32(v)) +
                                                     static_cast<std::uint32_t>(f.output_zero_point));
      out[i] = std::clamp<std::int64_t>(wrapped, f.output.min(), f.output.max());
    } else {
      const std::int64_t q = std::isfinite(v) ? to_int32(v) : 0;
      out[i] = std::min(q + f.output_zero_point, f.output.max());
    }
  }
}

/// x = (q - zx) * sx;  e = exp(x - max x);  y = e / sum e, the sum in order;  rne(y / sy) + zy; all float32.
void evaluate_row(const OnnxSoftmaxFunction& f, Row in, RowOut out, const RowParameters& /*parameters*/) {
  std::vector<float> values(in.size());
  float maximum = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < in.size(); ++i) {
    values[i] = static_cast<float>(in[i] - f.input_zero_point) * f.input_scale;
    maximum = std::max(maximum, values[i]);
  }
  float sum = 0.0F;
  for (float& value : values) {
    value = std::exp(value - maximum);
    sum += value;
  }
  const auto low = static_cast<float>(f.output.min() - f.output_zero_point);
  const auto high = static_cast<float>(f.output.max() - f.output_zero_point);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const float y = limited((values[i] / sum) / f.output_scale, low, high);
    out[i] = static_cast<std::int64_t>(std::nearbyint(y)) + f.output_zero_point;
  }
}

/// At most 8 bits: M = min(beta * s * 2^26, 2^31 - 1) in double takes a difference to Q5.26; differences
/// below diff_min = -floor(31 * 2^26 / 2^shift) would leave Q5.26. Wider: M = (s * beta) / (10 / 65535).
TfliteSoftmaxFunction make_tflite_softmax(const QuantizedType& input, const IntegerFormat& output,
                                          float beta) {
  TfliteSoftmaxFunction f;
  f.input = input.format;
  f.output = output;
  if (input.format.bits <= 8) {
    const double m = static_cast<double>(beta) * static_cast<double>(input.scale) * std::ldexp(1.0, 26);
    quantize_multiplier(std::min(m, std::ldexp(1.0, 31) - 1.0), f.input_multiplier, f.input_left_shift);
    f.diff_min = -static_cast<std::int32_t>(std::floor(std::ldexp(31.0, 26 - f.input_left_shift)));
  } else {
    const float step = input.scale * beta;
    quantize_multiplier(static_cast<double>(step) / (10.0 / 65535.0), f.input_multiplier, f.input_left_shift);
  }
  return f;
}

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

}  // namespace qsim::arithmetic
