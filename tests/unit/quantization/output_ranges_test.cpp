// Ranges of weights by what a layer computes, against a search over the definition.
#include "quantization/output_ranges.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "../workloads/float/float_graph.h"

using namespace qsim;

namespace {

constexpr std::size_t kOutputs = 3, kDepth = 8, kSamples = 60;

struct Layer {
  std::vector<float> w;               ///< [outputs][depth]
  std::vector<std::vector<float>> x;  ///< [depth][samples]: what the quantized network gives
  std::vector<std::vector<float>> y;  ///< [outputs][samples]
};

/// Correlated inputs, so that output errors are not those of the weights; one weight far above the others.
Layer random_layer(unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Layer layer;
  for (std::size_t i = 0; i < kOutputs * kDepth; ++i) layer.w.push_back(normal(random));
  layer.w[5] = 4.0F;
  layer.x.assign(kDepth, std::vector<float>(kSamples));
  layer.y.assign(kOutputs, std::vector<float>(kSamples, 0.0F));
  for (std::size_t s = 0; s < kSamples; ++s) {
    const float common = normal(random);
    for (std::size_t k = 0; k < kDepth; ++k) {
      const float exact = common + 0.5F * normal(random);
      layer.x[k][s] = std::nearbyint(exact * 8.0F) / 8.0F;
      for (std::size_t n = 0; n < kOutputs; ++n) layer.y[n][s] += layer.w[n * kDepth + k] * exact;
    }
  }
  return layer;
}

Tensor weights_of(const Layer& layer) {
  Tensor w;
  w.shape = {static_cast<std::int64_t>(kOutputs), static_cast<std::int64_t>(kDepth)};
  w.type = ElementType::f32;
  w.data = float_data(w.shape, layer.w);
  return w;
}

OutputSamples samples_of(const Layer& layer) {
  OutputSamples samples;
  samples.count = static_cast<std::int64_t>(kSamples);
  samples.inputs.emplace_back();
  for (const std::vector<float>& column : layer.x)
    samples.inputs[0].insert(samples.inputs[0].end(), column.begin(), column.end());
  samples.targets = layer.y;
  return samples;
}

/// Sum of squared output errors of a channel with weights `w` [depth].
double output_error(const Layer& layer, std::size_t n, const std::vector<double>& w) {
  double sum = 0.0;
  for (std::size_t s = 0; s < kSamples; ++s) {
    double y = 0.0;
    for (std::size_t k = 0; k < kDepth; ++k) y += w[k] * static_cast<double>(layer.x[k][s]);
    sum += (y - static_cast<double>(layer.y[n][s])) * (y - static_cast<double>(layer.y[n][s]));
  }
  return sum;
}

/// The definition: weights of a slice at k / 20 of its limits, of b bits.
std::vector<double> on_grid(const std::vector<float>& slice, int k, int bits, bool is_symmetric) {
  double low = 0.0;
  double high = 0.0;
  for (const float w : slice) {
    low = std::min(low, static_cast<double>(w));
    high = std::max(high, static_cast<double>(w));
  }
  low *= k / 20.0;
  high *= k / 20.0;
  const double p = std::pow(2.0, bits - 1) - 1.0;
  std::vector<double> result;
  for (const float w : slice) {
    if (is_symmetric) {
      const double s = std::max(-low, high) / p;
      result.push_back(s * std::clamp(std::nearbyint(static_cast<double>(w) / s), -p, p));
    } else {
      const double s = (high - low) / (2.0 * p + 1.0);
      const double z = std::nearbyint(-low / s);
      const double q = std::clamp(std::nearbyint(static_cast<double>(w) / s) + z, 0.0, 2.0 * p + 1.0);
      result.push_back(s * (q - z));
    }
  }
  return result;
}

/// Errors of each channel for each k, the ranges those of a channel or of all weights.
std::vector<std::vector<double>> all_errors(const Layer& layer, int bits, bool is_symmetric,
                                            bool per_tensor) {
  std::vector<std::vector<double>> errors(kOutputs);
  for (int k = 1; k <= 20; ++k) {
    const std::vector<double> all = on_grid(layer.w, k, bits, is_symmetric);
    for (std::size_t n = 0; n < kOutputs; ++n) {
      const auto first = static_cast<std::ptrdiff_t>(n * kDepth);
      const auto count = static_cast<std::ptrdiff_t>(kDepth);
      const std::vector<float> slice(layer.w.begin() + first, layer.w.begin() + first + count);
      errors[n].push_back(
          output_error(layer, n,
                       per_tensor ? std::vector<double>(all.begin() + first, all.begin() + first + count)
                                  : on_grid(slice, k, bits, is_symmetric)));
    }
  }
  return errors;
}

std::vector<double> result_errors(const Layer& layer, const WeightFormat& format) {
  const Tensor integers =
      quantize_for_outputs(weights_of(layer), nullptr, 1.0F, format, samples_of(layer), 1);
  const std::vector<float> w = values_of(*dequantized_weights(integers).data);
  std::vector<double> errors;
  for (std::size_t n = 0; n < kOutputs; ++n) {
    const auto first = w.begin() + static_cast<std::ptrdiff_t>(n * kDepth);
    errors.push_back(output_error(layer, n, {first, first + static_cast<std::ptrdiff_t>(kDepth)}));
  }
  return errors;
}

}  // namespace

