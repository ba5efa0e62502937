#include <catch2/catch.hpp>

#include "base/error.h"
#include "tests/unit/workloads/onnx_writer.h"
#include "workloads/graph/layout.h"

using namespace qsim;

namespace {

std::vector<float> ramp(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i);
  return values;
}

std::vector<float> floats(const Tensor& tensor) {
  const auto values = tensor.data->as<float>();
  return {values.begin(), values.end()};
}

const Tensor& named(const Graph& graph, const std::string& name) {
  const auto found = std::find_if(graph.tensors.begin(), graph.tensors.end(),
                                  [&](const Tensor& tensor) { return tensor.name == name; });
  REQUIRE(found != graph.tensors.end());
  return *found;
}

std::string refusal(const OnnxWriter& writer, const InputShapes& shapes = {}) {
  try {
    static_cast<void>(writer.read(shapes));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// y = Conv(x, w) with x [1, 2, 5, 7] and w [4, 2, 3, 3] of the numbers 0 to 71.
OnnxWriter conv_model() {
  OnnxWriter writer;
  writer.input("x", {1, 2, 5, 7});
  writer.constant("w", {4, 2, 3, 3}, ramp(72));
  writer.node("Conv", {"x", "w"}, {"y"});
  writer.output("y");
  return writer;
}

}  // namespace

TEST_CASE("a convolution computes channels last; its tensors say how the model has them") {
  OnnxWriter writer = conv_model();
  auto& conv = *writer.graph().mutable_node(0);
  OnnxWriter::set(conv, "strides", {2, 1});
  OnnxWriter::set(conv, "pads", {1, 0, 0, 2});
  const Graph graph = writer.read();
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.semantics == Semantics::onnx);
  CHECK(graph.nodes[0].name == "n_y");
  CHECK(graph.nodes[0].place == "graph node 0 Conv \"n_y\"");
  const Tensor& x = named(graph, "x");
  CHECK(x.shape == Shape{1, 5, 7, 2});
  CHECK(x.model_axes == std::vector<int>{0, 3, 1, 2});
  // Height (5 + 1 - 3) / 2 + 1 = 2, width (7 + 2 - 3) / 1 + 1 = 7.
  CHECK(named(graph, "y").shape == Shape{1, 2, 7, 4});
  CHECK(model_shape(named(graph, "y")) == Shape{1, 4, 2, 7});
  const auto& op = std::get<Conv2dOp>(graph.nodes[0].op);
  CHECK((op.pad_top == 1 && op.pad_left == 0 && op.pad_bottom == 0 && op.pad_right == 2));
  CHECK((op.stride_h == 2 && op.stride_w == 1));
  // w[o][i][h][w] = 18 o + 9 i + 3 h + w lies at [o][h][w][i].
  const Tensor& w = named(graph, "w");
  CHECK(w.shape == Shape{4, 3, 3, 2});
  const std::vector<float> values = floats(w);
  for (int o = 0; o < 4; ++o) {
    for (int h = 0; h < 3; ++h) {
      for (int i = 0; i < 2; ++i)
        CHECK(values[static_cast<std::size_t>(((o * 3 + h) * 3 + 1) * 2 + i)] ==
              static_cast<float>(18 * o + 9 * i + 3 * h + 1));
    }
  }
}

TEST_CASE("a 1-D convolution is one of height 1") {
  OnnxWriter writer;
  writer.input("x", {1, 2, 9});
  writer.constant("w", {3, 2, 4}, ramp(24));
  OnnxWriter::set(writer.node("Conv", {"x", "w"}, {"y"}), "dilations", {2});
  writer.output("y");
  const Graph graph = writer.read();
  CHECK(named(graph, "x").shape == Shape{1, 1, 9, 2});
  CHECK(named(graph, "x").model_axes == std::vector<int>{0, 3, 2});
  CHECK(named(graph, "w").shape == Shape{3, 1, 4, 2});
  CHECK(model_shape(named(graph, "y")) == Shape{1, 3, 3});  // 9 - (3 * 2 + 1) + 1
  CHECK(std::get<Conv2dOp>(graph.nodes[0].op).dilation_w == 2);
}

