// Cross-layer equalization leaves a network's function alone and gives both sides of a channel one range.
#include "quantization/equalize.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "../workloads/float/float_graph.h"
#include "quantization/graph_edits.h"

using namespace qsim;

namespace {

Conv2dOp conv(Activation activation, std::int64_t groups = 1, std::int64_t padding = 0) {
  Conv2dOp op;
  op.groups = groups;
  op.activation = activation;
  op.pad_top = op.pad_bottom = op.pad_left = op.pad_right = padding;
  return op;
}

TensorData weights_of(const FloatGraph& maker, std::size_t node) {
  return *maker.graph.tensor(maker.graph.nodes[node].inputs[1]).data;
}

/// max |w| of output channel n, and of what is multiplied with input channel c of a convolution of one group.
double row_range(const TensorData& weights, std::int64_t n) {
  const std::vector<float> w = values_of(weights);
  const auto depth = static_cast<std::int64_t>(w.size()) / weights.shape[0];
  double range = 0.0;
  for (std::int64_t i = n * depth; i < (n + 1) * depth; ++i) {
    range = std::max(range, std::abs(static_cast<double>(w[static_cast<std::size_t>(i)])));
  }
  return range;
}
double column_range(const TensorData& weights, std::int64_t c, std::int64_t channels) {
  const std::vector<float> w = values_of(weights);
  double range = 0.0;
  for (std::size_t i = static_cast<std::size_t>(c); i < w.size(); i += static_cast<std::size_t>(channels)) {
    range = std::max(range, std::abs(static_cast<double>(w[i])));
  }
  return range;
}

void check_same_function(const FloatGraph& before, const FloatGraph& after, const Shape& input) {
  FloatGraph numbers(9);
  const TensorData x = numbers.random_data(input);
  const std::vector<float> expected = values_of(before.run({x}));
  const std::vector<float> actual = values_of(after.run({x}));
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(actual[i] == Approx(expected[i]).epsilon(1e-4).margin(1e-4));
  }
}

/// Convolution 3 -> 5 with bias and ReLU, maximum of 2x2, padding, convolution 5 -> 4.
FloatGraph pair_of_layers(unsigned seed, Activation activation = Activation::relu) {
  FloatGraph maker(seed);
  const TensorId x = maker.add_input({1, 6, 6, 3});
  const TensorId a = maker.add_node(
      conv(activation), {x, maker.add_constant({5, 3, 3, 3}), maker.add_constant({5})}, {1, 4, 4, 5});
  const TensorId pooled = maker.add_node(Pool2dOp{PoolKind::max, 2, 2, 2, 2, 0, 0, 0, 0}, {a}, {1, 2, 2, 5});
  maker.add_node(conv(Activation::none, 1, 1), {pooled, maker.add_constant({4, 3, 3, 5})}, {1, 2, 2, 4});
  return maker;
}

/// 1x1 convolution, depthwise 3x3, 1x1 convolution, means of channels, fully connected: MobileNet's block.
FloatGraph block(unsigned seed) {
  FloatGraph maker(seed);
  const TensorId x = maker.add_input({1, 4, 4, 3});
  const TensorId a = maker.add_node(
      conv(Activation::relu), {x, maker.add_constant({6, 1, 1, 3}), maker.add_constant({6})}, {1, 4, 4, 6});
  const TensorId b =
      maker.add_node(conv(Activation::relu, 6, 1),
                     {a, maker.add_constant({6, 3, 3, 1}), maker.add_constant({6})}, {1, 4, 4, 6});
  const TensorId c = maker.add_node(
      conv(Activation::relu), {b, maker.add_constant({4, 1, 1, 6}), maker.add_constant({4})}, {1, 4, 4, 4});
  const TensorId mean = maker.add_node(MeanOp{{1, 2}, false}, {c}, {1, 4});
  maker.add_node(FullyConnectedOp{}, {mean, maker.add_constant({2, 4})}, {1, 2});
  return maker;
}

