#include "quantization/quantize_graph.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "../workloads/float/float_graph.h"
#include "base/error.h"

using namespace qsim;

namespace {

CalibrationData random_inputs(const FloatGraph& maker, std::int64_t count) {
  CalibrationData data;
  data.count = count;
  data.description = "random inputs";
  const Shape shape = maker.graph.tensor(maker.graph.inputs[0]).shape;
  data.inputs = [shape](std::int64_t item) {
    FloatGraph numbers(static_cast<unsigned>(item) + 100);
    return std::vector<TensorData>{numbers.random_data(shape)};
  };
  return data;
}

/// conv -> relu6 -> average pool -> conv; added to the pool's output; concatenated with it.
FloatGraph network() {
  FloatGraph maker(3);
  const TensorId x = maker.add_input({1, 8, 8, 3});
  const TensorId conv = maker.add_node(
      Conv2dOp{}, {x, maker.add_constant({4, 3, 3, 3}), maker.add_constant({4})}, {1, 6, 6, 4});
  const TensorId relu = maker.add_node(UnaryOp{UnaryKind::relu6}, {conv}, {1, 6, 6, 4});
  Pool2dOp op;
  op.kind = PoolKind::average;
  op.kernel_h = op.kernel_w = op.stride_h = op.stride_w = 2;
  const TensorId pool = maker.add_node(op, {relu}, {1, 3, 3, 4});
  const TensorId second = maker.add_node(Conv2dOp{}, {pool, maker.add_constant({4, 1, 1, 4})}, {1, 3, 3, 4});
  const TensorId sum = maker.add_node(BinaryOp{}, {second, pool}, {1, 3, 3, 4});
  maker.add_node(ConcatOp{3}, {sum, pool}, {1, 3, 3, 8});
  return maker;
}

std::vector<double> real_values(const Graph& graph, TensorId id, const TensorData& data) {
  std::vector<double> values;
  const Quantization& q = *graph.tensor(id).quantization;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    values.push_back(static_cast<double>(q.scale()) * static_cast<double>(data.at(i) - q.zero_point()));
  }
  return values;
}

/// Mean squared difference of quantized and float outputs, over the mean square of the float outputs.
double relative_error(const FloatGraph& original, const Graph& quantized) {
  double error = 0.0;
  double energy = 0.0;
  for (unsigned item = 0; item < 5; ++item) {
    FloatGraph numbers(item + 500);
    const TensorData x = numbers.random_data(original.graph.tensor(original.graph.inputs[0]).shape);
    const TensorData expected = original.run({x});
    Executor executor(quantized);
    const Tensor& input = quantized.tensor(quantized.inputs[0]);
    TensorData integers(input.type, input.shape);
    for (std::int64_t i = 0; i < integers.size(); ++i) {
      const double q = std::nearbyint(static_cast<double>(x.as<float>()[static_cast<std::size_t>(i)]) /
                                      static_cast<double>(input.quantization->scale())) +
                       input.quantization->zero_point();
      integers.set(
          i, static_cast<std::int64_t>(std::clamp(q, static_cast<double>(input.quantization->format().min()),
                                                  static_cast<double>(input.quantization->format().max()))));
    }
    executor.set_input(quantized.inputs[0], integers);
    for (const Node& node : quantized.nodes) {
      MacContext context;
      context.accumulator.width_bits = 48;
      if (!is_float_node(quantized, node) && mac_count(quantized, node) > 0) {
        context.rounding_profile = automatic_rounding_profile(quantized, node);
      }
      executor.run_node(node, context);
    }
    const std::vector<double> actual =
        real_values(quantized, quantized.outputs[0], executor.value(quantized.outputs[0]));
    for (std::size_t i = 0; i < actual.size(); ++i) {
      const auto wanted = static_cast<double>(expected.as<float>()[i]);
      error += (actual[i] - wanted) * (actual[i] - wanted);
      energy += wanted * wanted;
    }
  }
  return error / energy;
}

Graph quantized(const FloatGraph& maker, int weights, int activations, RangeMethod ranges,
                Semantics semantics = Semantics::tflite) {
  Graph graph = maker.graph;
  graph.semantics = semantics;
  QuantizeOptions options;
  options.widths.all = {weights, activations};
  options.ranges = ranges;
  quantize_graph(graph, random_inputs(maker, 20), options);
  validate(graph);
  return graph;
}

}  // namespace

TEST_CASE("a quantized network computes about what the float network does, the closer the wider") {
  const FloatGraph maker = network();
  for (const RangeMethod ranges : {RangeMethod::min_max, RangeMethod::mse}) {
    const double w8a8 = relative_error(maker, quantized(maker, 8, 8, ranges));
    const double w4a8 = relative_error(maker, quantized(maker, 4, 8, ranges));
    const double w4a4 = relative_error(maker, quantized(maker, 4, 4, ranges));
    const double w16a16 = relative_error(maker, quantized(maker, 16, 16, ranges));
    CHECK(w16a16 < 1e-5);
    CHECK(w8a8 < 1e-3);
    CHECK(w16a16 < w8a8);
    CHECK(w8a8 < w4a8);
    CHECK(w4a8 < w4a4);
  }
}