TEST_CASE("elements move only where the order of dimensions shows") {
  SECTION("flattening pixels") {
    OnnxWriter writer = conv_model();
    writer.node("Flatten", {"y"}, {"f"});
    writer.graph().mutable_output(0)->set_name("f");
    const Graph graph = writer.read();
    REQUIRE(graph.nodes.size() == 3);
    CHECK(graph.nodes[1].name == "n_f#layout");
    CHECK(std::get<TransposeOp>(graph.nodes[1].op).permutation == std::vector<int>{0, 3, 1, 2});
    CHECK(std::holds_alternative<ReshapeOp>(graph.nodes[2].op));
    CHECK(named(graph, "f").shape == Shape{1, 60});
  }
  SECTION("flattening one pixel") {
    OnnxWriter writer = conv_model();
    writer.node("GlobalAveragePool", {"y"}, {"g"});
    writer.node("Flatten", {"g"}, {"f"});
    writer.graph().mutable_output(0)->set_name("f");
    const Graph graph = writer.read();
    REQUIRE(graph.nodes.size() == 3);
    CHECK(std::holds_alternative<ReshapeOp>(graph.nodes[2].op));
  }
  SECTION("a model that transposes to channels last itself") {
    OnnxWriter writer = conv_model();
    OnnxWriter::set(writer.node("Transpose", {"y"}, {"t"}), "perm", {0, 2, 3, 1});
    writer.graph().mutable_output(0)->set_name("t");
    const Graph graph = writer.read();
    REQUIRE(graph.nodes.size() == 2);
    CHECK(std::holds_alternative<ReshapeOp>(graph.nodes[1].op));
    CHECK(named(graph, "t").shape == Shape{1, 3, 5, 4});
    CHECK(named(graph, "t").model_axes.empty());
  }
  SECTION("a network without pixels") {
    OnnxWriter writer;
    writer.input("x", {1, 4, 6});
    writer.constant("w", {6, 3}, ramp(18));
    writer.node("MatMul", {"x", "w"}, {"y"});
    writer.output("y");
    const Graph graph = writer.read();
    CHECK(graph.nodes.size() == 1);
    CHECK(named(graph, "x").model_axes.empty());
    CHECK(named(graph, "w").shape == Shape{3, 6});
    CHECK(floats(named(graph, "w")) ==
          std::vector<float>{0, 3, 6, 9, 12, 15, 1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14, 17});
    CHECK(named(graph, "y").shape == Shape{1, 4, 3});
  }
}

TEST_CASE("constants of arithmetic follow the order of the activation") {
  OnnxWriter writer = conv_model();
  writer.constant("c", {4, 1, 1}, {1, 2, 3, 4});
  writer.node("Add", {"y", "c"}, {"s"});
  OnnxWriter::set(writer.node("Concat", {"s", "y"}, {"k"}), "axis", 1);
  writer.graph().mutable_output(0)->set_name("k");
  const Graph graph = writer.read();
  CHECK(named(graph, "c").shape == Shape{1, 1, 1, 4});
  CHECK(std::get<ConcatOp>(graph.nodes[2].op).axis == 3);
  CHECK(model_shape(named(graph, "k")) == Shape{1, 8, 3, 5});
}

TEST_CASE("batch norm becomes one factor and one offset a channel") {
  OnnxWriter writer = conv_model();
  writer.constant("gamma", {4}, {1, 2, 3, 4});
  writer.constant("beta", {4}, {0, 1, 0, 1});
  writer.constant("mean", {4}, {0, 0, 2, 2});
  writer.constant("var", {4}, {0.75F, 3.75F, 0.75F, 3.75F});
  OnnxWriter::set_real(writer.node("BatchNormalization", {"y", "gamma", "beta", "mean", "var"}, {"b"}),
                       "epsilon", 0.25F);
  writer.graph().mutable_output(0)->set_name("b");
  const Graph graph = writer.read();
  const Node& node = graph.nodes.at(1);
  CHECK(std::holds_alternative<BatchNormOp>(node.op));
  CHECK(floats(graph.tensor(node.inputs[1])) ==
        std::vector<float>{1, 1, 3, 2});  // gamma / sqrt(1), / sqrt(4)
  CHECK(floats(graph.tensor(node.inputs[2])) == std::vector<float>{0, 1, -6, -3});  // beta - mean * factor
}

