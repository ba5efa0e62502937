// Scales and zero points from ranges: white paper, section 2.2.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim {

/// Interval of real values that the quantized grid has to cover.
struct Range {
  float low = 0.0F, high = 0.0F;

  void include(float x) {
    low = x < low ? x : low;
    high = x > high ? x : high;
  }
  void include(const Range& other) {
    include(other.low);
    include(other.high);
  }
};

/// Asymmetric, for activations. The range is widened to hold 0, which z then represents exactly:
///   s = (q_max - q_min) / (2^b - 1),   z = n + clamp(rne(-q_min / s), 0, 2^b - 1)
/// with n the least integer of the format (-2^(b-1) signed, 0 unsigned). A range of 0 alone gets s = 1.
[[nodiscard]] Quantization affine_quantization(Range range, int bits, bool is_signed);

/// Symmetric (z = 0), signed: s = max|x| / p with p = 2^(b-1) - 1 (1 for one bit). s = 1 where all are 0.
[[nodiscard]] float symmetric_scale(float max_abs, int bits);
[[nodiscard]] Quantization symmetric_quantization(float max_abs, int bits);
/// Symmetric, unsigned: s = max / (2^b - 1), z = 0. What is below 0 is clipped.
[[nodiscard]] Quantization unsigned_symmetric_quantization(float max, int bits);

/// The grids whose scale is one of the two powers of two next to that of `grid` (of a power itself that one
/// alone), the greater scale first. The greater one covers `range`; the less one keeps its low end, its high
/// end or its middle, where the zero point can follow.
[[nodiscard]] std::vector<Quantization> power_of_two_grids(const Quantization& grid, const Range& range,
                                                           bool is_symmetric);
/// 2^ceil(log2(scale))
[[nodiscard]] float power_of_two_above(float scale);

/// Square of x - s * (clamp(rne(x / s) + z; n, p) - z), in double: the error that a value gets.
[[nodiscard]] double squared_error(double x, const Quantization& quantization);
/// The same; `clipping_weight` times where the integer had to be clamped.
[[nodiscard]] double squared_error(double x, const Quantization& quantization, double clipping_weight);

}  // namespace qsim
