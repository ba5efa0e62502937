// Requantization by comparisons: the thresholds of a channel, and the output that they give.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/arithmetic/requantize.h"

namespace qsim::arithmetic {

/// How many thresholds tell the outputs of a range apart: one less than there are; of a sign one.
[[nodiscard]] std::int64_t threshold_count(const OutputRange& range);

/// Thresholds of one channel, those of an accumulator that rises with the output ascending. With
/// n = threshold_count(range) and step = (clamp_max - clamp_min) / n:
///   q = clamp_min + step * #{k : acc >= values[k]}        (rises)
///   q = clamp_min + step * #{k : acc <= values[k]}        (falls)
struct ChannelThresholds {
  bool falls = false;
  std::vector<std::int64_t> values;

  [[nodiscard]] std::int32_t output(const OutputRange& range, std::int64_t accumulator) const;
};

/// Accumulators and the numbers next to them outside, in whole bytes; those of more than 56 bits saturate.
inline constexpr int kMostThresholdBits = 56;
[[nodiscard]] constexpr std::int64_t threshold_bytes(int accumulator_bits) {
  return ((accumulator_bits < kMostThresholdBits ? accumulator_bits : kMostThresholdBits) + 1 + 7) / 8;
}

/// Those that give what RoundingProfile::affine computes, for every accumulator of `width_bits`.
/// A threshold beyond them is the next number outside, 2^(width_bits - 1) or -2^(width_bits - 1) - 1.
[[nodiscard]] ChannelThresholds make_thresholds(const ChannelScale& scale, const OutputRange& range,
                                                int width_bits);

}  // namespace qsim::arithmetic
