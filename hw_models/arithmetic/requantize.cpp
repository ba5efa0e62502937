#include "hw_models/arithmetic/requantize.h"

#include <algorithm>
#include <boost/config.hpp>
#include <cmath>
#include <limits>

#include "hw_models/arithmetic/fixed_point.h"

namespace qsim::arithmetic {
namespace {

using Int128 = boost::int128_type;

/// Scaled value + zero point, limited to the output range. `scaled` has 64 bits, so the sum is exact after
/// the first clamp.
std::int32_t to_output(std::int64_t scaled, const OutputRange& range) {
  const std::int64_t low = std::int64_t{range.clamp_min} - range.zero_point;
  const std::int64_t high = std::int64_t{range.clamp_max} - range.zero_point;
  return static_cast<std::int32_t>(std::clamp(scaled, low, high) + range.zero_point);
}

/// (x * multiplier + 2^(shift-1)) >> shift, one rounding, half towards plus infinity; shift <= 0 is a left
/// shift. The product has up to 96 bits and is exact; the result saturates to 64 bits.
std::int64_t multiply_round_shift(std::int64_t x, std::int32_t multiplier, int right_shift) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 46;
  if (x > -kLimit && x < kLimit && multiplier < (1 << 16) && right_shift > 0 && right_shift <= 61) {
    return (x * multiplier + (std::int64_t{1} << (right_shift - 1))) >> right_shift;  // Fits 64 bits.
  }
  Int128 result = static_cast<Int128>(x) * multiplier;
  if (right_shift > 0) {
    const int shift = std::min(right_shift, 126);
    result = (result + (static_cast<Int128>(1) << (shift - 1))) >> shift;
  } else {
    result *= static_cast<Int128>(1) << std::min(-right_shift, 32);
  }
  constexpr Int128 kMin = std::numeric_limits<std::int64_t>::min();
  constexpr Int128 kMax = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::clamp(result, kMin, kMax));
}

/// float32 (ONNX Runtime): v = float32(acc) * s, clamped to [clamp_min - zp, clamp_max - zp] in float32;
/// q = rne(v) + zp.
std::int32_t requantize_float32(float scale, const OutputRange& range, std::int64_t accumulator) {
  const auto low = static_cast<float>(std::int64_t{range.clamp_min} - range.zero_point);
  const auto high = static_cast<float>(std::int64_t{range.clamp_max} - range.zero_point);
  const float v = std::clamp(static_cast<float>(accumulator) * scale, low, high);
  return to_output(std::llrint(v), range);
}

/// float64 (LiteRT, FULLY_CONNECTED): v = float64(acc) * s, q = round(v) + zp, half away from zero.
std::int32_t requantize_float64(double scale, const OutputRange& range, std::int64_t accumulator) {
  const auto low = static_cast<double>(std::int64_t{range.clamp_min} - range.zero_point);
  const auto high = static_cast<double>(std::int64_t{range.clamp_max} - range.zero_point);
  const double v = std::clamp(static_cast<double>(accumulator) * scale, low, high);
  return to_output(std::llround(v), range);
}

/// affine: q = round(clamp(float64(acc) * m + b)), multiplication and addition rounded once each; the zero
/// point is in b. The limits are integers, so that clamping before rounding gives the same.
std::int32_t requantize_affine(const ChannelScale& scale, const OutputRange& range,
                               std::int64_t accumulator) {
  const double v = static_cast<double>(accumulator) * scale.scale64 + scale.offset64;
  if (range.rounding == RoundingMode::sign) return v < 0.0 ? range.clamp_min : range.clamp_max;
  const double limited =
      std::clamp(v, static_cast<double>(range.clamp_min), static_cast<double>(range.clamp_max));
  return static_cast<std::int32_t>(round_by(range.rounding, limited));
}

/// fixed_point_16bit_multiplier (TFLite, int16 activations): the multiplier is rounded to 16 bits,
/// r = q < 0x7FFF0000 ? (q + 2^15) >> 16 : 0x7FFF; t = 15 - shift; (acc * r + 2^(t-1)) >> t.
std::int64_t scale_16bit_multiplier(const ChannelScale& scale, std::int64_t accumulator) {
  return multiply_round_shift(accumulator, round_to_16bit_multiplier(scale.multiplier), 15 - scale.shift);
}

