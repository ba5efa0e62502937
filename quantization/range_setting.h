// Ranges from observed values: white paper, section 3.1.
//
//   min-max   q_min = min V, q_max = max V: nothing is clipped
//   MSE       argmin over (q_min, q_max) of sum (V - V^(q_min, q_max))^2: clipping against rounding
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantization/affine.h"

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
  bool is_symmetric = false;  ///< Zero point 0.

  [[nodiscard]] Quantization quantization(Range range) const;
};

/// Grid of an activation. MSE searches q_max, then q_min, among 100 fractions of the limits, in turn until
/// neither moves; it needs the spread.
[[nodiscard]] Quantization choose_grid(const ObservedValues& values, const ActivationFormat& format,
                                       RangeMethod method);

/// max|w| to quantize weights with, symmetric: the greatest, or of 100 fractions of it the one of least
/// squared error (the greater one of equals).
[[nodiscard]] float choose_weight_limit(std::span<const float> weights, int bits, RangeMethod method);

}  // namespace qsim
