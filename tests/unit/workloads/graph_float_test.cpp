// Float nodes: what is valid, and that the chip says what it cannot compute.
#include <catch2/catch.hpp>

#include "base/error.h"
#include "tests/unit/workloads/graph_maker.h"
#include "workloads/graph/chip_support.h"

using namespace qsim;

namespace {

TensorId add_float(GraphMaker& maker, const std::string& name, Shape shape, bool is_constant = false) {
  Tensor tensor;
  tensor.name = name;
  tensor.type = ElementType::f32;
  tensor.shape = shape;
  if (is_constant) tensor.data = TensorData(ElementType::f32, shape);
  maker.graph.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(maker.graph.tensors.size() - 1);
}

std::string float_problems_of(const Graph& graph) {
  try {
    validate(graph);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

struct FloatCase {
  std::string name;
  Op op;
  std::vector<Shape> inputs;
  std::size_t first_constant;  ///< Inputs from here on are constants.
  Shape output;
};

const std::vector<FloatCase>& float_cases() {
  static const std::vector<FloatCase> cases{
      {"conv2d", Conv2dOp{}, {{1, 4, 4, 3}, {6, 1, 1, 3}, {6}}, 1, {1, 4, 4, 6}},
      {"fully_connected", FullyConnectedOp{}, {{2, 3}, {5, 3}, {5}}, 1, {2, 5}},
      {"matmul", MatMulOp{}, {{2, 3, 4}, {4, 5}}, 9, {2, 3, 5}},
      {"pow", BinaryOp{BinaryKind::pow}, {{2, 3}, {1}}, 1, {2, 3}},
      {"average_pool2d", Pool2dOp{PoolKind::average, 2, 2}, {{1, 4, 4, 3}}, 9, {1, 3, 3, 3}},
      {"mean", MeanOp{{1}, true}, {{2, 3}}, 9, {2, 1}},
      {"transpose", TransposeOp{{1, 0}}, {{2, 3}}, 9, {3, 2}},
      {"softmax", SoftmaxOp{}, {{2, 3}}, 9, {2, 3}},
      {"gelu", UnaryOp{UnaryKind::gelu}, {{2, 3}}, 9, {2, 3}},
      {"softplus", UnaryOp{UnaryKind::softplus}, {{2, 3}}, 9, {2, 3}},
      {"prelu", PReluOp{}, {{2, 4, 4, 3}, {3}}, 1, {2, 4, 4, 3}},
      {"batch_norm", BatchNormOp{}, {{2, 4, 4, 3}, {3}, {3}}, 1, {2, 4, 4, 3}},
      {"layer_norm", LayerNormOp{}, {{2, 7, 3}, {3}, {3}}, 1, {2, 7, 3}},
      {"resize_nearest", ResizeOp{}, {{1, 2, 2, 3}}, 9, {1, 4, 6, 3}}};
  return cases;
}

GraphMaker graph_of(const FloatCase& c) {
  GraphMaker maker;
  std::vector<TensorId> inputs;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    inputs.push_back(add_float(maker, "x" + std::to_string(i), c.inputs[i], i >= c.first_constant));
    if (i < c.first_constant) maker.graph.inputs.push_back(inputs.back());
  }
  maker.add_node(c.op, inputs, add_float(maker, "y", c.output));
  return maker;
}

}  // namespace

TEST_CASE("a float node is valid, and the chip leaves it to the host") {
  for (const FloatCase& c : float_cases()) {
    INFO(c.name);
    const GraphMaker maker = graph_of(c);
    CHECK(float_problems_of(maker.graph).empty());
    CHECK(op_name(maker.graph, maker.graph.nodes[0]) == c.name);
    CHECK(is_float_node(maker.graph, maker.graph.nodes[0]));
    CHECK(chip_obstacle(maker.graph, maker.graph.nodes[0]).empty());
  }
}

TEST_CASE("an output of another shape is refused") {
  for (FloatCase c : float_cases()) {
    INFO(c.name);
    c.output.back() += 1;
    CHECK(float_problems_of(graph_of(c).graph).find('y') != std::string::npos);
  }
}

TEST_CASE("the activations of a node are all float or all quantized") {
  for (const FloatCase& c : float_cases()) {
    INFO(c.name);
    GraphMaker maker = graph_of(c);
    Tensor& output = maker.graph.tensor(maker.graph.outputs[0]);
    output.type = ElementType::i8;
    output.quantization = Quantization{};
    CHECK_FALSE(float_problems_of(maker.graph).empty());
  }
  GraphMaker maker;
  const TensorId a = maker.add_input("a", {2, 3});
  const TensorId b = add_float(maker, "b", {2, 3});
  maker.graph.inputs.push_back(b);
  maker.add_node(BinaryOp{}, {b, a}, add_float(maker, "y", {2, 3}));
  CHECK_THAT(float_problems_of(maker.graph),
             Catch::Contains("tensor \"a\"") && Catch::Contains("F32, as the node's"));
}

TEST_CASE("quantize and dequantize stand at the boundary") {
  GraphMaker maker;
  const TensorId real = add_float(maker, "real", {2, 3});
  maker.graph.inputs.push_back(real);
  const TensorId integer = maker.add("integer", {2, 3});
  maker.add_node(QuantizeOp{}, {real}, integer);
  maker.add_node(DequantizeOp{}, {integer}, add_float(maker, "y", {2, 3}));
  CHECK(float_problems_of(maker.graph).empty());
  for (const Node& node : maker.graph.nodes) CHECK_FALSE(is_float_node(maker.graph, node));
  for (const Node& node : maker.graph.nodes) CHECK(chip_obstacle(maker.graph, node).empty());
}

TEST_CASE("integers of a dynamic quantization are stored at scale 1, by the host") {
  const auto graph_with = [](const Quantization& stored) {
    GraphMaker maker;
    const TensorId real = add_float(maker, "real", {2, 3});
    maker.graph.inputs.push_back(real);
    const TensorId q = maker.add("q", {2, 3});
    maker.graph.tensor(q).quantization = stored;
    maker.graph.tensor(q).type = ElementType::u8;
    maker.add_node(DynamicQuantizeOp{}, {real}, q);
    return maker.graph;
  };
  const Graph graph = graph_with({8, false, {1.0F}, {0}, -1, 0});
  CHECK(float_problems_of(graph).empty());
  CHECK(op_name(graph, graph.nodes[0]) == "dynamic_quantize");
  CHECK(is_float_node(graph, graph.nodes[0]));
  CHECK_THAT(float_problems_of(graph_with({8, false, {0.5F}, {0}, -1, 0})),
             Catch::Contains("scale 1 and zero point 0"));
  CHECK_THAT(float_problems_of(graph_with({8, false, {1.0F}, {3}, -1, 0})),
             Catch::Contains("scale 1 and zero point 0"));
  CHECK_THAT(float_problems_of(graph_with({4, false, {1.0F}, {0}, -1, 0})),
             Catch::Contains("8 unsigned bits"));
}

TEST_CASE("operations without integer arithmetic want float tensors") {
  for (const Op& op : std::vector<Op>{UnaryOp{UnaryKind::erf}, UnaryOp{UnaryKind::softplus}}) {
    GraphMaker maker;
    const TensorId x = maker.add_input("x", {2, 3});
    maker.add_node(op, {x}, maker.add("y", {2, 3}));
    CHECK(float_problems_of(maker.graph).find("float tensors") != std::string::npos);
  }
  for (const BinaryKind kind : {BinaryKind::div, BinaryKind::pow}) {
    GraphMaker maker;
    const TensorId x = maker.add_input("x", {2, 3});
    maker.add_node(BinaryOp{kind}, {x, x}, maker.add("y", {2, 3}));
    CHECK(float_problems_of(maker.graph).find("float tensors") != std::string::npos);
  }
}

TEST_CASE("multiply-accumulates of a product of activations are outputs times the reduced dimension") {
  const GraphMaker maker = graph_of({"matmul", MatMulOp{true}, {{2, 3, 4}, {1, 5, 4}}, 9, {2, 3, 5}});
  CHECK(float_problems_of(maker.graph).empty());
  CHECK(mac_count(maker.graph, maker.graph.nodes[0]) == (2 * 3 * 5) * 4);
}
