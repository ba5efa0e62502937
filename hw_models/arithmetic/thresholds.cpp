#include "hw_models/arithmetic/thresholds.h"

#include <algorithm>
#include <cstdlib>

namespace qsim::arithmetic {

std::int64_t threshold_count(const OutputRange& range) {
  const std::int64_t steps = std::int64_t{range.clamp_max} - range.clamp_min;
  return range.rounding == RoundingMode::sign ? std::min<std::int64_t>(steps, 1) : steps;
}

std::int32_t ChannelThresholds::output(const OutputRange& range, std::int64_t accumulator) const {
  if (values.empty()) return range.clamp_min;
  const auto passed = std::count_if(values.begin(), values.end(), [&](std::int64_t threshold) {
    return falls ? accumulator <= threshold : accumulator >= threshold;
  });
  const std::int64_t step =
      (std::int64_t{range.clamp_max} - range.clamp_min) / static_cast<std::int64_t>(values.size());
  return static_cast<std::int32_t>(range.clamp_min + step * passed);
}

/// The affine function rises or falls with the accumulator, so that a bisection finds where it first reaches
/// an output.
ChannelThresholds make_thresholds(const ChannelScale& scale, const OutputRange& range, int width_bits) {
  ChannelThresholds result;
  result.falls = scale.scale64 < 0.0;
  const std::int64_t end = std::int64_t{1} << (std::min(width_bits, kMostThresholdBits) - 1);
  const std::int64_t count = threshold_count(range);
  const std::int64_t step = count == 0 ? 0 : (std::int64_t{range.clamp_max} - range.clamp_min) / count;
  const std::int64_t direction = result.falls ? -1 : 1;
  for (std::int64_t k = 1; k <= count; ++k) {
    const std::int64_t wanted = range.clamp_min + k * step;
    // In the direction in which outputs rise.
    std::int64_t below = result.falls ? end : -end - 1;
    std::int64_t reached = result.falls ? -end - 1 : end;
    while (std::abs(reached - below) > 1) {
      const std::int64_t middle = below + direction * (std::abs(reached - below) / 2);
      const bool is_reached = requantize(RoundingProfile::affine, scale, range, middle) >= wanted;
      (is_reached ? reached : below) = middle;
    }
    result.values.push_back(reached);
  }
  return result;
}

}  // namespace qsim::arithmetic
