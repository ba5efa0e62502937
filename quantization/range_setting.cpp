#include "quantization/range_setting.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "workloads/graph/quantize_value.h"

namespace qsim {
namespace {

constexpr int kFractions = 100;

float fraction_of(float limit, int part) {
  return limit * static_cast<float>(part) / static_cast<float>(kFractions);
}

/// Finds the range of least error by moving one end at a time.
class RangeSearch {
 public:
  RangeSearch(const Range& limits, bool together, const std::function<double(const Range&)>& error)
      : limits_(limits),
        together_(together),
        error_(error),
        low_(kFractions),
        high_(kFractions),
        least_(error_(range())) {}

  Range run() {
    bool moved = true;
    for (int round = 0; moved && round < kMaxRounds; ++round) {
      moved = together_ ? move(low_, high_) : move(high_, high_);
      if (!together_) moved = move(low_, low_) || moved;
    }
    return range();
  }

 private:
  static constexpr int kMaxRounds = 8;

  [[nodiscard]] Range range() const {
    return {fraction_of(limits_.low, low_), fraction_of(limits_.high, high_)};
  }

  /// Tries every fraction for `end` (for `other` with it where they move together), greatest first.
  bool move(int& end, int& other) {
    const int before = end;
    int best = end;
    for (int part = kFractions; part >= 1; --part) {
      end = part;
      if (together_) other = part;
      const double error = error_(range());
      if (error < least_) {
        least_ = error;
        best = part;
      }
    }
    end = best;
    if (together_) other = best;
    return best != before;
  }

  const Range& limits_;
  bool together_;
  const std::function<double(const Range&)>& error_;
  int low_, high_;  ///< In 1/kFractions of the limits.
  double least_;
};

}  // namespace

Range least_error_range(const Range& limits, bool together,
                        const std::function<double(const Range&)>& error) {
  return RangeSearch(limits, together, error).run();
}

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

void ObservedValues::keep_rows(std::span<const float> values, std::int64_t length) {
  rows_.insert(rows_.end(), values.begin(), values.end());
  row_length_ = length;
}

Range ObservedValues::percentile(double percent) const {
  const std::int64_t total = std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
  const auto outside = static_cast<std::int64_t>(static_cast<double>(total) * (100.0 - percent) / 100.0);
  std::int64_t first = 0;
  std::int64_t last = kBins;
  for (std::int64_t left = outside; (left -= counts_[static_cast<std::size_t>(first)]) >= 0;) {
    if (++first == kBins) break;
  }
  for (std::int64_t left = outside; (left -= counts_[static_cast<std::size_t>(last - 1)]) >= 0;) {
    if (--last == 0) break;
  }
  const float width = (spread_limits_.high - spread_limits_.low) / static_cast<float>(kBins);
  Range range;
  range.include(first == 0 ? spread_limits_.low : spread_limits_.low + static_cast<float>(first) * width);
  range.include(last == kBins ? spread_limits_.high : spread_limits_.low + static_cast<float>(last) * width);
  return range;
}

double ObservedValues::cross_entropy(const Quantization& quantization) const {
  const auto length = static_cast<std::size_t>(row_length_);
  double total = 0.0;
  std::vector<double> on_grid(length);
  for (std::size_t begin = 0; begin < rows_.size(); begin += length) {
    const std::span<const float> row(rows_.data() + begin, length);
    const auto greatest = static_cast<double>(*std::ranges::max_element(row));
    double sum = 0.0;
    double grid_sum = 0.0;
    double product = 0.0;
    for (std::size_t c = 0; c < length; ++c) {
      on_grid[c] = static_cast<double>(quantization.scale()) *
                   static_cast<double>(quantize_value(row[c], quantization) - quantization.zero_point());
    }
    const double grid_greatest = *std::ranges::max_element(on_grid);
    for (std::size_t c = 0; c < length; ++c) {
      const double likely = std::exp(static_cast<double>(row[c]) - greatest);
      sum += likely;
      grid_sum += std::exp(on_grid[c] - grid_greatest);
      product += likely * on_grid[c];
    }
    // -sum p ln p^ = ln sum e^v^ - sum p v^
    total += grid_greatest + std::log(grid_sum) - product / sum;
  }
  return total;
}

Range percentile_range(std::span<const float> values, double percent) {
  std::vector<float> sorted(values.begin(), values.end());
  const auto outside =
      std::min(static_cast<std::size_t>(static_cast<double>(sorted.size()) * (100.0 - percent) / 100.0),
               sorted.empty() ? 0 : sorted.size() - 1);
  Range range;
  if (sorted.empty()) return range;
  const auto at = [&](std::size_t index) {
    const auto place = sorted.begin() + static_cast<std::ptrdiff_t>(index);
    std::nth_element(sorted.begin(), place, sorted.end());
    return *place;
  };
  range.include(at(outside));
  range.include(at(sorted.size() - 1 - outside));
  return range;
}

double ObservedValues::error(const Quantization& quantization, double clipping_weight) const {
  const auto low = static_cast<double>(spread_limits_.low);
  const double width = static_cast<double>(spread_limits_.high) - low;
  double sum = 0.0;
  for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
    if (counts_[bin] == 0) continue;
    const double middle = low + (static_cast<double>(bin) + 0.5) * width / static_cast<double>(kBins);
    sum += static_cast<double>(counts_[bin]) * squared_error(middle, quantization, clipping_weight);
  }
  return sum;
}

Quantization ActivationFormat::float_scale(Range range) const {
  if (!is_symmetric) return affine_quantization(range, bits, is_signed);
  if (!is_signed) return unsigned_symmetric_quantization(std::max(0.0F, range.high), bits);
  return symmetric_quantization(std::max(-range.low, range.high), bits);
}

Quantization ActivationFormat::quantization(Range range) const {
  const Quantization grid = float_scale(range);
  return is_power_of_two ? power_of_two_grids(grid, range, is_symmetric).front() : grid;
}

ActivationFormat activation_format(const ActivationScheme& scheme, Semantics semantics, const Range& limits,
                                   bool is_power_of_two) {
  ActivationFormat format;
  format.bits = scheme.bits;
  format.is_power_of_two = is_power_of_two;
  const bool is_tflite = semantics == Semantics::tflite;
  format.is_symmetric = scheme.is_symmetric.value_or(is_tflite && scheme.bits > 8);
  const bool by_default = is_tflite || (format.is_symmetric && limits.low < 0.0F);
  format.is_signed = scheme.is_signed.value_or(by_default && scheme.bits > 1);
  return format;
}

Quantization choose_grid(const ObservedValues& values, const ActivationFormat& format,
                         const RangeRule& rule) {
  Range range = values.limits();
  if (!values.has_spread()) return format.quantization(range);
  if (values.has_rows() || rule.searches()) {
    range = least_error_range(range, format.is_symmetric, [&](const Range& candidate) {
      const Quantization grid = format.float_scale(candidate);
      return values.has_rows() ? values.cross_entropy(grid) : values.error(grid, rule.weight());
    });
  } else if (rule.method == RangeMethod::percentile) {
    range = values.percentile(rule.percent);
  }
  const Quantization grid = format.float_scale(range);
  if (!format.is_power_of_two) return grid;
  const std::vector<Quantization> grids = power_of_two_grids(grid, range, format.is_symmetric);
  return *std::min_element(grids.begin(), grids.end(), [&](const Quantization& a, const Quantization& b) {
    return values.error(a) < values.error(b);
  });
}

}  // namespace qsim