TEST_CASE("an open first dimension is 1 unless a shape says otherwise, and a note says so") {
  OnnxWriter writer;
  writer.input("x", {-1, 2, 5, 7});
  writer.constant("w", {4, 2, 3, 3}, ramp(72));
  writer.node("Conv", {"x", "w"}, {"y"});
  writer.output("y");
  const Graph graph = writer.read();
  CHECK(model_shape(named(graph, "y")) == Shape{1, 4, 3, 5});
  REQUIRE(graph.provenance.size() == 1);
  CHECK_THAT(graph.provenance[0],
             Catch::Contains("input \"x\" leaves its first dimension open: 1 of [N,2,5,7]"));
  const Graph three = writer.read({{"x", {3, 2, 5, 7}}});
  CHECK(model_shape(named(three, "y")) == Shape{3, 4, 3, 5});
  CHECK(three.provenance.empty());
  CHECK_THAT(refusal(writer, {{"x", {3, 2, 5, 8}}}), Catch::Contains("a shape that fits [N,2,5,7]"));
  CHECK_THAT(refusal(writer, {{"z", {3, 2, 5, 7}}}), Catch::Contains("a name that no input has"));
}

TEST_CASE("any other open dimension has to be fixed, and is named with the option") {
  OnnxWriter writer;
  writer.input("x", {1, 2, -1, 7});
  writer.constant("w", {4, 2, 3, 3}, ramp(72));
  writer.node("Conv", {"x", "w"}, {"y"});
  writer.output("y");
  CHECK_THAT(refusal(writer), Catch::Contains("graph input \"x\": got open dimensions [1,2,N,7]") &&
                                  Catch::Contains("--shape x=1,2,1,7"));
}

TEST_CASE("a shape fixes the dimensions of its names in other inputs") {
  OnnxWriter writer;
  writer.input("x", {-1, 2, 5, 7});
  writer.input("x2", {1, 2, -1, 7});  // The writer's open dimensions are all named N.
  writer.node("Relu", {"x"}, {"y"});
  writer.node("Relu", {"x2"}, {"y2"});
  writer.output("y");
  writer.output("y2");
  const Graph graph = writer.read({{"x", {3, 2, 5, 7}}});
  CHECK(model_shape(named(graph, "y2")) == Shape{1, 2, 3, 7});
}

TEST_CASE("all nodes that cannot be read are named together") {
  OnnxWriter writer = conv_model();
  writer.node("NonMaxSuppression", {"y"}, {"a"});
  writer.node("Relu", {"a"}, {"b"});
  writer.node("GridSample", {"b", "b"}, {"c"});
  auto& pool = writer.node("MaxPool", {"y"}, {"p"});
  OnnxWriter::set(pool, "kernel_shape", {9, 9});
  const std::string words = refusal(writer);
  CHECK_THAT(words,
             Catch::Contains("graph node 1 NonMaxSuppression \"n_a\": got operator NonMaxSuppression"));
  CHECK_THAT(words, Catch::Contains("graph node 3 GridSample \"n_c\""));
  CHECK_THAT(
      words,
      Catch::Contains(
          "graph node 4 MaxPool \"n_p\" window: got 9 elements long, expected at most the padded input's 3"));
  CHECK_THAT(words, !Catch::Contains("Relu"));
}

TEST_CASE("nodes that do not hang together are refused with their places") {
  const auto [words, change] = GENERATE(table<std::string, std::function<void(OnnxWriter&)>>({
      {"graph node 1 Relu \"n_a\": got a cycle: 2 nodes wait for each other",
       [](auto& w) {
         w.node("Relu", {"b"}, {"a"});
         w.node("Relu", {"a"}, {"b"});
       }},
      {"input \"nothing\", which nothing makes", [](auto& w) { w.node("Relu", {"nothing"}, {"a"}); }},
      {"value \"y\", which has a source already", [](auto& w) { w.node("Relu", {"x"}, {"y"}); }},
      {"graph output \"z\": got a value that nothing makes", [](auto& w) { w.output("z"); }},
      {"graph output \"y\": got an output given twice", [](auto& w) { w.output("y"); }},
      {"opset_import: got opset 9", [](auto& w) { w.model.mutable_opset_import(0)->set_version(9); }},
      {"opset_import: got opset 22", [](auto& w) { w.model.mutable_opset_import(0)->set_version(22); }},
      {"opset_import: got none of the default domain", [](auto& w) { w.model.clear_opset_import(); }},
      {"attribute strides: got a value of another type",
       [](auto& w) { OnnxWriter::set(*w.graph().mutable_node(0), "strides", 2); }},
      {"attribute colour: got an attribute that Conv does not have here",
       [](auto& w) { OnnxWriter::set(*w.graph().mutable_node(0), "colour", 2); }},
  }));
  OnnxWriter writer = conv_model();
  change(writer);
  CHECK_THAT(refusal(writer), Catch::Contains(words));
}
