// The vector kernel behind depthwise().
#pragma once

#include <cstdint>

namespace qsim::arithmetic {

/// 32-bit accumulators that cannot overflow; whole vectors of channels.
struct DepthwiseBlock {
  const std::int16_t* const* pixel_taps = nullptr;
  std::int64_t pixels = 0;
  std::int64_t taps = 0;
  std::int64_t channels = 0;
  const std::int16_t* weights = nullptr;  ///< [tap][channel]
  const std::int64_t* chunk_ends = nullptr;
  std::int64_t chunk_count = 0;
  const std::int32_t* preload = nullptr;
  std::int32_t* out = nullptr;    ///< [pixel][channel]
  std::int32_t min = 0, max = 0;  ///< Result: extremes after each chunk, preload excluded.
};
void run_depthwise_block(DepthwiseBlock& block);

}  // namespace qsim::arithmetic
