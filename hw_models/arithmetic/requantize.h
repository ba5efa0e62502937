// Requantization: from an accumulator at scale s_x*s_w to an output integer at scale s_y.
#pragma once

#include <cstdint>

#include "hw_models/arithmetic/rounding.h"

namespace qsim::arithmetic {

/// Scale of one output channel in the form that its profile uses.
struct ChannelScale {
  float scale = 1.0F;    ///< float32: (s_x * s_w) / s_y, each operation rounded to float32.
  double scale64 = 1.0;  ///< float64: s_x * s_w / s_y. affine: the multiplier, of either sign.
  std::int32_t multiplier =
      0;                   ///< fixed point: Q0.31 mantissa, M = multiplier * 2^(shift - 31); 0 for M = 0.
  std::int32_t shift = 0;  ///< fixed point and power_of_two: exponent, positive is a left shift.
  double offset64 = 0.0;   ///< affine: what is added, in output integers.
};

/// What follows the scaling, the same for all channels of a tensor.
struct OutputRange {
  std::int32_t zero_point = 0;
  std::int32_t clamp_min = -128;  ///< Fused activation and type limits, in output integers.
  std::int32_t clamp_max = 127;
  RoundingMode rounding = RoundingMode::half_even;  ///< affine; the other profiles have their own.
};

/// Scale for M = input_scale * weight_scale / output_scale as the profile's runtime derives it.
/// Scales are finite and positive (the readers check that). Sources: reference_arithmetic of ONNX Runtime
/// (float32), TFLite QuantizeMultiplier in double (fixed point; narrow_multiplier() behind it), LiteRT's
/// FULLY_CONNECTED (float64).
[[nodiscard]] ChannelScale make_channel_scale(const Rounding& rounding, float input_scale, float weight_scale,
                                              float output_scale);

/// One output element. The formula of each profile stands above its function in requantize.cpp.
[[nodiscard]] std::int32_t requantize(const Rounding& rounding, const ChannelScale& scale,
                                      const OutputRange& range, std::int64_t accumulator);

/// TFLite QuantizeMultiplier: M = multiplier * 2^(shift - 31), multiplier in [2^30, 2^31), or 0 for M = 0.
void quantize_multiplier(double m, std::int32_t& multiplier, std::int32_t& shift);

/// The nearest multiplier of `bits` (8 to 32, one of them the sign's), half up, in the same form: its low 32
/// - bits bits are 0, so that a circuit need not multiply by them. Rounded up to 2^31 it is halved, and the
/// shift one more.
void narrow_multiplier(int bits, std::int32_t& multiplier, std::int32_t& shift);

/// The multiplier of fixed_point_16bit_multiplier: q < 0x7FFF0000 ? (q + 2^15) >> 16 : 0x7FFF.
[[nodiscard]] std::int32_t round_to_16bit_multiplier(std::int32_t q);

/// TFLite / gemmlowp: RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(x * 2^max(shift,0), m),
/// max(-shift,0)).
/// x * 2^shift saturates to 32 bits, as SaturatingRoundingDoublingHighMul's input does.
[[nodiscard]] std::int32_t multiply_by_quantized_multiplier(std::int32_t x, std::int32_t multiplier,
                                                            std::int32_t shift);

}  // namespace qsim::arithmetic
