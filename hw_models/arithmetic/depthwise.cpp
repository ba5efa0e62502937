#include "hw_models/arithmetic/depthwise.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "hw_models/arithmetic/depthwise_kernel.h"

namespace qsim::arithmetic {
namespace {

/// The preload passes through the register once an output element.
std::vector<std::int64_t> fit_preload(std::span<const std::int64_t> preload, const AccumulatorFormat& format,
                                      std::int64_t pixels, AccumulatorStats& stats) {
  std::vector<std::int64_t> fitted;
  for (const std::int64_t value : preload) {
    fitted.push_back(accumulate(format, value, stats));
  }
  stats.overflows *= pixels;
  return fitted;
}

AccumulatorStats run_wide(const DepthwiseWeights& weights, std::span<const std::int64_t> fitted_preload,
                          const DepthwiseOptions& options, std::span<const std::int16_t* const> pixel_taps,
                          std::vector<std::int64_t>& out) {
  AccumulatorStats stats;
  const auto taps = static_cast<std::size_t>(weights.taps());
  out.clear();
  for (std::size_t first = 0; first < pixel_taps.size(); first += taps) {
    for (std::int64_t n = 0; n < weights.channels(); ++n) {
      std::int64_t accumulator = fitted_preload[static_cast<std::size_t>(n)];
      std::int64_t t = 0;
      for (const std::int64_t end : options.chunk_ends) {
        std::int64_t sum = 0;
        for (; t < end; ++t) {
          sum += std::int64_t{pixel_taps[first + static_cast<std::size_t>(t)][n]} * weights.tap(t)[n];
        }
        accumulator = accumulate(options.accumulator, accumulator + sum, stats);
      }
      out.push_back(accumulator);
    }
  }
  return stats;
}

}  // namespace

DepthwiseWeights::DepthwiseWeights(std::span<const std::int32_t> weights, std::int64_t taps,
                                   std::int64_t channels)
    : taps_(taps), channels_(channels) {
  std::vector<std::int64_t> sums(static_cast<std::size_t>(channels), 0);
  weights_.reserve(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights_.push_back(static_cast<std::int16_t>(weights[i]));
    sums[i % static_cast<std::size_t>(channels)] += std::abs(weights[i]);
  }
  max_abs_column_sum_ = sums.empty() ? 0 : *std::max_element(sums.begin(), sums.end());
}

AccumulatorStats depthwise(const DepthwiseWeights& weights, std::span<const std::int64_t> preload,
                           const DepthwiseOptions& given_options,
                           std::span<const std::int16_t* const> pixel_taps, DepthwiseAccumulators& out) {
  DepthwiseOptions options = given_options;
  if (options.chunk_ends.empty()) {
    options.chunk_ends.push_back(weights.taps());
  }
  const std::int64_t pixels = static_cast<std::int64_t>(pixel_taps.size()) / weights.taps();
  AccumulatorStats stats;
  const std::vector<std::int64_t> fitted = fit_preload(preload, options.accumulator, pixels, stats);
  std::int64_t bound = 0;
  for (const std::int64_t value : fitted) {
    bound = std::max(bound, std::max(value, -value));
  }
  const IntegerFormat& format = options.activation_format;
  const std::int64_t max_a = std::max(-format.min(), format.max());
  constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();
  out.narrow.clear();
  out.wide.clear();
  if (pixels == 0 || weights.channels() == 0) {
    return {};
  }
  if (bound <= kInt32Max && bound + weights.max_abs_column_sum() * max_a <= kInt32Max) {
    const std::vector<std::int32_t> narrow_preload(fitted.begin(), fitted.end());
    out.narrow.resize(static_cast<std::size_t>(pixels * weights.channels()));
    DepthwiseBlock block{pixel_taps.data(),
                         pixels,
                         weights.taps(),
                         weights.channels(),
                         weights.tap(0),
                         options.chunk_ends.data(),
                         static_cast<std::int64_t>(options.chunk_ends.size()),
                         narrow_preload.data(),
                         out.narrow.data()};
    run_depthwise_block(block);
    if (block.min >= options.accumulator.min() && block.max <= options.accumulator.max()) {
      stats.observe(block.min);
      stats.observe(block.max);
      return stats;
    }
    out.narrow.clear();  // It overflows somewhere: again, update by update.
  }
  stats.merge(run_wide(weights, fitted, options, pixel_taps, out.wide));
  return stats;
}

}  // namespace qsim::arithmetic
