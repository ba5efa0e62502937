// Quantization without data: what batch norms say is kept, carried along, and agrees with samples.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "../workloads/float/float_graph.h"
#include "base/error.h"
#include "quantization/absorption.h"
#include "quantization/bias_correction.h"
#include "quantization/channel_model.h"
#include "quantization/equalize.h"
#include "quantization/graph_edits.h"
#include "quantization/quantize_graph.h"
#include "quantization/quantize_weights.h"

using namespace qsim;

namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// Mean and variance of the clipped normal by the midpoint rule, from the definition alone.
Moments integrated(double mu, double sigma, double low, double high) {
  constexpr int kParts = 100'000;
  double mean = 0.0;
  double square = 0.0;
  for (int i = 0; i < kParts; ++i) {
    const double z = 20.0 * ((i + 0.5) / kParts - 0.5);
    const double weight = std::exp(-z * z / 2.0) / std::sqrt(2.0 * 3.14159265358979) * 20.0 / kParts;
    const double x = std::min(std::max(mu + sigma * z, low), high);
    mean += weight * x;
    square += weight * x * x;
  }
  return {mean, square - mean * mean};
}

/// Images of standard normal numbers, one input.
CalibrationData one_input(const TensorData& value) {
  CalibrationData data;
  data.count = 1;
  data.inputs = [value](std::int64_t) { return std::vector<TensorData>{value}; };
  data.description = "random inputs";
  return data;
}

/// A layer that makes normal channels of standard normal ones: y[c] = deviation[c] x[c] + mean[c], and says
/// so.
TensorId add_normal_layer(FloatGraph& maker, TensorId x, const std::vector<float>& mean,
                          const std::vector<float>& deviation, Activation activation) {
  const auto channels = static_cast<std::int64_t>(mean.size());
  Conv2dOp op;
  op.groups = channels;
  op.activation = activation;
  const TensorId made = maker.add_node(op,
                                       {x, maker.add_constant(float_data({channels, 1, 1, 1}, deviation)),
                                        maker.add_constant(float_data({channels}, mean))},
                                       maker.graph.tensor(x).shape);
  ChannelDistribution distribution;
  distribution.mean.assign(mean.begin(), mean.end());
  for (const float d : deviation) distribution.deviation.push_back(std::abs(static_cast<double>(d)));
  maker.graph.nodes.back().distribution = distribution;
  return made;
}

Quantizers weight_quantizers(const Graph& graph, int first_bits, int second_bits) {
  Quantizers quantizers{std::vector<std::optional<Quantization>>(graph.tensors.size()), {}};
  for (const Node& node : graph.nodes) {
    WeightFormat format;
    format.scheme.bits = quantizers.weights.empty() ? first_bits : second_bits;
    quantizers.weights.push_back(quantize_weights(graph.tensor(node.inputs[1]), nullptr, 1.0F, format));
  }
  return quantizers;
}

std::vector<float> bias_of(const Graph& graph, std::size_t node) {
  return values_of(*graph.tensor(graph.nodes[node].inputs[2]).data);
}

