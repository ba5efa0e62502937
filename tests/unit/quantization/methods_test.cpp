// Methods of quantization on small float networks: bias correction, AdaRound, and how methods are written.
#include "quantization/method.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "../workloads/float/float_graph.h"
#include "base/error.h"
#include "quantization/adaround.h"
#include "quantization/bias_correction.h"
#include "quantization/quantize_weights.h"

using namespace qsim;

namespace {

/// Convolution 3x3 with padding and ReLU, then fully connected without bias.
FloatGraph two_layers() {
  FloatGraph maker(1);
  Conv2dOp conv;
  conv.activation = Activation::relu;
  conv.pad_top = conv.pad_bottom = conv.pad_left = conv.pad_right = 1;
  const TensorId x = maker.add_input({1, 4, 4, 2});
  const TensorId a =
      maker.add_node(conv, {x, maker.add_constant({3, 3, 3, 2}), maker.add_constant({3})}, {1, 4, 4, 3});
  maker.add_node(FullyConnectedOp{}, {a, maker.add_constant({2, 48})}, {1, 2});
  return maker;
}

CalibrationData normal_inputs(FloatGraph& numbers, std::int64_t count) {
  std::vector<TensorData> inputs;
  for (std::int64_t i = 0; i < count; ++i) inputs.push_back(numbers.random_data({1, 4, 4, 2}));
  CalibrationData data;
  data.count = count;
  data.inputs = [inputs](std::int64_t item) {
    return std::vector<TensorData>{inputs[static_cast<std::size_t>(item)]};
  };
  return data;
}

/// Weights of `bits` bits a channel; activations stay float.
Quantizers weight_quantizers(const Graph& graph, int bits) {
  Quantizers quantizers{std::vector<std::optional<Quantization>>(graph.tensors.size()), {}};
  WeightFormat format;
  format.scheme.bits = bits;
  for (const Node& node : graph.nodes) {
    quantizers.weights.push_back(quantize_weights(graph.tensor(node.inputs[1]), nullptr, 1.0F, format));
  }
  return quantizers;
}

}  // namespace

TEST_CASE("a network whose weights are on their grids has no error") {
  FloatGraph maker = two_layers();
  const Quantizers quantizers = weight_quantizers(maker.graph, 4);
  for (std::size_t n = 0; n < 2; ++n) {
    maker.graph.tensor(maker.graph.nodes[n].inputs[1]).data =
        dequantized_weights(*quantizers.weights[n]).data;
  }
  FloatGraph numbers(2);
  for (const NodeError& error :
       run_paired(maker.graph, maker.graph, quantizers, normal_inputs(numbers, 3), 3, 1)) {
    CHECK(error.signal > 0.0);
    CHECK(error.noise == 0.0);
    CHECK(std::isinf(error.sqnr_db()));
  }
}

TEST_CASE("the error of a node is that of its outputs") {
  const FloatGraph maker = two_layers();
  FloatGraph numbers(2);
  const CalibrationData data = normal_inputs(numbers, 3);
  const Quantizers quantizers = weight_quantizers(maker.graph, 4);
  FloatGraph rounded = maker;
  for (std::size_t n = 0; n < 2; ++n) {
    rounded.graph.tensor(rounded.graph.nodes[n].inputs[1]).data =
        dequantized_weights(*quantizers.weights[n]).data;
  }
  double signal = 0.0;
  double noise = 0.0;
  for (std::int64_t i = 0; i < 3; ++i) {
    const std::vector<float> y = values_of(maker.run(data.inputs(i)));
    const std::vector<float> rounded_y = values_of(rounded.run(data.inputs(i)));
    for (std::size_t e = 0; e < y.size(); ++e) {
      signal += std::pow(static_cast<double>(y[e]), 2);
      noise += std::pow(static_cast<double>(rounded_y[e]) - static_cast<double>(y[e]), 2);
    }
  }
  const std::vector<NodeError> errors = run_paired(maker.graph, maker.graph, quantizers, data, 3, 1);
  REQUIRE(errors.size() == 2);
  CHECK(errors[1].signal == Approx(signal));
  CHECK(errors[1].noise == Approx(noise));
  CHECK(errors[1].sqnr_db() == Approx(10.0 * std::log10(signal / noise)));
}

