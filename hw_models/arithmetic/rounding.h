// Rounding profiles: how an accumulator becomes an output element.
#pragma once

namespace qsim::arithmetic {

/// Each profile is one runtime's or one circuit's arithmetic; requantize.h has the formulas.
enum class RoundingProfile {
  float32,                       ///< ONNX Runtime: float32 multiply, round half to even.
  fixed_point_double_rounding,   ///< TFLite reference kernels, int8: SRDHM then RoundingDivideByPOT.
  fixed_point_single_rounding,   ///< 64-bit product, one rounding shift.
  fixed_point_16bit_multiplier,  ///< TFLite reference kernels, int16 activations: 64-bit accumulator.
  float64,                       ///< LiteRT, FULLY_CONNECTED: float64 multiply, round half away from zero.
  power_of_two,                  ///< Shift only; the scale is 2^-k.
};

[[nodiscard]] const char* rounding_profile_name(RoundingProfile profile);

}  // namespace qsim::arithmetic