/// Analytic correction against the empirical one on N samples of the distribution that it assumes: a second
/// layer of 3 bits, pointwise (6 outputs) or depthwise 3x3 whose windows do not overlap.
void check_correction(Activation activation, double low, double high, std::int64_t samples,
                      bool is_depthwise) {
  CAPTURE(activation, samples, is_depthwise);
  const std::vector<float> mean{0.5F, -1.0F, 4.0F, 0.0F}, deviation{1.0F, 0.7F, -2.0F, 0.25F};
  const std::int64_t side = is_depthwise ? 3 : 1;
  FloatGraph maker(7);
  const TensorId x = maker.add_input({1, side, side * samples, 4});
  const TensorId a = add_normal_layer(maker, x, mean, deviation, activation);
  Conv2dOp op;
  if (is_depthwise) {
    op.groups = 4;
    op.stride_h = op.stride_w = 3;
  }
  const std::int64_t outputs = is_depthwise ? 4 : 6;
  const TensorId w = maker.add_constant({outputs, side, side, is_depthwise ? 1 : 4});
  maker.add_node(op, {a, w, maker.add_constant({outputs})}, {1, 1, samples, outputs});
  const Quantizers quantizers = weight_quantizers(maker.graph, 16, 3);
  FloatGraph numbers(11);
  const TensorData z = numbers.random_data({1, side, side * samples, 4});

  Graph empirical = maker.graph;
  correct_biases(empirical, quantizers, one_input(z), 1, 1);
  Graph analytic = maker.graph;
  REQUIRE(correct_biases(analytic, quantizers, model_channels(maker.graph, {-1.0F, 1.0F})) == 1);

  const std::vector<float> rounded = values_of(*dequantized_weights(*quantizers.weights[1]).data);
  const std::vector<float> exact = values_of(*maker.graph.tensor(w).data);
  for (std::int64_t n = 0; n < outputs; ++n) {
    // The sample's own mean and deviation of sum_k (W^ - W)[n][k] x[k].
    double sum = 0.0;
    double square = 0.0;
    for (std::int64_t s = 0; s < samples; ++s) {
      double shift = 0.0;
      for (std::int64_t k = 0; k < (is_depthwise ? 9 : 4); ++k) {
        const std::int64_t channel = is_depthwise ? n : k;
        const std::int64_t row = is_depthwise ? k / 3 : 0;
        const std::int64_t column = side * s + (is_depthwise ? k % 3 : 0);
        const auto at = static_cast<std::size_t>((row * side * samples + column) * 4 + channel);
        const auto c = static_cast<std::size_t>(channel);
        const double y = static_cast<double>(deviation[c]) * static_cast<double>(z.as<float>()[at]) +
                         static_cast<double>(mean[c]);
        const auto i = static_cast<std::size_t>(n * (is_depthwise ? 9 : 4) + k);
        shift += (static_cast<double>(rounded[i]) - static_cast<double>(exact[i])) * std::clamp(y, low, high);
      }
      sum += shift;
      square += shift * shift;
    }
    const auto count = static_cast<double>(samples);
    const double error = std::sqrt((square / count - sum * sum / count / count) / count);
    const double difference = static_cast<double>(bias_of(analytic, 1)[static_cast<std::size_t>(n)]) -
                              static_cast<double>(bias_of(empirical, 1)[static_cast<std::size_t>(n)]);
    CAPTURE(n, error, difference);
    CHECK(error > 0.0);
    CHECK(std::abs(difference) <= 4.0 * error + 1e-6);  // float32 biases
  }
}

}  // namespace

TEST_CASE("moments of a clipped normal are the integrals") {
  for (const double mu : {-3.0, -0.2, 0.0, 1.0, 5.5, 40.0}) {
    for (const double sigma : {0.05, 1.0, 4.0}) {
      for (const auto& [low, high] :
           {std::pair{-kInfinite, kInfinite}, std::pair{0.0, kInfinite}, std::pair{0.0, 6.0},
            std::pair{-1.0, 1.0}, std::pair{-kInfinite, 2.0}}) {
        CAPTURE(mu, sigma, low, high);
        const Moments expected = integrated(mu, sigma, low, high);
        const Moments actual = clipped_normal(mu, sigma, low, high);
        CHECK(actual.mean == Approx(expected.mean).margin(1e-6));
        CHECK(actual.variance == Approx(expected.variance).margin(1e-5));
      }
    }
  }
  CHECK(clipped_normal(7.0, 0.0, 0.0, 6.0).mean == 6.0);
  const Moments behind = moments_behind([](double x) { return std::max(x, 0.0); }, 0.3, 1.2);
  CHECK(behind.mean == Approx(clipped_normal(0.3, 1.2, 0.0, kInfinite).mean).epsilon(1e-3));
  CHECK(behind.variance == Approx(clipped_normal(0.3, 1.2, 0.0, kInfinite).variance).epsilon(1e-3));
}

