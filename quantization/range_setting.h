// Ranges from observed values: white paper, section 3.1.
//
//   min-max   q_min = min V, q_max = max V: nothing is clipped
//   MSE       argmin over (q_min, q_max) of sum (V - V^(q_min, q_max))^2: clipping against rounding
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "quantization/affine.h"
#include "workloads/graph/scheme.h"

namespace qsim {

enum class RangeMethod { min_max, mse };

/// Values of one tensor over all calibration inputs: limits, then (in a second pass) how they are spread.
class ObservedValues {
 public:
  /// First pass. Infinities and NaN are left out.
  void observe_limits(std::span<const float> values);
  /// Second pass, over the same values: a histogram of kBins equal bins between the limits.
  void observe_spread(std::span<const float> values);
  /// Joins the limits of a tensor that shares its grid with this one.
  void merge_limits(const ObservedValues& other);

  [[nodiscard]] const Range& limits() const { return limits_; }
  [[nodiscard]] bool has_spread() const { return !counts_.empty(); }
  /// Sum of squared errors on a grid, each value taken at its bin's middle.
  [[nodiscard]] double error(const Quantization& quantization) const;

 private:
  static constexpr std::int64_t kBins = 2048;

  Range limits_;         ///< Holds 0.
  Range spread_limits_;  ///< Of the histogram.
  std::vector<std::int64_t> counts_;
};

/// The format that a range is for.
struct ActivationFormat {
  int bits = 8;
  bool is_signed = true;
  bool is_symmetric = false;     ///< Zero point 0.
  bool is_power_of_two = false;  ///< Scale 2^k.

  /// The grid that covers a range; of a power of two the least scale that does.
  [[nodiscard]] Quantization quantization(Range range) const;
  /// The same with any scale.
  [[nodiscard]] Quantization float_scale(Range range) const;
};

/// The format of an activation that has values in `limits`: what `scheme` leaves open follows the semantics.
/// TFLite: signed, symmetric above 8 bits. ONNX: unsigned; symmetric ones signed where a value is below 0.
/// One bit is unsigned.
[[nodiscard]] ActivationFormat activation_format(const ActivationScheme& scheme, Semantics semantics,
                                                 const Range& limits, bool is_power_of_two);

/// The range of least error: one end at a time (both `together` where the grid is symmetric) moves among 100
/// fractions of the limits until neither moves; of equals the greatest.
[[nodiscard]] Range least_error_range(const Range& limits, bool together,
                                      const std::function<double(const Range&)>& error);

/// Grid of an activation: of the limits, or of least squared error. Of a power of two the better neighbour
/// (power_of_two_grids) by squared error. Both need the spread; without it the limits are covered.
[[nodiscard]] Quantization choose_grid(const ObservedValues& values, const ActivationFormat& format,
                                       RangeMethod method);

}  // namespace qsim