TEST_CASE("bias correction takes (W^ - W) E[x] from the first layer's bias") {
  FloatGraph maker(3);
  maker.add_node(FullyConnectedOp{Activation::relu},
                 {maker.add_input({1, 4, 4, 2}), maker.add_constant({5, 32}), maker.add_constant({5})},
                 {1, 5});
  const Graph before = maker.graph;
  FloatGraph numbers(4);
  const CalibrationData data = normal_inputs(numbers, 20);
  const Quantizers quantizers = weight_quantizers(before, 3);
  std::vector<double> mean(32, 0.0);
  for (std::int64_t i = 0; i < 20; ++i) {
    const std::vector<float> x = values_of(data.inputs(i)[0]);
    for (std::size_t k = 0; k < 32; ++k) mean[k] += static_cast<double>(x[k]) / 20.0;
  }
  correct_biases(maker.graph, quantizers, data, 20, 1);
  const std::vector<float> w = values_of(*before.tensor(before.nodes[0].inputs[1]).data);
  const std::vector<float> rounded = values_of(*dequantized_weights(*quantizers.weights[0]).data);
  const std::vector<float> b = values_of(*before.tensor(before.nodes[0].inputs[2]).data);
  const std::vector<float> corrected = values_of(*maker.graph.tensor(maker.graph.nodes[0].inputs[2]).data);
  for (std::size_t n = 0; n < 5; ++n) {
    double shift = 0.0;
    for (std::size_t k = 0; k < 32; ++k) {
      shift += (static_cast<double>(rounded[n * 32 + k]) - static_cast<double>(w[n * 32 + k])) * mean[k];
    }
    CHECK(static_cast<double>(corrected[n]) == Approx(static_cast<double>(b[n]) - shift).margin(1e-5));
  }
}

TEST_CASE("corrected biases leave no mean error in any layer, one without a bias gets one") {
  FloatGraph maker = two_layers();
  FloatGraph numbers(5);
  const CalibrationData data = normal_inputs(numbers, 12);
  const Quantizers quantizers = weight_quantizers(maker.graph, 3);
  const Graph before = maker.graph;
  correct_biases(maker.graph, quantizers, data, 12, 1);
  REQUIRE(maker.graph.nodes[1].inputs.size() == 3);
  FloatGraph corrected = maker;
  for (std::size_t n = 0; n < 2; ++n) {
    corrected.graph.tensor(corrected.graph.nodes[n].inputs[1]).data =
        dequantized_weights(*quantizers.weights[n]).data;
  }
  FloatGraph plain = maker;
  plain.graph = before;
  std::vector<double> shift(2, 0.0);
  for (std::int64_t i = 0; i < 12; ++i) {
    const std::vector<float> y = values_of(plain.run(data.inputs(i)));
    const std::vector<float> corrected_y = values_of(corrected.run(data.inputs(i)));
    for (std::size_t n = 0; n < 2; ++n)
      shift[n] += static_cast<double>(corrected_y[n]) - static_cast<double>(y[n]);
  }
  CHECK(shift[0] / 12.0 == Approx(0.0).margin(1e-4));
  CHECK(shift[1] / 12.0 == Approx(0.0).margin(1e-4));
}

