// The grid of a slice of weights (all of a layer, an output channel, a group): white paper, sections 2.2
// and 3.1.
#pragma once

#include <cstdint>
#include <span>

#include "quantization/range_setting.h"
#include "workloads/graph/graph.h"
#include "workloads/graph/scheme.h"

namespace qsim {

/// w = s * (q - z), with integers from `low` to `high`.
struct WeightGrid {
  float scale = 1.0F;
  std::int32_t zero_point = 0;
  std::int64_t low = -127, high = 127;
  bool is_sign = false;  ///< q = -1 where w < 0, else 1.

  /// clamp(rne(w / s) + z, low, high)
  [[nodiscard]] std::int64_t integer(float w) const;
  /// Errors of weights that are clamped count `clipping_weight` times.
  [[nodiscard]] double squared_error(std::span<const float> weights, double clipping_weight = 1.0) const;
};

/// Of `bits` bits (1 to 16):
///
/// * symmetric: z = 0, q from -p to p, p = 2^(b-1) - 1, s = max|w| / p. One bit is the sign, s = mean|w|.
/// * asymmetric: s = (max - min) / (2^b - 1), z = n + rne(-min / s) with n = -2^(b-1); the range holds 0. One
///   bit is unsigned: n = 0.
///
/// With least squared error in place of min and max (RangeMethod::mse, sqnr) the ends are fractions of them
/// (least_error_range), and errors are those of the integers that the weights get; with percentile they are
/// those of percentile_range(). `fraction`, where it is not 0, times the limits is the range whatever the
/// rule. A power of two is the better of the scale's two neighbours, by squared error; of equals the greater
/// one.
[[nodiscard]] WeightGrid choose_weight_grid(std::span<const float> weights, int bits, bool is_symmetric,
                                            const RangeRule& rule, bool is_power_of_two,
                                            float fraction = 0.0F);

/// Whether the integers of such a grid are signed.
[[nodiscard]] constexpr bool weights_are_signed(int bits, bool is_symmetric) {
  return is_symmetric || bits > 1;
}

/// The grid at another scale: its zero point follows.
[[nodiscard]] WeightGrid with_scale(const WeightGrid& grid, float scale);

/// The grid with a scale raised to `least` (a power of two: to the next one) where it is below.
[[nodiscard]] WeightGrid with_least_scale(const WeightGrid& grid, float least, bool is_power_of_two);

}  // namespace qsim