/// Multiplies channel i between two layers by a factor: rows of the first, columns of the second.
void rescale(FloatGraph& maker, std::size_t first, std::size_t second, const std::vector<double>& factors) {
  Graph& graph = maker.graph;
  const std::size_t channels = factors.size();
  const std::span<float> w1 = graph.tensor(graph.nodes[first].inputs[1]).data->as<float>();
  for (std::size_t i = 0; i < w1.size(); ++i) w1[i] *= static_cast<float>(factors[i * channels / w1.size()]);
  const std::span<float> b1 = graph.tensor(graph.nodes[first].inputs[2]).data->as<float>();
  for (std::size_t i = 0; i < channels; ++i) b1[i] *= static_cast<float>(factors[i]);
  Tensor& second_weights = graph.tensor(graph.nodes[second].inputs[1]);
  const bool is_depthwise = second_weights.shape.back() == 1 && second_weights.shape[0] > 2;
  const std::span<float> w2 = second_weights.data->as<float>();
  for (std::size_t i = 0; i < w2.size(); ++i) {
    w2[i] /= static_cast<float>(factors[is_depthwise ? i * channels / w2.size() : i % channels]);
  }
}

}  // namespace

TEST_CASE("of two layers both ranges of a channel become the root of their product") {
  const FloatGraph before = pair_of_layers(1);
  FloatGraph after = pair_of_layers(1);
  const std::vector<EqualizedPair> pairs = equalize(after.graph);
  REQUIRE(pairs.size() == 1);
  CHECK(pairs[0].first == before.graph.nodes[0].name);
  CHECK(pairs[0].second == before.graph.nodes[2].name);
  for (std::int64_t i = 0; i < 5; ++i) {
    const double r1 = row_range(weights_of(before, 0), i);
    const double r2 = column_range(weights_of(before, 2), i, 5);
    CHECK(pairs[0].factors[static_cast<std::size_t>(i)] == Approx(std::sqrt(r1 / r2)));
    CHECK(row_range(weights_of(after, 0), i) == Approx(std::sqrt(r1 * r2)));
    CHECK(column_range(weights_of(after, 2), i, 5) == Approx(std::sqrt(r1 * r2)));
  }
  check_same_function(before, after, {1, 6, 6, 3});
}

TEST_CASE("of three layers around a depthwise one all ranges become the cube root of their product") {
  // The block without what follows its third layer, whose rows nothing scales.
  FloatGraph before = block(2);
  before.graph.nodes.resize(3);
  before.graph.outputs = {before.graph.nodes[2].outputs[0]};
  FloatGraph after = before;
  REQUIRE(equalize(after.graph).size() == 2);
  for (std::int64_t i = 0; i < 6; ++i) {
    const double r = std::cbrt(row_range(weights_of(before, 0), i) * row_range(weights_of(before, 1), i) *
                               column_range(weights_of(before, 2), i, 6));
    CHECK(row_range(weights_of(after, 0), i) == Approx(r));
    CHECK(row_range(weights_of(after, 1), i) == Approx(r));
    CHECK(column_range(weights_of(after, 2), i, 6) == Approx(r));
  }
  check_same_function(before, after, {1, 4, 4, 3});
}

