// Ranges from observed values: white paper, section 3.1.
//
//   min-max   q_min = min V, q_max = max V: nothing is clipped
//   MSE       argmin over (q_min, q_max) of sum (V - V^(q_min, q_max))^2: clipping against rounding
//   SQNR      the same, what is clipped counted `clipping_weight` times
//   percentile  q_max above p percent of V, q_min below p percent
//   cross-entropy  argmin H(softmax(v), softmax(v^)) over rows v of logits
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "quantization/affine.h"
#include "workloads/graph/scheme.h"

namespace qsim {

enum class RangeMethod { min_max, mse, sqnr, percentile };

/// A method with its number.
struct RangeRule {
  RangeMethod method = RangeMethod::min_max;
  double clipping_weight = 3.0;  ///< Of sqnr.
  double percent = 99.99;        ///< Of percentile, 50 to 100.

  RangeRule() = default;
  RangeRule(RangeMethod chosen) : method(chosen) {}  // NOLINT(google-explicit-constructor)
  bool operator==(const RangeRule&) const = default;

  /// Errors are compared: of MSE every one counts as it is.
  [[nodiscard]] bool searches() const { return method == RangeMethod::mse || method == RangeMethod::sqnr; }
  /// What a clipped value's squared error counts.
  [[nodiscard]] double weight() const { return method == RangeMethod::sqnr ? clipping_weight : 1.0; }
};

/// Values of one tensor over all calibration inputs: limits, then (in a second pass) how they are spread.
class ObservedValues {
 public:
  /// First pass. Infinities and NaN are left out.
  void observe_limits(std::span<const float> values);
  /// Second pass, over the same values: a histogram of kBins equal bins between the limits.
  void observe_spread(std::span<const float> values);
  /// Logits as well, rows of `length` one behind the other: their range is then that of least cross-entropy.
  void keep_rows(std::span<const float> values, std::int64_t length);
  /// Joins the limits of a tensor that shares its grid with this one.
  void merge_limits(const ObservedValues& other);

  [[nodiscard]] const Range& limits() const { return limits_; }
  [[nodiscard]] bool has_spread() const { return !counts_.empty(); }
  [[nodiscard]] bool has_rows() const { return !rows_.empty(); }
  /// Sum of squared errors on a grid, each value taken at its bin's middle; those of values that are clipped
  /// `clipping_weight` times.
  [[nodiscard]] double error(const Quantization& quantization, double clipping_weight = 1.0) const;
  /// The bins between which `percent` of the values lie above the low end, and as many below the high end; 0
  /// is in it.
  [[nodiscard]] Range percentile(double percent) const;
  /// Sum over the rows v of H(softmax(v), softmax(v^)), v^ on a grid.
  [[nodiscard]] double cross_entropy(const Quantization& quantization) const;

 private:
  static constexpr std::int64_t kBins = 2048;

  Range limits_;         ///< Holds 0.
  Range spread_limits_;  ///< Of the histogram.
  std::vector<std::int64_t> counts_;
  std::vector<float> rows_;
  std::int64_t row_length_ = 0;
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

/// Grid of an activation by a rule; of logits that were kept the one of least cross-entropy. Of a power of
/// two the better neighbour (power_of_two_grids) by squared error. All but the limits need the spread;
/// without it the limits are covered.
[[nodiscard]] Quantization choose_grid(const ObservedValues& values, const ActivationFormat& format,
                                       const RangeRule& rule);

/// Numbers such that `percent` of `values` (of any order) are at most the high end, and at least the low one;
/// 0 is in it.
[[nodiscard]] Range percentile_range(std::span<const float> values, double percent);

}  // namespace qsim
