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
  affine,      ///< float64 multiply and add, an offset a channel; any RoundingMode. The node asks for it, no
               ///< machine.
  thresholds,  ///< The values of affine, each output by comparisons with the thresholds of its channel.
};

/// How a number becomes an integer.
enum class RoundingMode {
  half_even,    ///< To nearest, halves to even.
  half_away,    ///< To nearest, halves away from zero.
  half_inward,  ///< To nearest, halves toward zero.
  floor,
  ceil,
  inward,   ///< Toward zero.
  outward,  ///< Away from zero.
  sign,     ///< -1 below 0, otherwise 1.
};

/// `value` is finite; the result is a whole number.
[[nodiscard]] double round_by(RoundingMode rounding, double value);

/// How the shift of `power_of_two` rounds acc / 2^k. RISC-V's vector extension has the first, third and
/// fourth (vxrm: rnu, rne, rdn).
enum class ShiftRounding {
  half_up,    ///< floor(acc / 2^k + 1/2): an adder in front of the shifter.
  half_away,  ///< sign(acc) floor(|acc| / 2^k + 1/2): the sign goes into the adder's carry.
  half_even,  ///< To the nearest, ties to the even one.
  truncate,   ///< floor(acc / 2^k): the bits that leave the shifter are dropped.
};

/// A profile and what the requantizer adds to it.
struct Rounding {
  RoundingProfile profile;
  ShiftRounding shift = ShiftRounding::half_away;  ///< Of power_of_two.
  int multiplier_bits = 32;                        ///< Of fixed-point multipliers, the sign's included. 8..32

  // NOLINTNEXTLINE(google-explicit-constructor): a profile is a way of rounding, on a requantizer as usual.
  Rounding(RoundingProfile rounding_profile) : profile(rounding_profile) {}
  Rounding(RoundingProfile rounding_profile, ShiftRounding shift_rounding, int bits)
      : profile(rounding_profile), shift(shift_rounding), multiplier_bits(bits) {}
};

[[nodiscard]] const char* rounding_profile_name(RoundingProfile profile);
[[nodiscard]] const char* shift_rounding_name(ShiftRounding rounding);

}  // namespace qsim::arithmetic