/// power_of_two: acc / 2^k, k = -shift, with the shift's rule for what lies between two integers.
std::int64_t scale_power_of_two(ShiftRounding rounding, int shift, std::int64_t accumulator) {
  if (shift >= 0) {
    return multiply_round_shift(accumulator, 1, -shift);
  }
  const int k = std::min(-shift, 100);
  const Int128 half = static_cast<Int128>(1) << (k - 1);
  Int128 added = 0;
  switch (rounding) {
    case ShiftRounding::half_up:
      added = half;
      break;
    case ShiftRounding::half_away:  // Half up with one unit less for negative values.
      added = half - (accumulator < 0 ? 1 : 0);
      break;
    case ShiftRounding::half_even:  // A tie reaches the next integer where the one below is odd.
      added = half - 1 + ((static_cast<Int128>(accumulator) >> k) & 1);
      break;
    case ShiftRounding::truncate:
      break;
  }
  return static_cast<std::int64_t>((accumulator + added) >> k);
}

}  // namespace

void quantize_multiplier(double m, std::int32_t& multiplier, std::int32_t& shift) {
  multiplier = 0;
  shift = 0;
  if (m == 0.0) {
    return;
  }
  // m = fraction * 2^exponent with fraction in [0.5, 1); q = round(fraction * 2^31), half away from zero.
  int exponent = 0;
  const double fraction = std::frexp(m, &exponent);
  std::int64_t q = std::llround(fraction * static_cast<double>(std::int64_t{1} << 31));
  if (q == std::int64_t{1} << 31) {
    q /= 2;
    ++exponent;
  }
  if (exponent < -31) {  // Scales every int32 to 0.
    exponent = 0;
    q = 0;
  }
  multiplier = static_cast<std::int32_t>(q);
  shift = exponent;
}

void narrow_multiplier(int bits, std::int32_t& multiplier, std::int32_t& shift) {
  if (bits >= 32) return;
  const int dropped = 32 - bits;
  std::int64_t q = ((std::int64_t{multiplier} + (std::int64_t{1} << (dropped - 1))) >> dropped) << dropped;
  if (q == std::int64_t{1} << 31) {
    q /= 2;
    ++shift;
  }
  multiplier = static_cast<std::int32_t>(q);
}

std::int32_t round_to_16bit_multiplier(std::int32_t q) {
  return q < 0x7FFF0000 ? (q + (1 << 15)) >> 16 : 0x7FFF;
}

std::int32_t multiply_by_quantized_multiplier(std::int32_t x, std::int32_t multiplier, std::int32_t shift) {
  const int left_shift = std::clamp(shift, 0, 31);
  const int right_shift = std::clamp(-shift, 0, 31);
  const std::int32_t product = doubling_high_multiply(saturating_left_shift(x, left_shift), multiplier);
  return rounding_divide_by_power_of_two(product, right_shift);
}

ChannelScale make_channel_scale(const Rounding& rounding, float input_scale, float weight_scale,
                                float output_scale) {
  ChannelScale result;
  result.scale = (input_scale * weight_scale) / output_scale;
  const double m = static_cast<double>(input_scale) * static_cast<double>(weight_scale) /
                   static_cast<double>(output_scale);
  result.scale64 = m;
  if (rounding.profile == RoundingProfile::power_of_two) {
    result.shift = static_cast<std::int32_t>(std::lround(std::log2(m)));
    return result;
  }
  quantize_multiplier(m, result.multiplier, result.shift);
  // fixed_point_16bit_multiplier rounds to 16 bits by itself: twice would be another multiplier.
  const bool is_16bit = rounding.profile == RoundingProfile::fixed_point_16bit_multiplier;
  if (!is_16bit || rounding.multiplier_bits < 16) {
    narrow_multiplier(rounding.multiplier_bits, result.multiplier, result.shift);
  }
  return result;
}

std::int32_t requantize(const Rounding& rounding, const ChannelScale& scale, const OutputRange& range,
                        std::int64_t accumulator) {
  switch (rounding.profile) {
    case RoundingProfile::float32:
      return requantize_float32(scale.scale, range, accumulator);
    case RoundingProfile::fixed_point_double_rounding:
      // The multiplier takes 32 bits: a wider accumulator saturates before it.
      return to_output(
          multiply_by_quantized_multiplier(saturate_to_int32(accumulator), scale.multiplier, scale.shift),
          range);
    case RoundingProfile::fixed_point_single_rounding:
      // (acc * q + 2^(30 - shift)) >> (31 - shift)
      return to_output(multiply_round_shift(accumulator, scale.multiplier, 31 - scale.shift), range);
    case RoundingProfile::fixed_point_16bit_multiplier:
      return to_output(scale_16bit_multiplier(scale, accumulator), range);
    case RoundingProfile::float64:
      return requantize_float64(scale.scale64, range, accumulator);
    case RoundingProfile::power_of_two:
      return to_output(scale_power_of_two(rounding.shift, scale.shift, accumulator), range);
    case RoundingProfile::affine:
    case RoundingProfile::thresholds:
      return requantize_affine(scale, range, accumulator);
  }
  return range.zero_point;
}

}  // namespace qsim::arithmetic
