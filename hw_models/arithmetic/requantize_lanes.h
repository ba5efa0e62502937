// What one row of a requantized block needs in vector lanes.
#pragma once

#include <cstdint>

#include "hw_models/arithmetic/requantize_block.h"

namespace qsim::arithmetic {

/// Views of a ChannelScales from one channel on.
struct RequantizeArguments {
  Rounding rounding;
  OutputRange range;
  const float* factors = nullptr;
  const std::int32_t* multipliers = nullptr;
  const std::int32_t* left_shifts = nullptr;
  const std::int32_t* product_shifts = nullptr;
  const std::int32_t* right_shifts = nullptr;

  RequantizeArguments(const ChannelScales& scales, const OutputRange& output_range,
                      std::int64_t first_channel)
      : rounding(scales.rounding_),
        range(output_range),
        factors(scales.factors_.data() + first_channel),
        multipliers(scales.multipliers_.data() + first_channel),
        left_shifts(scales.left_shifts_.data() + first_channel),
        product_shifts(scales.product_shifts_.data() + first_channel),
        right_shifts(scales.right_shifts_.data() + first_channel) {}

  /// Whether 64-bit lanes (float32: exact limits in float32) compute this.
  [[nodiscard]] static bool fits_lanes(const ChannelScales& scales, const OutputRange& range);
};

/// Requantizes as many of `count` accumulators as whole vectors take, to int32; returns how many.
std::int64_t requantize_lanes(const RequantizeArguments& arguments, const std::int32_t* in,
                              std::int64_t count, std::int32_t* out);

}  // namespace qsim::arithmetic
