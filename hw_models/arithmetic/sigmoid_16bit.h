// Logistic and tanh of 16-bit inputs in fixed point, as the TFLite reference kernels compute them.
#pragma once

#include <array>
#include <cstdint>

namespace qsim::arithmetic {

/// Both functions read one table of the sigmoid at x = i/24, i = 0..255, Q0.16, with linear interpolation;
/// tanh(x) = 2 sigmoid(2x) - 1. Results are Q0.15.
class Sigmoid16Bit {
 public:
  /// Scale of the inputs, whose zero point is 0. Scales 2^(n-12) with 0 <= n <= exact_left_shifts are exact;
  /// others go through a 16-bit multiplier.
  Sigmoid16Bit(float input_scale, int exact_left_shifts);

  [[nodiscard]] std::int32_t logistic(std::int32_t q) const;
  [[nodiscard]] std::int32_t tanh(std::int32_t q) const;

 private:
  /// q at 3 * 2^12 steps a unit: 2^17 stands for 10.7.
  [[nodiscard]] std::int32_t to_table_scale(std::int32_t q) const;
  /// sigmoid(|x|) * 2^(16 + fraction_bits), the table index being |x| >> fraction_bits; above the table
  /// `saturated`.
  [[nodiscard]] std::int32_t interpolate(std::uint32_t magnitude, int fraction_bits,
                                         std::int32_t saturated) const;

  std::int32_t multiplier_ = 3;
  int right_shift_ = 0;
  std::array<std::uint16_t, 256> table_{};
};

}  // namespace qsim::arithmetic
