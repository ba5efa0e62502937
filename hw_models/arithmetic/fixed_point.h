// Fixed-point steps that the TFLite reference kernels and gemmlowp are built from, on plain int32.
//
// A Qm.n number is an int32 with n fraction bits. Source of the definitions: gemmlowp, fixedpoint.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace qsim::arithmetic {

[[nodiscard]] constexpr std::int32_t saturate_to_int32(std::int64_t x) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(x, std::numeric_limits<std::int32_t>::min(),
                                                            std::numeric_limits<std::int32_t>::max()));
}

/// Saturating rounding doubling high multiply:
/// (a*b + (a*b >= 0 ? 2^30 : 1 - 2^30)) / 2^31, truncated; INT32_MIN * INT32_MIN saturates.
[[nodiscard]] constexpr std::int32_t doubling_high_multiply(std::int32_t a, std::int32_t b) {
  const std::int64_t product = std::int64_t{a} * b;
  const std::int64_t nudge = product >= 0 ? (std::int64_t{1} << 30) : 1 - (std::int64_t{1} << 30);
  return saturate_to_int32((product + nudge) / (std::int64_t{1} << 31));
}

/// x / 2^exponent rounded to nearest, half away from zero; exponent 0..31.
[[nodiscard]] constexpr std::int32_t rounding_divide_by_power_of_two(std::int32_t x, int exponent) {
  const auto mask = static_cast<std::int32_t>((std::int64_t{1} << exponent) - 1);
  const std::int32_t remainder = x & mask;
  const std::int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/// x * 2^shift, saturated; shift 0..31.
[[nodiscard]] constexpr std::int32_t saturating_left_shift(std::int32_t x, int shift) {
  return saturate_to_int32(std::int64_t{x} * (std::int64_t{1} << shift));
}

}  // namespace qsim::arithmetic
