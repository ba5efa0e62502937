// Float activations with 8-bit weights ("dynamic range"), as TFLite's hybrid kernels compute them. Each image
// of a convolution, or row of a fully connected layer, is quantized by its own range, in float32:
//
//   r = max |x|,   q = clamp(round(x * (127 / r)), -127, 127), halves away from zero,   s = (r / 127) * s_w
//   y = activation(acc * s + bias),   acc = sum q * w exact in 32 bits
#include <algorithm>
#include <cmath>

#include "workloads/execute/float/float_nodes.h"
#include "workloads/execute/gather_rows.h"

namespace qsim {
namespace {

using namespace arithmetic;

constexpr float kLargest = 127.0F;

/// Integers of `x`; returns r / 127, or 1 where all elements are 0.
float quantize_by_range(std::span<const float> x, std::vector<std::int8_t>& q) {
  float range = 0.0F;
  for (const float value : x) range = std::max(range, std::abs(value));
  q.assign(x.size(), 0);
  if (range == 0.0F) return 1.0F;
  const float inverse = kLargest / range;
  std::transform(x.begin(), x.end(), q.begin(), [inverse](float value) {
    return static_cast<std::int8_t>(std::clamp(std::round(value * inverse), -kLargest, kLargest));
  });
  return range / kLargest;
}

class DynamicRun {
 public:
  DynamicRun(const NodeRun& run, const PreparedFloatMac& prepared, Activation activation)
      : run_(run), prepared_(prepared), g_(prepared.geometry), clamp_(activation) {}

  void run() {
    const bool by_row = std::holds_alternative<FullyConnectedOp>(run_.node.op);
    const std::int64_t parts = by_row ? g_.rows() : g_.batch;
    const auto part_size = static_cast<std::size_t>(run_.inputs[0]->size() / parts);
    ConvGeometry part = g_;
    part.batch = 1;
    if (by_row) part.in_h = part.in_w = part.out_h = part.out_w = 1;
    for (std::int64_t p = 0; p < parts; ++p) {
      const float scale =
          quantize_by_range(run_.input().subspan(static_cast<std::size_t>(p) * part_size, part_size), q_) *
          prepared_.dynamic->scale;
      run_part(part, scale, run_.result().data() + p * part.rows() * g_.out_channels);
    }
  }

 private:
  void run_part(const ConvGeometry& part, float scale, float* y) const {
    const TapSource<std::int8_t> source{part, q_.data(), 0, 0};
    GemmOptions options;
    options.activation_format = {8, true};
    options.accumulator = {64, Overflow::wrap};
    options.threads = run_.threads;
    const std::vector<std::int64_t> preload(static_cast<std::size_t>(g_.out_channels), 0);
    static_cast<void>(gemm(
        part.rows(), prepared_.dynamic->weights, preload, options,
        [&](std::int64_t begin, std::int64_t rows, std::int32_t, std::int16_t* out, std::int64_t stride) {
          gather_rows(source, begin, rows, out, stride);
        },
        [&](const AccumulatorBlock& block) { store(block, scale, y + block.row_begin * g_.out_channels); }));
  }

  void store(const AccumulatorBlock& block, float scale, float* y) const {
    const std::vector<float>& bias = prepared_.group_biases[0];
    for (std::int64_t r = 0; r < block.rows; ++r) {
      for (std::int64_t n = 0; n < g_.out_channels; ++n) {
        const std::int64_t i = r * block.stride + n;
        const auto sum = static_cast<float>(block.narrow != nullptr ? block.narrow[i] : block.wide[i]);
        *y++ = clamp_(sum * scale + bias[static_cast<std::size_t>(n)]);
      }
    }
  }

  const NodeRun& run_;
  const PreparedFloatMac& prepared_;
  const ConvGeometry& g_;
  FloatClamp clamp_;
  std::vector<std::int8_t> q_;
};

}  // namespace

DynamicWeights prepare_dynamic_weights(const TensorData& weights, const Quantization& quantization,
                                       const ConvGeometry& geometry) {
  std::vector<std::int32_t> values;
  values.reserve(static_cast<std::size_t>(weights.size()));
  for (std::int64_t i = 0; i < weights.size(); ++i) {
    values.push_back(static_cast<std::int32_t>(weights.at(i)));
  }
  return {PackedWeights(values, geometry.out_channels, geometry.depth(), quantization.format()),
          quantization.scale()};
}

void run_float_dynamic(const NodeRun& run, const PreparedFloatMac& prepared, Activation activation) {
  DynamicRun(run, prepared, activation).run();
}

}  // namespace qsim
