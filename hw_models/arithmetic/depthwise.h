// Depthwise convolution with the accumulator bank's view of it: every output channel reduces over the taps of
// its own input channel, so that channels are the vector dimension and no product matrix is gathered.
//
//   acc[p][n] = preload[n] + sum_t a[p][t][n] * w[t][n]
//
// Chunks, overflow and statistics are those of gemm(): taps ascending, an update after each chunk, the
// preload an update too. How to call it: bring the NHWC input into int16 (with a channel multiplier m, repeat
// each channel m times), make one pixel of zero points for the padding, and give for each output pixel the
// address of each tap's channels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/arithmetic/integer_format.h"

namespace qsim::arithmetic {

/// Weights [tap][channel]; at most 16 bits, unsigned ones at most 15.
class DepthwiseWeights {
 public:
  DepthwiseWeights(std::span<const std::int32_t> weights, std::int64_t taps, std::int64_t channels);

  [[nodiscard]] std::int64_t taps() const { return taps_; }
  [[nodiscard]] std::int64_t channels() const { return channels_; }
  [[nodiscard]] const std::int16_t* tap(std::int64_t t) const { return weights_.data() + t * channels_; }
  /// max over channels of sum_t |w|: bounds every partial sum.
  [[nodiscard]] std::int64_t max_abs_column_sum() const { return max_abs_column_sum_; }

 private:
  std::int64_t taps_;
  std::int64_t channels_;
  std::int64_t max_abs_column_sum_ = 0;
  std::vector<std::int16_t> weights_;
};

/// Accumulators of a run of output pixels, [pixel][channel]; exactly one of the two is filled.
struct DepthwiseAccumulators {
  std::vector<std::int32_t> narrow;
  std::vector<std::int64_t> wide;
};

struct DepthwiseOptions {
  IntegerFormat activation_format{8, true};
  AccumulatorFormat accumulator{};
  /// Ends of the chunks of taps, ascending, the last one = taps. Empty: one chunk.
  std::vector<std::int64_t> chunk_ends;
};

/// Computes pixel_taps.size() / taps pixels; pixel_taps[p * taps + t] is the address of `channels` elements.
/// May be called concurrently. Any number of pixels: a row of the image is a good portion.
AccumulatorStats depthwise(const DepthwiseWeights& weights, std::span<const std::int64_t> preload,
                           const DepthwiseOptions& options, std::span<const std::int16_t* const> pixel_taps,
                           DepthwiseAccumulators& out);

}  // namespace qsim::arithmetic