TEST_CASE("a range a channel is that of least output error") {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    for (const bool is_symmetric : {true, false}) {
      for (const int bits : {3, 4, 8}) {
        CAPTURE(seed, is_symmetric, bits);
        const Layer layer = random_layer(seed);
        WeightFormat format;
        format.scheme.bits = bits;
        format.scheme.is_symmetric = is_symmetric;
        const auto errors = all_errors(layer, bits, is_symmetric, false);
        const std::vector<double> found = result_errors(layer, format);
        for (std::size_t n = 0; n < kOutputs; ++n)
          CHECK(found[n] == Approx(*std::ranges::min_element(errors[n])).epsilon(1e-3));
      }
    }
  }
}

TEST_CASE("one range for all weights is that of least output error") {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    for (const bool is_symmetric : {true, false}) {
      CAPTURE(seed, is_symmetric);
      const Layer layer = random_layer(seed);
      WeightFormat format;
      format.scheme = {4, Granularity::per_tensor, 0, is_symmetric};
      const auto errors = all_errors(layer, 4, is_symmetric, true);
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t k = 0; k < 20; ++k) {
        double sum = 0.0;
        for (std::size_t n = 0; n < kOutputs; ++n) sum += errors[n][k];
        least = std::min(least, sum);
      }
      const std::vector<double> found = result_errors(layer, format);
      CHECK(found[0] + found[1] + found[2] == Approx(least).epsilon(1e-3));
    }
  }
}

TEST_CASE("ranges of groups leave less than those of channels, and a power of two is one") {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    const Layer layer = random_layer(seed);
    WeightFormat format;
    format.scheme.bits = 3;
    double per_channel = 0.0;
    for (const double error : result_errors(layer, format)) per_channel += error;
    // Each pair of k for both groups of a channel of 4 weights: the search of one after the other comes near.
    WeightFormat groups = format;
    groups.scheme = {3, Granularity::per_group, 4, true};
    const std::vector<double> found = result_errors(layer, groups);
    double sum = 0.0;
    for (std::size_t n = 0; n < kOutputs; ++n) {
      const auto first = layer.w.begin() + static_cast<std::ptrdiff_t>(n * kDepth);
      double both_at_limits = 0.0;
      std::vector<double> w = on_grid({first, first + 4}, 20, 3, true);
      for (const double x : on_grid({first + 4, first + 8}, 20, 3, true)) w.push_back(x);
      both_at_limits = output_error(layer, n, w);
      CHECK(found[n] < both_at_limits * 1.05);  // multiples of 8 bits for the scales
      sum += found[n];
    }
    CHECK(sum < per_channel * 1.05);
    format.is_power_of_two = true;
    const Tensor integers =
        quantize_for_outputs(weights_of(layer), nullptr, 1.0F, format, samples_of(layer), 1);
    for (const float scale : integers.quantization->scales) {
      int exponent = 0;
      CHECK(std::frexp(scale, &exponent) == 0.5F);
    }
  }
}

TEST_CASE("layer after layer, ranges by outputs leave less error behind a network than limits do") {
  FloatGraph maker(2);
  const TensorId x = maker.add_input({1, 6, 6, 4});
  Conv2dOp op;
  op.activation = Activation::relu;
  op.pad_top = op.pad_left = op.pad_bottom = op.pad_right = 1;
  const TensorId a =
      maker.add_node(op, {x, maker.add_constant({6, 3, 3, 4}), maker.add_constant({6})}, {1, 6, 6, 6});
  op.groups = 6;
  const TensorId b =
      maker.add_node(op, {a, maker.add_constant({6, 3, 3, 1}), maker.add_constant({6})}, {1, 6, 6, 6});
  maker.add_node(FullyConnectedOp{}, {b, maker.add_constant({5, 216})}, {1, 5});
  std::vector<TensorData> inputs;
  FloatGraph numbers(3);
  for (int i = 0; i < 8; ++i) inputs.push_back(numbers.random_data({1, 6, 6, 4}));
  CalibrationData data;
  data.count = 8;
  data.inputs = [inputs](std::int64_t item) {
    return std::vector<TensorData>{inputs[static_cast<std::size_t>(item)]};
  };
  Quantizers quantizers{std::vector<std::optional<Quantization>>(maker.graph.tensors.size()), {}};
  Quantization wide;
  wide.bits = 16;
  wide.scales = {0.01F};
  wide.zero_points = {0};
  for (auto& grid : quantizers.activations) grid = wide;
  WeightFormat format;
  format.scheme.bits = 3;
  for (const Node& node : maker.graph.nodes)
    quantizers.weights.push_back(
        quantize_weights(maker.graph.tensor(node.inputs[1]), nullptr, 0.01F, format));
  const std::vector<NodeError> before = run_paired(maker.graph, maker.graph, quantizers, data, 8, 1);
  const std::vector<NodeError> after =
      set_ranges_by_outputs(maker.graph, quantizers, data, 8, {[&](const Node&) { return format; }, 1, 1});
  for (std::size_t n = 0; n < 3; ++n) CHECK(after[n].noise < before[n].noise);
}
