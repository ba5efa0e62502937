// Depthwise convolution, an image row at a time: channels are the vector dimension, and no product matrix is
// gathered. Output channel n reads input channel n / multiplier.
#include <algorithm>
#include <atomic>

#include "base/parallel_blocks.h"
#include "workloads/execute/execute_nodes.h"

namespace qsim {
namespace {

using namespace arithmetic;

/// The input as int16, each channel as often as output channels read it: [pixel][out_channel].
std::vector<std::int16_t> expand_channels(const TensorData& input, std::int64_t multiplier) {
  std::vector<std::int16_t> expanded;
  expanded.reserve(static_cast<std::size_t>(input.size() * multiplier));
  visit_element_type(input.type, [&](auto zero) {
    const auto values = input.as<decltype(zero)>();
    if (multiplier == 1) {
      expanded.assign(values.begin(), values.end());
      return;
    }
    for (const auto x : values)
      expanded.insert(expanded.end(), static_cast<std::size_t>(multiplier), static_cast<std::int16_t>(x));
  });
  return expanded;
}

class DepthwiseRun {
 public:
  explicit DepthwiseRun(const MacRun& run)
      : run_(run),
        g_(run.prepared.geometry),
        stage_(run.graph, run.node, run.context, run.output),
        input_(expand_channels(run.input, g_.group_outputs())),
        padding_(static_cast<std::size_t>(g_.out_channels),
                 static_cast<std::int16_t>(run.input_quantization().zero_point())) {
    options_.activation_format = run.input_quantization().format();
    options_.accumulator = run.context.accumulator;
    options_.chunk_ends = run.context.chunk_ends;
  }

  AccumulatorStats run() {
    const std::int64_t image_rows = g_.batch * g_.out_h;
    const auto workers = static_cast<std::size_t>(std::clamp<std::int64_t>(run_.threads, 1, image_rows));
    std::vector<AccumulatorStats> stats(workers);
    for_each_block(static_cast<std::int64_t>(workers), static_cast<int>(workers),
                   [&](std::int64_t worker) { stats[static_cast<std::size_t>(worker)] = run_rows(); });
    for (std::size_t worker = 1; worker < workers; ++worker) stats[0].merge(stats[worker]);
    return stats[0];
  }

 private:
  /// One worker: image rows as they come.
  AccumulatorStats run_rows() {
    AccumulatorStats stats;
    DepthwiseAccumulators accumulators;
    std::vector<const std::int16_t*> taps;
    for (std::int64_t row = next_row_++; row < g_.batch * g_.out_h; row = next_row_++) {
      taps.clear();
      for (std::int64_t x = 0; x < g_.out_w; ++x) append_taps(row, x, taps);
      stats.merge(depthwise(*run_.prepared.depthwise, run_.prepared.preload, options_, taps, accumulators));
      store(row, taps, accumulators);
    }
    return stats;
  }

  void append_taps(std::int64_t image_row, std::int64_t out_x, std::vector<const std::int16_t*>& taps) const {
    const std::int64_t image = image_row / g_.out_h;
    const std::int64_t y0 = image_row % g_.out_h * g_.stride_h - g_.pad_top;
    const std::int64_t x0 = out_x * g_.stride_w - g_.pad_left;
    for (std::int64_t ky = 0; ky < g_.kernel_h; ++ky) {
      for (std::int64_t kx = 0; kx < g_.kernel_w; ++kx) {
        const std::int64_t y = y0 + ky * g_.dilation_h;
        const std::int64_t x = x0 + kx * g_.dilation_w;
        const bool inside = y >= 0 && y < g_.in_h && x >= 0 && x < g_.in_w;
        const std::int64_t pixel = (image * g_.in_h + y) * g_.in_w + x;
        taps.push_back(inside ? input_.data() + pixel * g_.out_channels : padding_.data());
      }
    }
  }

  void store(std::int64_t image_row, const std::vector<const std::int16_t*>& taps,
             const DepthwiseAccumulators& accumulators) const {
    const std::int64_t row = image_row * g_.out_w;
    if (!run_.prepared.weight_zero_points.empty()) {
      const std::vector<std::int64_t> corrected = correct(taps, accumulators);
      stage_.store(row, g_.out_w, 0, g_.out_channels, corrected.data(), g_.out_channels);
    } else if (!accumulators.narrow.empty()) {
      stage_.store(row, g_.out_w, 0, g_.out_channels, accumulators.narrow.data(), g_.out_channels);
    } else {
      stage_.store(row, g_.out_w, 0, g_.out_channels, accumulators.wide.data(), g_.out_channels);
    }
  }

  /// acc[p][n] - z_w[n] * sum_t x[p][t][n]
  [[nodiscard]] std::vector<std::int64_t> correct(const std::vector<const std::int16_t*>& taps,
                                                  const DepthwiseAccumulators& accumulators) const {
    const auto taps_a_pixel = static_cast<std::size_t>(g_.kernel_h * g_.kernel_w);
    const auto channels = static_cast<std::size_t>(g_.out_channels);
    std::vector<std::int64_t> corrected(accumulators.wide);
    if (corrected.empty()) corrected.assign(accumulators.narrow.begin(), accumulators.narrow.end());
    for (std::size_t i = 0; i < corrected.size(); ++i) {
      const std::size_t pixel = i / channels;
      const std::size_t n = i % channels;
      std::int64_t sum = 0;
      for (std::size_t t = 0; t < taps_a_pixel; ++t) sum += taps[pixel * taps_a_pixel + t][n];
      corrected[i] -= run_.prepared.weight_zero_points[n] * sum;
    }
    return corrected;
  }

  const MacRun& run_;
  const ConvGeometry& g_;
  OutputStage stage_;
  std::vector<std::int16_t> input_, padding_;
  DepthwiseOptions options_;
  std::atomic<std::int64_t> next_row_{0};
};

}  // namespace

AccumulatorStats run_depthwise(const MacRun& run) {
  return DepthwiseRun(run).run();
}

}  // namespace qsim
