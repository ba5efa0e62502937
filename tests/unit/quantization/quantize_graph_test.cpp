#include "quantization/quantize_graph.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "../workloads/float/float_graph.h"
#include "base/error.h"
#include "quantization/requantize_graph.h"

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
  options.scheme.weights.bits = weights;
  options.scheme.activations.bits = activations;
  options.method.ranges = ranges;
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

TEST_CASE("a function that the requantizer cannot apply has a quantizer before it and one behind it") {
  const auto network_with = [](UnaryKind kind) {
    FloatGraph maker(6);
    const TensorId x = maker.add_input({1, 4});
    const TensorId a = maker.add_node(FullyConnectedOp{}, {x, maker.add_constant({64, 4})}, {1, 64});
    maker.add_node(UnaryOp{kind}, {a}, {1, 64});
    return maker;
  };
  CHECK(quantized(network_with(UnaryKind::relu), 8, 4, RangeMethod::min_max).nodes.size() == 1);
  const Graph graph =
      quantized(network_with(UnaryKind::hard_swish), 8, 4, RangeMethod::min_max, Semantics::onnx);
  REQUIRE(graph.nodes.size() == 2);
  const TensorId before = graph.nodes[0].outputs[0];
  const TensorId behind = graph.nodes[1].outputs[0];
  const Quantization& x = *graph.tensor(before).quantization;
  const Quantization& y = *graph.tensor(behind).quantization;
  CHECK(x.zero_point() > 4);  // sums of both signs
  CHECK(y.zero_point() < 3);  // hard-swish is above -0.375
  Executor executor(graph);
  TensorData input(graph.tensor(graph.inputs[0]).type, {1, 4});
  for (std::int64_t i = 0; i < 4; ++i) input.set(i, 3 + 3 * i);
  executor.set_input(graph.inputs[0], input);
  for (const Node& node : graph.nodes) executor.run_node(node, {});
  for (std::int64_t i = 0; i < 64; ++i) {
    // The second quantizer sees what the first left: x^ = s (q - z), y = x^ min(max(x^ + 3, 0), 6) / 6.
    const double real =
        static_cast<double>(x.scale()) * static_cast<double>(executor.value(before).at(i) - x.zero_point());
    const double made = real * std::min(std::max(real + 3.0, 0.0), 6.0) / 6.0;
    const double expected =
        std::clamp(std::nearbyint(made / static_cast<double>(y.scale())) + y.zero_point(), 0.0, 15.0);
    CHECK(static_cast<double>(executor.value(behind).at(i)) == expected);
  }
}

TEST_CASE("means have a grid of their own in ONNX, narrower than that of what they are of") {
  FloatGraph maker(2);
  const TensorId x = maker.add_input({1, 4, 4, 3});
  const Pool2dOp pool{PoolKind::average, 4, 4, 1, 1, 0, 0, 0, 0};
  const TensorId pooled = maker.add_node(pool, {x}, {1, 1, 1, 3});
  maker.add_node(FullyConnectedOp{}, {pooled, maker.add_constant({4, 3})}, {1, 4});
  const auto scales = [&](Semantics semantics) {
    const Graph graph = quantized(maker, 8, 8, RangeMethod::min_max, semantics);
    return std::pair{graph.tensor(graph.inputs[0]).quantization->scale(),
                     graph.tensor(graph.nodes[0].outputs[0]).quantization->scale()};
  };
  // Values in [-1, 1) have means of 16 with a deviation of 1 / sqrt(3 * 16) = 0.14.
  const auto [of_values, of_means] = scales(Semantics::onnx);
  CHECK(of_means < 0.8F * of_values);
  const auto [of_values_too, kept] = scales(Semantics::tflite);
  CHECK(kept == of_values_too);
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
  options.scheme.layers[maker.graph.nodes[0].name].weight_bits = 4;
  Graph graph = maker.graph;
  quantize_graph(graph, random_inputs(maker, 3), options);
  CHECK(graph.tensor(graph.nodes[0].inputs[1]).quantization->bits == 4);
  CHECK(graph.tensor(graph.nodes[2].inputs[1]).quantization->bits == 8);
  options.scheme.layers["nowhere"].weight_bits = 4;
  Graph again = maker.graph;
  CHECK_THROWS_AS(quantize_graph(again, random_inputs(maker, 3), options), InputError);
}

TEST_CASE("only graphs of floats are float graphs") {
  const FloatGraph maker = network();
  CHECK(is_float_graph(maker.graph));
  CHECK_FALSE(is_float_graph(quantized(maker, 8, 8, RangeMethod::min_max)));
}

namespace {

bool is_power_of_two(float scale) {
  int exponent = 0;
  return std::frexp(scale, &exponent) == 0.5F;
}

Graph with_scheme(const FloatGraph& maker, const std::string& scheme, Semantics semantics) {
  Graph graph = maker.graph;
  graph.semantics = semantics;
  QuantizeOptions options;
  options.scheme = parse_scheme(scheme);
  quantize_graph(graph, random_inputs(maker, 20), options);
  validate(graph);
  return graph;
}

}  // namespace

