#include "quantization/range_setting.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qsim {
namespace {

constexpr int kFractions = 100;

float fraction_of(float limit, int part) {
  return limit * static_cast<float>(part) / static_cast<float>(kFractions);
}

/// Finds the grid of least error by moving one end of the range at a time.
class GridSearch {
 public:
  GridSearch(const ObservedValues& values, const ActivationFormat& format)
      : values_(values),
        format_(format),
        low_(kFractions),
        high_(kFractions),
        least_(error_at(low_, high_)) {}

  Quantization run() {
    bool moved = true;
    for (int round = 0; moved && round < kMaxRounds; ++round) {
      moved = format_.is_symmetric ? move(low_, high_, true) : move(high_, high_, false);
      if (!format_.is_symmetric) moved = move(low_, low_, false) || moved;
    }
    return grid(low_, high_);
  }

 private:
  static constexpr int kMaxRounds = 8;

  [[nodiscard]] Quantization grid(int low, int high) const {
    return format_.quantization(
        {fraction_of(values_.limits().low, low), fraction_of(values_.limits().high, high)});
  }
  [[nodiscard]] double error_at(int low, int high) const { return values_.error(grid(low, high)); }

  /// Tries every fraction for `end` (for both ends together where they move together), greatest first.
  bool move(int& end, int& other, bool together) {
    const int before = end;
    int best = end;
    for (int part = kFractions; part >= 1; --part) {
      end = part;
      if (together) other = part;
      const double error = error_at(low_, high_);
      if (error < least_) {
        least_ = error;
        best = part;
      }
    }
    end = best;
    if (together) other = best;
    return best != before;
  }

  const ObservedValues& values_;
  const ActivationFormat& format_;
  int low_, high_;  ///< In 1/kFractions of the limits.
  double least_;
};

}  // namespace

void ObservedValues::observe_limits(std::span<const float> values) {
  for (const float x : values) {
    if (std::isfinite(x)) limits_.include(x);
  }
}

void ObservedValues::observe_spread(std::span<const float> values) {
  counts_.resize(static_cast<std::size_t>(kBins), 0);
  spread_limits_ = limits_;
  const double width = static_cast<double>(limits_.high) - static_cast<double>(limits_.low);
  if (width <= 0.0) return;
  const double bins_a_unit = static_cast<double>(kBins) / width;
  for (const float x : values) {
    if (!std::isfinite(x)) continue;
    const double position = (static_cast<double>(x) - static_cast<double>(limits_.low)) * bins_a_unit;
    const auto bin = std::clamp(static_cast<std::int64_t>(position), std::int64_t{0}, kBins - 1);
    ++counts_[static_cast<std::size_t>(bin)];
  }
}

void ObservedValues::merge_limits(const ObservedValues& other) {
  limits_.include(other.limits_);
}

double ObservedValues::error(const Quantization& quantization) const {
  const auto low = static_cast<double>(spread_limits_.low);
  const double width = static_cast<double>(spread_limits_.high) - low;
  double sum = 0.0;
  for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
    if (counts_[bin] == 0) continue;
    const double middle = low + (static_cast<double>(bin) + 0.5) * width / static_cast<double>(kBins);
    sum += static_cast<double>(counts_[bin]) * squared_error(middle, quantization);
  }
  return sum;
}

Quantization ActivationFormat::quantization(Range range) const {
  if (is_symmetric) return symmetric_quantization(std::max(-range.low, range.high), bits);
  return affine_quantization(range, bits, is_signed);
}

Quantization choose_grid(const ObservedValues& values, const ActivationFormat& format, RangeMethod method) {
  if (method == RangeMethod::min_max || !values.has_spread()) return format.quantization(values.limits());
  return GridSearch(values, format).run();
}

float choose_weight_limit(std::span<const float> weights, int bits, RangeMethod method) {
  float greatest = 0.0F;
  for (const float w : weights) greatest = std::max(greatest, std::abs(w));
  if (method == RangeMethod::min_max || greatest == 0.0F) return greatest;
  float best = greatest;
  double least = std::numeric_limits<double>::infinity();
  for (int part = kFractions; part >= 1; --part) {
    const float limit = fraction_of(greatest, part);
    const Quantization grid = symmetric_quantization(limit, bits);
    double error = 0.0;
    for (const float w : weights) error += squared_error(static_cast<double>(w), grid);
    if (error < least) {
      least = error;
      best = limit;
    }
  }
  return best;
}

}  // namespace qsim