TEST_CASE("AdaRound moves weights by a step at most, and lowers the error of what comes out") {
  const FloatGraph maker = two_layers();
  FloatGraph numbers(6);
  CalibrationData data = normal_inputs(numbers, 40);
  // Inputs around 1, as images are: errors of a row's weights add up.
  data.inputs = [inputs = data.inputs](std::int64_t item) {
    std::vector<TensorData> values = inputs(item);
    for (float& x : values[0].as<float>()) x += 1.0F;
    return values;
  };
  const Quantizers nearest = weight_quantizers(maker.graph, 3);
  const std::vector<NodeError> before = run_paired(maker.graph, maker.graph, nearest, data, 40, 1);
  Quantizers rounded = nearest;
  AdaRoundOptions options;
  options.iterations = 200;
  const std::vector<NodeError> after = round_adaptively(maker.graph, rounded, data, 40, options);
  CHECK(after[0].noise < before[0].noise);
  CHECK(after[1].noise < before[1].noise);
  int moved = 0;
  for (std::size_t n = 0; n < 2; ++n) {
    CHECK(rounded.weights[n]->quantization->scales == nearest.weights[n]->quantization->scales);
    for (std::int64_t i = 0; i < nearest.weights[n]->data->size(); ++i) {
      const std::int64_t distance =
          std::abs(rounded.weights[n]->data->at(i) - nearest.weights[n]->data->at(i));
      CHECK(distance <= 1);
      moved += static_cast<int>(distance);
    }
  }
  CHECK(moved > 0);
}

TEST_CASE("AdaRound without quantized inputs does not see quantizers before its layer, with them it gains") {
  const FloatGraph maker = two_layers();
  FloatGraph numbers(7);
  const CalibrationData data = normal_inputs(numbers, 40);
  const Quantizers fine = weight_quantizers(maker.graph, 3);
  Quantizers coarse = fine;
  // What the first layer makes in steps of 1: the second layer's inputs are far from float ones.
  Quantization steps;
  steps.bits = 8;
  steps.scales = {1.0F};
  steps.zero_points = {0};
  coarse.activations[static_cast<std::size_t>(maker.graph.nodes[0].outputs[0])] = steps;
  const auto rounded = [&](Quantizers quantizers, RoundingTarget target, double* noise = nullptr) {
    AdaRoundOptions options;
    options.iterations = 20;
    options.target = target;
    const std::vector<NodeError> errors = round_adaptively(maker.graph, quantizers, data, 40, options);
    if (noise != nullptr) *noise = errors[1].noise;
    return quantizers.weights[1]->data->bytes;
  };
  double of_layer = 0.0;
  double of_inputs = 0.0;
  CHECK(rounded(fine, RoundingTarget::layer) == rounded(coarse, RoundingTarget::layer, &of_layer));
  CHECK(rounded(fine, RoundingTarget::quantized_inputs) !=
        rounded(coarse, RoundingTarget::quantized_inputs, &of_inputs));
  CHECK(of_inputs < of_layer);
}

TEST_CASE("methods are words with + between them") {
  const QuantizationMethod method = parse_method("bias_correction+cle+mse", "--method");
  CHECK(method.equalizes);
  CHECK(method.corrects_biases);
  CHECK(method.ranges == RangeMethod::mse);
  CHECK_FALSE(method.rounds_adaptively);
  CHECK(to_string(method) == "cle+mse+bias_correction");
  CHECK(to_string(parse_method("minmax", "--method")) == "minmax");
  CHECK(to_string(parse_method("adaround_inputs+cle", "--method")) == "cle+adaround_inputs");
  const QuantizationMethod weighted = parse_method("sqnr(5)+seqmse+cross_entropy", "--method");
  CHECK(weighted.float_ranges().method == RangeMethod::sqnr);
  CHECK(weighted.float_ranges().clipping_weight == 5.0);
  CHECK(weighted.ranges_by_outputs);
  CHECK(weighted.ranges_by_entropy);
  CHECK(parse_method("sqnr", "--method").float_ranges().clipping_weight == 3.0);
  CHECK(parse_method("percentile(99.9)", "--method").float_ranges().percent == 99.9);
  CHECK(parse_method("mse+adaround(500)", "--method").rounding_steps == 500);
  CHECK(parse_method("pipeline", "--method").rounding_steps == 2000);
  for (const char* text : {"adaround(0)", "sqnr(0.5)", "sqnr()", "sqnr(3", "sqnr(3)x", "sqnr(x)", "mse(3)",
                           "percentile(101)", "mse+sqnr", "percentile+minmax"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_method(text, "--method"), InputError);
  }
  for (const char* text : {"", "mse+", "+mse", "mse++cle", "MSE", "mse,cle", "mse+mse", "minmax+mse", "magic",
                           "adaround+adaround_layer"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_method(text, "--method"), InputError);
  }
}