TEST_CASE("activations have one quantizer behind the fused activation, and pooling shares it") {
  const FloatGraph maker = network();
  const Graph graph = quantized(maker, 8, 8, RangeMethod::min_max);
  REQUIRE(graph.nodes.size() == 5);  // the ReLU6 is in the convolution
  const auto grid = [&](std::size_t node) {
    return *graph.tensor(graph.nodes[node].outputs[0]).quantization;
  };
  CHECK(op_name(graph, graph.nodes[1]) == "average_pool2d");
  CHECK(grid(0).scales == grid(1).scales);
  CHECK(grid(0).zero_points == grid(1).zero_points);
  CHECK(grid(0).zero_point() == -128);  // nothing is below 0 behind a ReLU6
  CHECK(grid(0).scale() <= 6.0F / 255.0F);
  CHECK(grid(2).scales != grid(1).scales);
  CHECK(grid(3).scales != grid(2).scales);  // the sum has its own
  const Tensor& bias = graph.tensor(graph.nodes[0].inputs[2]);
  CHECK(bias.type == ElementType::i32);
  CHECK(graph.tensor(graph.nodes[0].inputs[1]).quantization->scales.size() == 4);
  CHECK(graph.provenance.front().find("min-max ranges over random inputs") != std::string::npos);
}

TEST_CASE("semantics decide between signed and unsigned activations, and 16 bits are symmetric in TFLite") {
  FloatGraph maker(2);
  const TensorId x = maker.add_input({1, 4});
  maker.add_node(FullyConnectedOp{}, {x, maker.add_constant({3, 4}), maker.add_constant({3})}, {1, 3});
  const Graph onnx = quantized(maker, 8, 8, RangeMethod::min_max, Semantics::onnx);
  CHECK(onnx.tensor(onnx.inputs[0]).type == ElementType::u8);
  const Graph wide = quantized(maker, 8, 16, RangeMethod::min_max);
  CHECK(wide.tensor(wide.inputs[0]).type == ElementType::i16);
  CHECK(wide.tensor(wide.inputs[0]).quantization->zero_point() == 0);
  CHECK(wide.tensor(wide.nodes[0].inputs[2]).type == ElementType::i64);
}

TEST_CASE("softmax makes the scale that TFLite fixes") {
  FloatGraph maker;
  maker.add_node(SoftmaxOp{}, {maker.add_input({1, 4})}, {1, 4});
  const Graph graph = quantized(maker, 8, 8, RangeMethod::min_max);
  const Quantization& y = *graph.tensor(graph.outputs[0]).quantization;
  CHECK(y.scale() == 1.0F / 256.0F);
  CHECK(y.zero_point() == -128);
}

TEST_CASE("what the chip cannot compute stays float between a dequantize and a quantize") {
  FloatGraph maker;
  const TensorId x = maker.add_input({1, 4});
  const TensorId w = maker.add_constant({4, 4});
  const TensorId a = maker.add_node(FullyConnectedOp{}, {x, w}, {1, 4});
  const TensorId b = maker.add_node(UnaryOp{UnaryKind::erf}, {a}, {1, 4});
  const TensorId c = maker.add_node(UnaryOp{UnaryKind::exp}, {b}, {1, 4});
  maker.add_node(FullyConnectedOp{}, {c, maker.add_constant({2, 4})}, {1, 2});
  const Graph graph = quantized(maker, 8, 8, RangeMethod::min_max);
  std::vector<std::string> ops;
  for (const Node& node : graph.nodes) ops.emplace_back(op_name(graph, node));
  CHECK(ops == std::vector<std::string>{"fully_connected", "dequantize", "erf", "exp", "quantize",
                                        "fully_connected"});
  CHECK(relative_error(maker, graph) < 1e-2);
}

TEST_CASE("nodes have widths of their own, and a name of no node is refused") {
  const FloatGraph maker = network();
  QuantizeOptions options;
  options.widths.nodes[maker.graph.nodes[0].name] = {4, std::nullopt};
  Graph graph = maker.graph;
  quantize_graph(graph, random_inputs(maker, 3), options);
  CHECK(graph.tensor(graph.nodes[0].inputs[1]).quantization->bits == 4);
  CHECK(graph.tensor(graph.nodes[2].inputs[1]).quantization->bits == 8);
  options.widths.nodes["nowhere"] = {4, 4};
  Graph again = maker.graph;
  CHECK_THROWS_AS(quantize_graph(again, random_inputs(maker, 3), options), InputError);
}

TEST_CASE("only graphs of floats are float graphs") {
  const FloatGraph maker = network();
  CHECK(is_float_graph(maker.graph));
  CHECK_FALSE(is_float_graph(quantized(maker, 8, 8, RangeMethod::min_max)));
}