TEST_CASE("folding, fusing and equalizing carry what a batch norm says") {
  FloatGraph maker(1);
  const TensorId x = maker.add_input({1, 4, 4, 2});
  const TensorId conv = maker.add_node(Conv2dOp{}, {x, maker.add_constant({3, 1, 1, 2})}, {1, 4, 4, 3});
  const TensorId norm =
      maker.add_node(BatchNormOp{}, {conv, maker.add_constant({3}), maker.add_constant({3})}, {1, 4, 4, 3});
  maker.graph.nodes.back().distribution = ChannelDistribution{{1.0, -2.0, 3.0}, {0.5, 1.5, 0.25}};
  const TensorId relu = maker.add_node(UnaryOp{UnaryKind::relu}, {norm}, {1, 4, 4, 3});
  maker.add_node(Conv2dOp{}, {relu, maker.add_constant({5, 1, 1, 3})}, {1, 4, 4, 5});
  Graph& graph = maker.graph;
  CHECK(has_distributions(graph));
  REQUIRE(fold_batch_norm(graph) == 1);
  REQUIRE(fuse_activations(graph) == 1);
  REQUIRE(graph.nodes[0].distribution);
  CHECK(graph.nodes[0].distribution->mean == std::vector<double>{1.0, -2.0, 3.0});
  CHECK_FALSE(graph.nodes[1].distribution);
  const std::vector<EqualizedPair> pairs = equalize(graph);
  REQUIRE(pairs.size() == 1);
  const std::vector<double> mean{1.0, -2.0, 3.0}, deviation{0.5, 1.5, 0.25};
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(graph.nodes[0].distribution->mean[c] == Approx(mean[c] / pairs[0].factors[c]));
    CHECK(graph.nodes[0].distribution->deviation[c] == Approx(deviation[c] / pairs[0].factors[c]));
  }
}

TEST_CASE("ranges reach six deviations to either side, behind the activation") {
  for (const auto& [activation, low, high] :
       {std::tuple{Activation::none, -2.5F, 9.0F}, std::tuple{Activation::relu, 0.0F, 9.0F},
        std::tuple{Activation::relu6, 0.0F, 6.0F}, std::tuple{Activation::relu_n1_to_1, -1.0F, 1.0F}}) {
    FloatGraph maker(1);
    const TensorId x = maker.add_input({1, 2, 2, 2});
    // 3 +- 6 * 1, -1 +- 6 * 0.25
    const TensorId a = add_normal_layer(maker, x, {3.0F, -1.0F}, {-1.0F, 0.25F}, activation);
    const auto models = model_channels(maker.graph, {-8.0F, 9.5F});
    CHECK(models[static_cast<std::size_t>(x)]->range.high == 9.5F);
    CHECK(models[static_cast<std::size_t>(x)]->channels.empty());
    const Range range = models[static_cast<std::size_t>(a)]->range;
    CHECK(std::min(range.low, 0.0F) == (activation == Activation::none ? -3.0F : low));
    CHECK(range.high == high);
  }
}

TEST_CASE("sums add means and variances, a layer without a norm has those of its products") {
  FloatGraph maker(1);
  const TensorId x = maker.add_input({1, 2, 2, 2});
  const TensorId a = add_normal_layer(maker, x, {1.0F, 2.0F}, {3.0F, 1.0F}, Activation::none);
  const TensorId b = add_normal_layer(maker, x, {-4.0F, 0.5F}, {4.0F, 2.0F}, Activation::none);
  const TensorId sum = maker.add_node(BinaryOp{}, {a, b}, {1, 2, 2, 2});
  const TensorId mean = maker.add_node(MeanOp{{1, 2}, true}, {sum}, {1, 1, 1, 2});
  const TensorId fc = maker.add_node(FullyConnectedOp{},
                                     {mean, maker.add_constant(float_data({1, 2}, {2.0F, -1.0F})),
                                      maker.add_constant(float_data({1}, {10.0F}))},
                                     {1, 1});
  const auto models = model_channels(maker.graph, {-1.0F, 1.0F});
  const ChannelModel& of_sum = *models[static_cast<std::size_t>(sum)];
  CHECK(of_sum.channels[0].mean == Approx(-3.0));
  CHECK(of_sum.channels[0].variance == Approx(25.0));
  CHECK(of_sum.channels[1].variance == Approx(5.0));
  CHECK(of_sum.range.low == Approx(-33.0));
  CHECK(of_sum.range.high == Approx(27.0));
  const ChannelModel& of_fc = *models[static_cast<std::size_t>(fc)];
  CHECK(of_fc.channels[0].mean == Approx(10.0 + 2.0 * -3.0 - 2.5));
  CHECK(of_fc.channels[0].variance == Approx(4.0 * 25.0 + 5.0));
}