TEST_CASE("however channels were scaled before, equalizing gives the same weights") {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> exponent(std::log(0.03), std::log(30.0));
  for (unsigned seed = 1; seed <= 10; ++seed) {
    FloatGraph plain = block(seed);
    FloatGraph scaled = block(seed);
    const std::vector<std::pair<std::size_t, std::size_t>> layers{{0, 1}, {1, 2}, {2, 4}};
    for (const auto& [first, second] : layers) {
      std::vector<double> factors(static_cast<std::size_t>(weights_of(plain, first).shape[0]));
      for (double& factor : factors) factor = std::exp(exponent(random));
      rescale(scaled, first, second, factors);
    }
    check_same_function(plain, scaled, {1, 4, 4, 3});
    REQUIRE(equalize(plain.graph).size() == 3);
    REQUIRE(equalize(scaled.graph).size() == 3);
    for (const std::size_t node : {0, 1, 2, 4}) {
      const std::vector<float> expected = values_of(weights_of(plain, node));
      const std::vector<float> actual = values_of(weights_of(scaled, node));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(actual[i] == Approx(expected[i]).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("a second reader, an output and ReLU6 break a chain, and its weights stay") {
  FloatGraph read_twice = pair_of_layers(4);
  read_twice.add_node(
      BinaryOp{}, {read_twice.graph.nodes[0].outputs[0], read_twice.graph.nodes[0].outputs[0]}, {1, 4, 4, 5});
  FloatGraph is_output = pair_of_layers(4);
  is_output.graph.outputs.push_back(is_output.graph.nodes[1].outputs[0]);
  FloatGraph clipped = pair_of_layers(4, Activation::relu6);
  for (FloatGraph* maker : {&read_twice, &is_output, &clipped}) {
    const std::vector<float> first = values_of(weights_of(*maker, 0));
    const std::vector<float> second = values_of(weights_of(*maker, 2));
    CHECK(equalize(maker->graph).empty());
    CHECK(values_of(weights_of(*maker, 0)) == first);
    CHECK(values_of(weights_of(*maker, 2)) == second);
  }
  CHECK(replace_relu6(clipped.graph) == 1);
  CHECK(equalize(clipped.graph).size() == 1);
}

TEST_CASE("channels without weights on either side keep their scale") {
  FloatGraph before = pair_of_layers(5);
  Tensor& weights = before.graph.tensor(before.graph.nodes[0].inputs[1]);
  for (std::size_t i = 0; i < 27; ++i) weights.data->as<float>()[i] = 0.0F;
  FloatGraph after = before;
  const std::vector<EqualizedPair> pairs = equalize(after.graph);
  REQUIRE(pairs.size() == 1);
  CHECK(pairs[0].factors[0] == 1.0);
  CHECK(pairs[0].factors[1] != 1.0);
  check_same_function(before, after, {1, 6, 6, 3});
}

TEST_CASE("channels that training left dead keep their scale, and their bias its size") {
  FloatGraph maker = pair_of_layers(31);
  TensorData& weights = *maker.graph.tensor(maker.graph.nodes[0].inputs[1]).data;
  for (std::size_t i = 0; i < 27; ++i) weights.as<float>()[i] *= 1e-30F;
  const FloatGraph before = maker;
  const float bias = before.graph.tensor(before.graph.nodes[0].inputs[2]).data->as<float>()[0];
  const std::vector<EqualizedPair> pairs = equalize(maker.graph);
  REQUIRE(pairs.size() == 1);
  CHECK(pairs[0].factors[0] == 1.0);
  CHECK(pairs[0].factors[1] != 1.0);
  CHECK(maker.graph.tensor(maker.graph.nodes[0].inputs[2]).data->as<float>()[0] == bias);
  check_same_function(before, maker, {1, 6, 6, 3});
}

TEST_CASE("channels are followed through flattening and into groups of a convolution") {
  const auto make = [] {
    FloatGraph maker(6);
    const TensorId x = maker.add_input({1, 3, 3, 2});
    const TensorId a =
        maker.add_node(conv(Activation::none), {x, maker.add_constant({4, 1, 1, 2})}, {1, 3, 3, 4});
    const TensorId b =
        maker.add_node(conv(Activation::relu, 2), {a, maker.add_constant({6, 2, 2, 2})}, {1, 2, 2, 6});
    const TensorId flat = maker.add_node(ReshapeOp{}, {b}, {1, 24});
    maker.add_node(FullyConnectedOp{}, {flat, maker.add_constant({3, 24})}, {1, 3});
    return maker;
  };
  const FloatGraph before = make();
  FloatGraph after = make();
  const std::vector<EqualizedPair> pairs = equalize(after.graph);
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0].factors.size() == 4);
  CHECK(pairs[1].factors.size() == 6);
  for (std::int64_t i = 0; i < 6; ++i) {
    CHECK(row_range(weights_of(after, 1), i) == Approx(column_range(weights_of(after, 3), i, 6)));
  }
  check_same_function(before, after, {1, 3, 3, 2});
}