TEST_CASE("every scheme computes about what the float network does") {
  const FloatGraph maker = network();
  for (const Semantics semantics : {Semantics::onnx, Semantics::tflite}) {
    for (const char* scheme :
         {"w8a8:weights=per_tensor", "w8a8:weights=asymmetric", "w8a8:weights=per_tensor,asymmetric",
          "w8a8:activations=symmetric", "w8a8:activations=symmetric,signed", "w8a8:activations=unsigned",
          "w8a8:scales=power_of_two", "w8a8:weights=asymmetric;activations=symmetric;scales=power_of_two"}) {
      INFO(scheme);
      CHECK(relative_error(maker, with_scheme(maker, scheme, semantics)) < 3e-3);
    }
  }
}

TEST_CASE("schemes that share what was observed get what each of them gets alone") {
  FloatGraph maker = network();
  maker.graph.semantics = Semantics::onnx;
  const ObservedGraph observed = observe_graph(maker.graph, random_inputs(maker, 20), {}, true, 1);
  for (const char* scheme : {"w8a8", "w4a6:weights=per_tensor,asymmetric", "w8a8:scales=power_of_two"}) {
    INFO(scheme);
    QuantizeOptions options;
    options.scheme = parse_scheme(scheme);
    const Graph shared = quantize_observed(observed, options);
    const Graph alone = with_scheme(maker, scheme, Semantics::onnx);
    REQUIRE(shared.tensors.size() == alone.tensors.size());
    for (std::size_t i = 0; i < alone.tensors.size(); ++i) {
      const Tensor& one = shared.tensors[i];
      const Tensor& other = alone.tensors[i];
      REQUIRE(one.quantization.has_value() == other.quantization.has_value());
      if (one.quantization) {
        CHECK(one.quantization->scales == other.quantization->scales);
        CHECK(one.quantization->zero_points == other.quantization->zero_points);
      }
      REQUIRE(one.is_constant() == other.is_constant());
      if (one.is_constant()) CHECK(one.data->bytes == other.data->bytes);
    }
    CHECK(shared.provenance == alone.provenance);
  }
}

TEST_CASE("a power-of-two scheme has no other scale, and its rows shift") {
  for (const Semantics semantics : {Semantics::onnx, Semantics::tflite}) {
    const Graph graph = with_scheme(network(), "w6a8:scales=power_of_two", semantics);
    CHECK(graph.rounding_profile == arithmetic::RoundingProfile::power_of_two);
    for (const Tensor& tensor : graph.tensors) {
      if (!tensor.quantization || tensor.quantization->bits > 16) continue;
      for (const float scale : tensor.quantization->scales) CHECK(is_power_of_two(scale));
    }
  }
  CHECK_FALSE(with_scheme(network(), "w6a8", Semantics::onnx).rounding_profile);
}

TEST_CASE("activations of one bit are unsigned") {
  const Graph graph = with_scheme(network(), "w8a1", Semantics::tflite);
  for (const TensorId id : graph.inputs) {
    CHECK(graph.tensor(id).type == ElementType::u8);
    CHECK(graph.tensor(id).quantization->bits == 1);
  }
}

TEST_CASE("what no arithmetic has is refused with its place") {
  const auto problems = [](const std::string& scheme, Semantics semantics) {
    try {
      with_scheme(network(), scheme, semantics);
    } catch (const InputError& error) {
      return error.problems();
    }
    return std::vector<Problem>{};
  };
  CHECK(problems("w8a1:activations=signed", Semantics::onnx).at(0).place == "activations");
  CHECK(problems("w8a16:activations=asymmetric", Semantics::tflite).at(0).place == "activations");
  CHECK(problems("w8a16:activations=asymmetric", Semantics::onnx).empty());
  CHECK(problems("w4a8:format=mxint", Semantics::onnx).at(0).place == "bits");
  CHECK(problems("w8a8:format=mxint;weights=asymmetric", Semantics::onnx).at(0).place == "weights");
  CHECK(problems("w8a8:format=mxint", Semantics::onnx).empty());
}

TEST_CASE("a network that is quantized already gets a scheme from its dequantized weights") {
  const FloatGraph maker = network();
  Graph graph = with_scheme(maker, "w16a16", Semantics::onnx);
  const Graph before = graph;
  requantize_graph(graph, parse_scheme("w8a8:weights=asymmetric"), RangeMethod::min_max);
  validate(graph);
  CHECK(relative_error(maker, graph) < 3e-3);
  const TensorId w = graph.nodes[0].inputs[1];
  CHECK(graph.tensor(w).quantization->bits == 8);
  // Real weights differ by half a step at most.
  const Quantization& q = *graph.tensor(w).quantization;
  const Quantization& old = *before.tensor(w).quantization;
  const std::int64_t depth = graph.tensor(w).data->size() / 4;
  for (std::int64_t i = 0; i < graph.tensor(w).data->size(); ++i) {
    const std::int64_t n = i / depth;
    const double now =
        static_cast<double>(q.scale(n)) * static_cast<double>(graph.tensor(w).data->at(i) - q.zero_point(n));
    const double then = static_cast<double>(old.scale(n)) * static_cast<double>(before.tensor(w).data->at(i));
    CHECK(std::abs(now - then) <= 0.51 * static_cast<double>(q.scale(n)));
  }
  CHECK(graph.provenance.back().find("w = s (q - z)") != std::string::npos);
  Graph shifted = before;
  requantize_graph(shifted, parse_scheme("w8a8:scales=power_of_two"), RangeMethod::min_max);
  validate(shifted);
  CHECK(shifted.rounding_profile == arithmetic::RoundingProfile::power_of_two);
  CHECK(relative_error(maker, shifted) < 1e-2);
}