TEST_CASE("a padded tap counts where it lies inside") {
  FloatGraph maker(1);
  const TensorId x = maker.add_input({1, 4, 4, 1});
  const TensorId a = add_normal_layer(maker, x, {2.0F}, {0.0F}, Activation::none);
  Conv2dOp op;
  op.pad_top = op.pad_bottom = op.pad_left = op.pad_right = 1;
  maker.add_node(op, {a, maker.add_constant({1, 3, 3, 1})}, {1, 4, 4, 1});
  const auto models = model_channels(maker.graph, {});
  const std::vector<double> means =
      tap_means(maker.graph, maker.graph.nodes[1], *models[static_cast<std::size_t>(a)]);
  // Of four rows three have a row above them, and three one below.
  CHECK(means == std::vector<double>{2.0 * 9 / 16, 2.0 * 3 / 4, 2.0 * 9 / 16, 2.0 * 3 / 4, 2.0, 2.0 * 3 / 4,
                                     2.0 * 9 / 16, 2.0 * 3 / 4, 2.0 * 9 / 16});
}

TEST_CASE("analytic bias correction agrees with samples of the distribution that it assumes") {
  for (const std::int64_t samples : {1'000, 100'000}) {
    check_correction(Activation::none, -kInfinite, kInfinite, samples, false);
    check_correction(Activation::relu, 0.0, kInfinite, samples, false);
    check_correction(Activation::relu6, 0.0, 6.0, samples, false);
    check_correction(Activation::relu_n1_to_1, -1.0, 1.0, samples, false);
  }
  check_correction(Activation::none, -kInfinite, kInfinite, 1'000, true);
  check_correction(Activation::relu, 0.0, kInfinite, 1'000, true);
  check_correction(Activation::relu6, 0.0, 6.0, 1'000, true);
  check_correction(Activation::relu, 0.0, kInfinite, 100'000, true);
}

TEST_CASE("absorbed biases change nothing where the channel is above what was taken") {
  FloatGraph maker(3);
  const TensorId x = maker.add_input({1, 5, 5, 3});
  // Taken: 10 - 3 * 2 = 4 of the first channel, nothing of the others (1 - 3, -2 - 3).
  const TensorId a = add_normal_layer(maker, x, {10.0F, 1.0F, -2.0F}, {2.0F, 1.0F, 1.0F}, Activation::relu);
  maker.add_node(Conv2dOp{}, {a, maker.add_constant({4, 2, 2, 3}), maker.add_constant({4})}, {1, 4, 4, 4});
  FloatGraph absorbed = maker;
  const Absorption done = absorb_biases(absorbed.graph);
  CHECK(done.pairs == 1);
  CHECK(done.channels == 1);
  CHECK(bias_of(absorbed.graph, 0) == std::vector<float>{6.0F, 1.0F, -2.0F});
  CHECK(absorbed.graph.nodes[0].distribution->mean == std::vector<double>{6.0, 1.0, -2.0});
  FloatGraph numbers(4);
  TensorData z = numbers.random_data({1, 5, 5, 3});
  for (float& v : z.as<float>()) v = std::clamp(v, -2.9F, 2.9F);
  const std::vector<float> before = values_of(maker.run({z}));
  const std::vector<float> after = values_of(absorbed.run({z}));
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(after[i] == Approx(before[i]).margin(1e-4));
}

TEST_CASE("from data what every input has is absorbed, and the outputs on these stay") {
  FloatGraph maker(3);
  const TensorId x = maker.add_input({1, 5, 5, 3});
  const TensorId a = add_normal_layer(maker, x, {10.0F, 2.0F, -2.0F}, {2.0F, 0.5F, 1.0F}, Activation::relu);
  const TensorId pooled = maker.add_node(MeanOp{{1, 2}, true}, {a}, {1, 1, 1, 3});
  maker.add_node(FullyConnectedOp{}, {pooled, maker.add_constant({4, 3})}, {1, 4});
  maker.graph.nodes[0].distribution.reset();
  FloatGraph numbers(4);
  const TensorData z = numbers.random_data({1, 5, 5, 3});
  float least = std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < 25; ++i) least = std::min(least, 10.0F + 2.0F * z.as<float>()[3 * i]);
  FloatGraph absorbed = maker;
  CHECK(absorb_biases(absorbed.graph).pairs == 0);  // nothing is known
  CHECK(absorb_biases(absorbed.graph, one_input(z), 1).pairs == 1);
  CHECK(bias_of(absorbed.graph, 0)[0] == Approx(10.0F - least).margin(1e-4));
  const std::vector<float> before = values_of(maker.run({z}));
  const std::vector<float> after = values_of(absorbed.run({z}));
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(after[i] == Approx(before[i]).margin(1e-4));
}

TEST_CASE("nothing is absorbed behind ReLU6 or by a padded layer") {
  for (const bool is_padded : {false, true}) {
    FloatGraph maker(3);
    const TensorId x = maker.add_input({1, 4, 4, 2});
    const TensorId a = add_normal_layer(maker, x, {9.0F, 9.0F}, {1.0F, 1.0F},
                                        is_padded ? Activation::relu : Activation::relu6);
    Conv2dOp op;
    if (is_padded) op.pad_top = op.pad_left = op.pad_bottom = op.pad_right = 1;
    const std::int64_t side = is_padded ? 4 : 2;
    maker.add_node(op, {a, maker.add_constant({2, 3, 3, 2})}, {1, side, side, 2});
    CHECK(absorb_biases(maker.graph).pairs == 0);
  }
}

TEST_CASE("a network is quantized without data by what its norms say, and refused without norms") {
  FloatGraph maker(5);
  const TensorId x = maker.add_input({1, 6, 6, 3});
  const TensorId a = add_normal_layer(maker, x, {0.5F, -0.5F, 1.0F}, {1.0F, 2.0F, 0.5F}, Activation::relu);
  maker.add_node(FullyConnectedOp{}, {a, maker.add_constant({4, 108}), maker.add_constant({4})}, {1, 4});
  CalibrationData none;
  none.input_range = {-4.0F, 4.0F};
  none.description = "the test";
  QuantizeOptions options;
  options.method = parse_method("mse+bias_correction", "--method", false);
  Graph graph = maker.graph;
  quantize_graph(graph, none, options);
  validate(graph);
  // -4 to 4; ReLU of 0.5 + 6, -0.5 + 12 and 1 + 3.
  CHECK(graph.tensor(graph.inputs[0]).quantization->scale() == Approx(8.0 / 255.0));
  CHECK(graph.tensor(graph.nodes[0].outputs[0]).quantization->scale() == Approx(11.5 / 255.0));
  CHECK(graph.provenance.front().find("ranges of activations from batch norms") != std::string::npos);

  options.method = parse_method("pipeline", "--method", false);
  graph = maker.graph;
  quantize_graph(graph, none, options);
  validate(graph);

  Graph folded = maker.graph;
  folded.nodes[0].distribution.reset();
  CHECK_THROWS_AS(quantize_graph(folded, none, options), InputError);
  options.method = parse_method("mse+adaround", "--method", false);
  Graph other = maker.graph;
  CHECK_THROWS_AS(quantize_graph(other, none, options), InputError);
}
