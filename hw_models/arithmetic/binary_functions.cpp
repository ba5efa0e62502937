// Functions of two elements: add, subtract, multiply as the two runtimes compute them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "hw_models/arithmetic/fixed_point.h"
#include "hw_models/arithmetic/limited.h"
#include "hw_models/arithmetic/requantize.h"
#include "hw_models/arithmetic/vector_functions.h"

namespace qsim::arithmetic {
namespace {

/// Both inputs are brought to the scale 2 * max(s1, s2) / 2^left_shift, added and scaled to the output:
///   x_i = MBQM((q_i + offset_i) * 2^left_shift, multiplier_i, shift_i)
///   q   = clamp(MBQM(x_1 +- x_2, output_multiplier, output_shift) + output_offset)
/// with MBQM = multiply_by_quantized_multiplier. Offsets of the inputs are minus their zero points.
std::int64_t evaluate_general_add(const TfliteAddFunction& f, std::int64_t a, std::int64_t b) {
  const auto scaled = [&f](std::int64_t q, std::int32_t offset, std::int32_t multiplier, std::int32_t shift) {
    const auto shifted = static_cast<std::int32_t>((q + offset) * (std::int64_t{1} << f.left_shift));
    return multiply_by_quantized_multiplier(shifted, multiplier, shift);
  };
  const std::int32_t x1 = scaled(a, f.input1_offset, f.input1_multiplier, f.input1_shift);
  const std::int32_t x2 = scaled(b, f.input2_offset, f.input2_multiplier, f.input2_shift);
  const std::int32_t sum = f.subtract ? x1 - x2 : x1 + x2;
  const std::int64_t scaled_sum = multiply_by_quantized_multiplier(sum, f.output_multiplier, f.output_shift);
  return std::clamp<std::int64_t>(scaled_sum + f.output_offset, f.clamp_min, f.clamp_max);
}

/// 16 bits, scales 2^n, zero points 0: q = clamp(q_1 / 2^-shift_1 +- q_2 / 2^-shift_2), each division rounded
/// half away from zero, the sum saturated to 16 bits.
std::int64_t evaluate_power_of_two_add(const TfliteAddFunction& f, std::int64_t a, std::int64_t b) {
  const std::int32_t x1 = rounding_divide_by_power_of_two(static_cast<std::int32_t>(a), -f.input1_shift);
  const std::int32_t x2 = rounding_divide_by_power_of_two(static_cast<std::int32_t>(b), -f.input2_shift);
  const std::int32_t sum = std::clamp(f.subtract ? x1 - x2 : x1 + x2, -32768, 32767);
  return std::clamp(sum, f.clamp_min, f.clamp_max);
}

std::int64_t evaluate_pair(const TfliteAddFunction& f, std::int64_t a, std::int64_t b) {
  return f.power_of_two_scales ? evaluate_power_of_two_add(f, a, b) : evaluate_general_add(f, a, b);
}

/// q = clamp(MBQM((q_1 + offset_1) * (q_2 + offset_2), output_multiplier, output_shift) + output_offset); the
/// product saturates to 32 bits, which only 16-bit operands with zero points need.
std::int64_t evaluate_pair(const TfliteMulFunction& f, std::int64_t a, std::int64_t b) {
  const std::int32_t product = saturate_to_int32((a + f.input1_offset) * (b + f.input2_offset));
  const std::int64_t scaled = multiply_by_quantized_multiplier(product, f.output_multiplier, f.output_shift);
  return std::clamp<std::int64_t>(scaled + f.output_offset, f.clamp_min, f.clamp_max);
}

/// Rounds half to even and limits; limiting first gives the same integers.
std::int64_t round_and_clamp(float v, std::int32_t clamp_min, std::int32_t clamp_max) {
  return static_cast<std::int64_t>(
      std::nearbyint(limited(v, static_cast<float>(clamp_min), static_cast<float>(clamp_max))));
}

/// ra = sa/sc, rb = sb/sc; fx = zc - fma(ra, za, rb*zb); q = clamp(rne(fma(ra, a, fma(rb, b, fx)))).
std::int64_t evaluate_pair(const OnnxAddFunction& f, std::int64_t a, std::int64_t b) {
  const float ra = f.scale_a / f.scale_c;
  const float rb = f.scale_b / f.scale_c;
  const float fixed = static_cast<float>(f.zero_c) -
                      std::fma(ra, static_cast<float>(f.zero_a), rb * static_cast<float>(f.zero_b));
  const float v = std::fma(ra, static_cast<float>(a), std::fma(rb, static_cast<float>(b), fixed));
  return round_and_clamp(v, f.clamp_min, f.clamp_max);
}

/// s = (sa*sb)/sc; q = clamp(rne(s * ((a-za)*(b-zb)) + zc)); the product is an integer, no fma.
std::int64_t evaluate_pair(const OnnxMulFunction& f, std::int64_t a, std::int64_t b) {
  const float scale = (f.scale_a * f.scale_b) / f.scale_c;
  const auto product = static_cast<float>((a - f.zero_a) * (b - f.zero_b));
  const float scaled = scale * product;
  return round_and_clamp(scaled + static_cast<float>(f.zero_c), f.clamp_min, f.clamp_max);
}

std::int64_t evaluate_pair(const TfliteExtremumFunction& f, std::int64_t a, std::int64_t b) {
  return std::clamp<std::int64_t>(f.maximum ? std::max(a, b) : std::min(a, b), f.clamp_min, f.clamp_max);
}

/// x = a + offset_a;  y = MBQM(x, M1) for x >= 0, MBQM(x * (b + offset_b), M2) below;  q = clamp(y + offset).
/// The product saturates at 32 bits; with zero points 0, as TFLite has them for int16, it fits.
std::int64_t evaluate_pair(const TflitePReluFunction& f, std::int64_t a, std::int64_t b) {
  const auto x = static_cast<std::int32_t>(a + f.input_offset);
  const std::int64_t product = x * (b + f.slope_offset);
  const auto sloped = static_cast<std::int32_t>(std::clamp<std::int64_t>(
      product, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()));
  const std::int32_t y = x >= 0 ? multiply_by_quantized_multiplier(x, f.identity_multiplier, f.identity_shift)
                                : multiply_by_quantized_multiplier(sloped, f.slope_multiplier, f.slope_shift);
  return std::clamp(y + f.output_offset, f.clamp_min, f.clamp_max);
}

float combine(FloatBinaryKind kind, float a, float b) {
  switch (kind) {
    case FloatBinaryKind::add:
      return a + b;
    case FloatBinaryKind::sub:
      return a - b;
    case FloatBinaryKind::mul:
      return a * b;
    case FloatBinaryKind::min:
      return std::min(a, b);
    case FloatBinaryKind::max:
      return std::max(a, b);
    case FloatBinaryKind::prelu:
      return a > 0.0F ? a : a * b;
  }
  return a;
}

/// q = clamp(rne(op((a - za) * sa, (b - zb) * sb) / sc) + zc), every step in float32.
std::int64_t evaluate_pair(const OnnxFloatBinaryFunction& f, std::int64_t a, std::int64_t b) {
  const float real_a = static_cast<float>(a - f.zero_a) * f.scale_a;
  const float real_b = static_cast<float>(b - f.zero_b) * f.scale_b;
  const float v = combine(f.kind, real_a, real_b) / f.scale_c;
  return round_and_clamp(v, f.clamp_min - f.zero_c, f.clamp_max - f.zero_c) + f.zero_c;
}

}  // namespace

std::int64_t evaluate(const BinaryFunction& function, std::int64_t a, std::int64_t b) {
  return std::visit([a, b](const auto& f) { return evaluate_pair(f, a, b); }, function);
}

}  // namespace qsim::arithmetic
