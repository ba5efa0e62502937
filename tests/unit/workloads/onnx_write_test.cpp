#include "workloads/readers/onnx/onnx_write.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "base/error.h"
#include "tests/unit/workloads/graph_maker.h"

namespace qsim {
namespace {

::onnx::ModelProto written(const Graph& graph, OnnxStyle style = OnnxStyle::qoperator) {
  validate(graph);
  const std::vector<std::byte> bytes = encode_onnx(graph, style);
  ::onnx::ModelProto model;
  REQUIRE(model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return model;
}

std::vector<std::string> operators(const ::onnx::ModelProto& model) {
  std::vector<std::string> types;
  for (const auto& node : model.graph().node()) types.push_back(node.op_type());
  return types;
}

using Words = std::vector<std::string>;

const ::onnx::NodeProto& only(const ::onnx::ModelProto& model, const std::string& type) {
  const ::onnx::NodeProto* found = nullptr;
  for (const auto& node : model.graph().node()) {
    if (node.op_type() != type) continue;
    REQUIRE(found == nullptr);
    found = &node;
  }
  REQUIRE(found != nullptr);
  return *found;
}

std::vector<std::int64_t> ints(const ::onnx::NodeProto& node, const std::string& name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return {attribute.ints().begin(), attribute.ints().end()};
  }
  return {};
}

const ::onnx::TensorProto& initializer(const ::onnx::ModelProto& model, const std::string& name) {
  for (const auto& tensor : model.graph().initializer()) {
    if (tensor.name() == name) return tensor;
  }
  throw std::out_of_range(name);
}

Shape dims(const ::onnx::TensorProto& tensor) {
  return {tensor.dims().begin(), tensor.dims().end()};
}

Shape dims(const ::onnx::ValueInfoProto& value) {
  Shape shape;
  for (const auto& dim : value.type().tensor_type().shape().dim()) shape.push_back(dim.dim_value());
  return shape;
}

/// image -> 3x2 convolution -> y, in the layout of the model.
GraphMaker conv_network(Activation activation, std::vector<int> model_axes, std::int32_t y_zero_point = 3) {
  GraphMaker maker;
  maker.graph.semantics = Semantics::onnx;
  TensorOptions weights;
  weights.scales = {0.1F, 0.2F, 0.3F, 0.4F};
  TensorOptions y_options;
  y_options.zero_points = {y_zero_point};
  const TensorId x = maker.add_input("image", {1, 5, 6, 2});
  const TensorId w = maker.add_constant("kernel", {4, 3, 2, 2}, weights);
  const TensorId y = maker.add("y", {1, 5, 3, 4}, y_options);
  for (const TensorId id : {x, y}) maker.graph.tensor(id).model_axes = model_axes;
  maker.add_node(Conv2dOp{1, 2, 1, 1, 2, 0, 1, 0, 1, activation}, {x, w, maker.add_bias(4)}, y);
  maker.graph.nodes.back().name = "conv1";
  return maker;
}

}  // namespace

TEST_CASE("a convolution of a model in NCHW is one QLinearConv under its own names") {
  const GraphMaker maker = conv_network(Activation::none, {0, 3, 1, 2});
  const ::onnx::ModelProto model = written(maker.graph);
  CHECK(operators(model) == Words{"QLinearConv"});
  const auto& conv = model.graph().node(0);
  CHECK(conv.name() == "conv1");
  CHECK(conv.input(0) == "image");
  CHECK(conv.input(3) == "kernel");
  CHECK(conv.output(0) == "y");
  CHECK(ints(conv, "pads") == std::vector<std::int64_t>{2, 1, 0, 0});  // top, left, bottom, right
  CHECK(ints(conv, "strides") == std::vector<std::int64_t>{1, 2});
  CHECK(dims(model.graph().input(0)) == Shape{1, 2, 5, 6});
  CHECK(dims(model.graph().output(0)) == Shape{1, 4, 5, 3});
  const auto& kernel = initializer(model, "kernel");
  CHECK(dims(kernel) == Shape{4, 2, 3, 2});
  // [n][c][kh][kw] of the file is [n][kh][kw][c] of the graph.
  const TensorData& data = *maker.graph.tensor(1).data;
  for (std::int64_t n = 0; n < 4; ++n) {
    for (std::int64_t c = 0; c < 2; ++c) {
      for (std::int64_t tap = 0; tap < 6; ++tap) {
        const char byte = kernel.raw_data()[static_cast<std::size_t>((n * 2 + c) * 6 + tap)];
        CHECK(static_cast<std::int8_t>(byte) == data.at((n * 6 + tap) * 2 + c));
      }
    }
  }
  CHECK(dims(initializer(model, conv.input(4))) == Shape{4});
  CHECK(initializer(model, conv.input(8)).data_type() == ::onnx::TensorProto::INT32);
}

TEST_CASE("a model in NHWC keeps its inputs and outputs and is turned inside") {
  const ::onnx::ModelProto model = written(conv_network(Activation::none, {}).graph);
  CHECK(operators(model) == Words{"Transpose", "QLinearConv", "Transpose"});
  CHECK(ints(model.graph().node(0), "perm") == std::vector<std::int64_t>{0, 3, 1, 2});
  CHECK(ints(model.graph().node(2), "perm") == std::vector<std::int64_t>{0, 2, 3, 1});
  CHECK(dims(model.graph().input(0)) == Shape{1, 5, 6, 2});
  CHECK(model.graph().output(0).name() == "y");
  CHECK(model.graph().node(2).output(0) == "y");
}

TEST_CASE("a fused activation is a clip of integers, unless the type's limits say the same") {
  const ::onnx::ModelProto clipped = written(conv_network(Activation::relu, {0, 3, 1, 2}).graph);
  CHECK(operators(clipped) == Words{"QLinearConv", "Clip"});
  const auto& clip = only(clipped, "Clip");
  CHECK(clip.output(0) == "y");
  CHECK(static_cast<std::int8_t>(initializer(clipped, clip.input(1)).raw_data()[0]) == 3);
  CHECK(operators(written(conv_network(Activation::relu, {0, 3, 1, 2}, -128).graph)) == Words{"QLinearConv"});
}

TEST_CASE("QDQ has conversions around a float operator, weights and bias included") {
  const ::onnx::ModelProto model =
      written(conv_network(Activation::none, {0, 3, 1, 2}).graph, OnnxStyle::qdq);
  Words types = operators(model);
  CHECK(types.back() == "QuantizeLinear");
  std::sort(types.begin(), types.end());
  CHECK(types == Words{"Conv", "DequantizeLinear", "DequantizeLinear", "DequantizeLinear", "QuantizeLinear"});
  CHECK(only(model, "QuantizeLinear").output(0) == "y");
  // The weights' scales run along their first dimension.
  for (const auto& node : model.graph().node()) {
    if (node.op_type() != "DequantizeLinear" || node.input(0) != "kernel") continue;
    REQUIRE(node.attribute_size() == 1);
    CHECK(node.attribute(0).name() == "axis");
    CHECK(node.attribute(0).i() == 0);
  }
}

TEST_CASE("the file says which operator sets it needs") {
  const ::onnx::ModelProto model = written(conv_network(Activation::none, {}).graph);
  CHECK(model.ir_version() == 10);
  REQUIRE(model.opset_import_size() == 2);
  CHECK(model.opset_import(0).version() == 21);
  CHECK(model.opset_import(1).domain() == "com.microsoft");
}

TEST_CASE("helpers' names make way for the graph's") {
  GraphMaker maker;
  maker.graph.semantics = Semantics::onnx;
  const TensorId x = maker.add_input("x", {2, 3});
  const TensorId taken = maker.add("x#scale", {2, 3});
  maker.add_node(UnaryOp{UnaryKind::leaky_relu, 0.1F}, {x}, taken);
  const ::onnx::ModelProto model = written(maker.graph);
  CHECK(only(model, "QLinearLeakyRelu").output(0) == "x#scale");
  CHECK(only(model, "QLinearLeakyRelu").input(1) == "x#scale#2");
}

TEST_CASE("an operand of fewer dimensions is brought to the layout of the result") {
  GraphMaker maker = conv_network(Activation::none, {});
  const TensorId z = maker.add("z", {1, 5, 3, 4});
  const TensorId row = maker.add_constant("row", {3, 4});
  maker.add_node(BinaryOp{}, {maker.graph.nodes[0].outputs[0], row}, z);
  const ::onnx::ModelProto model = written(maker.graph);
  // [w][c] becomes [1][c][1][w].
  CHECK(dims(initializer(model, "row")) == Shape{1, 4, 1, 3});
  CHECK(only(model, "QLinearAdd").input(3) == "row");
}

TEST_CASE("what ONNX cannot say is noted, or refused with every node") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 3, 3, 2});
  const TensorId w = maker.add_constant("w", {2, 1, 1, 2});
  const TensorId y = maker.add("y", {1, 9, 9, 2});
  const TensorId z = maker.add("z", {1, 40, 41, 2});
  maker.add_node(TransposeConv2dOp{3, 3, 0, 0, Activation::none}, {x, w, kNoTensor}, y);
  maker.add_node(TransposeConv2dOp{4, 4, 0, 0, Activation::none}, {y, w, kNoTensor}, z);
  // 2 * 3 + 1 = 7 rows are reached, 9 wanted: 2 rows, less than the stride. 8 * 4 + 1 = 33, 40 wanted: too
  // many.
  try {
    static_cast<void>(encode_onnx(maker.graph, OnnxStyle::qoperator));
    FAIL("not refused");
  } catch (const InputError& error) {
    REQUIRE(error.problems().size() == 1);
    CHECK_THAT(error.what(), Catch::Contains("layers[1]") && Catch::Contains("output_padding"));
  }
  CHECK(onnx_conversion_notes(maker.graph).size() == 1);
  maker.graph.semantics = Semantics::onnx;
  CHECK(onnx_conversion_notes(maker.graph).empty());
  maker.graph.rounding_profile = arithmetic::RoundingProfile::power_of_two;
  CHECK_THAT(onnx_conversion_notes(maker.graph).at(0), Catch::Contains("power_of_two"));
}

}  // namespace qsim
