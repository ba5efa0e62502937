#include "quantization/weight_grid.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "workloads/graph/requantize_tensor.h"

namespace qsim {
namespace {

/// 1.5 * 2^52: adding it rounds a double of at most 2^51 to nearest, halves to even.
constexpr double kRounds = 6755399441055744.0;

/// Mean magnitude: the scale of one-bit weights, of least squared error.
float mean_magnitude(std::span<const float> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0, [](double total, float w) {
    return total + std::abs(static_cast<double>(w));
  });
  const auto mean = static_cast<float>(sum / static_cast<double>(weights.size()));
  return mean > 0.0F ? mean : 1.0F;
}

WeightGrid symmetric_grid(const Range& range, int bits) {
  const std::int64_t p = largest_magnitude(bits, true);
  return {symmetric_scale(std::max(-range.low, range.high), bits), 0, -p, p, bits == 1};
}

WeightGrid from_quantization(const Quantization& q) {
  return {q.scale(), q.zero_point(), q.format().min(), q.format().max(), false};
}

Quantization asymmetric_quantization(const Range& range, int bits) {
  return affine_quantization(range, bits, weights_are_signed(bits, false));
}

/// Both neighbours of a symmetric grid's scale.
std::vector<WeightGrid> neighbours(const WeightGrid& grid) {
  const float above = power_of_two_above(grid.scale);
  std::vector<WeightGrid> grids(2, grid);
  grids[0].scale = above;
  grids[1].scale = above == grid.scale ? above : above / 2.0F;
  return grids;
}

}  // namespace

std::int64_t WeightGrid::integer(float w) const {
  if (is_sign) return w < 0.0F ? -1 : 1;
  const double q = std::nearbyint(static_cast<double>(w) / static_cast<double>(scale)) + zero_point;
  return static_cast<std::int64_t>(std::clamp(q, static_cast<double>(low), static_cast<double>(high)));
}

double WeightGrid::squared_error(std::span<const float> weights, double clipping_weight) const {
  double sum = 0.0;
  const auto step = static_cast<double>(scale);
  const auto least = static_cast<double>(low - zero_point);
  const auto greatest = static_cast<double>(high - zero_point);
  for (const float w : weights) {
    // Limits are integers: clamping before rounding is clamping behind it.
    const double exact = static_cast<double>(w) / step;
    const double position = std::clamp(exact, least, greatest);
    const double q = is_sign ? static_cast<double>(integer(w)) : (position + kRounds) - kRounds;
    const double error = static_cast<double>(w) - step * q;
    const bool is_clipped = exact < least - 0.5 || exact > greatest + 0.5;
    sum += (is_clipped ? clipping_weight : 1.0) * error * error;
  }
  return sum;
}

WeightGrid choose_weight_grid(std::span<const float> weights, int bits, bool is_symmetric,
                              const RangeRule& rule, bool is_power_of_two, float fraction) {
  Range range;
  for (const float w : weights) range.include(w);
  if (is_symmetric) range.include({-range.high, -range.low});
  const bool is_sign = is_symmetric && bits == 1;
  const auto grid_of = [&](const Range& candidate) {
    return is_symmetric ? symmetric_grid(candidate, bits)
                        : from_quantization(asymmetric_quantization(candidate, bits));
  };
  if (is_sign || range.low >= range.high) {
    // The mean magnitude, or one level.
  } else if (fraction > 0.0F) {
    range = {range.low * fraction, range.high * fraction};
  } else if (rule.searches()) {
    range = least_error_range(range, is_symmetric, [&](const Range& candidate) {
      return grid_of(candidate).squared_error(weights, rule.weight());
    });
  } else if (rule.method == RangeMethod::percentile) {
    range = percentile_range(weights, rule.percent);
    if (is_symmetric) range.include({-range.high, -range.low});
  }
  WeightGrid grid = grid_of(range);
  if (is_sign) grid.scale = mean_magnitude(weights);
  if (!is_power_of_two) return grid;
  std::vector<WeightGrid> grids;
  if (is_symmetric) {
    grids = neighbours(grid);
  } else {
    for (const Quantization& q : power_of_two_grids(asymmetric_quantization(range, bits), range, false))
      grids.push_back(from_quantization(q));
  }
  return *std::min_element(grids.begin(), grids.end(), [&](const WeightGrid& a, const WeightGrid& b) {
    return a.squared_error(weights) < b.squared_error(weights);
  });
}

WeightGrid with_scale(const WeightGrid& grid, float scale) {
  WeightGrid scaled = grid;
  scaled.scale = scale;
  if (grid.is_sign || grid.low == -grid.high) return scaled;
  // What -min / s was at the old scale.
  const double offset = static_cast<double>(grid.zero_point - grid.low) * static_cast<double>(grid.scale) /
                        static_cast<double>(scale);
  scaled.zero_point = static_cast<std::int32_t>(
      std::min(grid.low + static_cast<std::int64_t>(std::llround(offset)), grid.high));
  return scaled;
}

WeightGrid with_least_scale(const WeightGrid& grid, float least, bool is_power_of_two) {
  if (grid.scale >= least) return grid;
  return with_scale(grid, is_power_of_two ? power_of_two_above(least) : least);
}

}  // namespace qsim
