// Quantized ONNX models: operators with scales among their inputs, and groups of DequantizeLinear ..
// QuantizeLinear.
#include <catch2/catch.hpp>

#include "base/error.h"
#include "tests/unit/workloads/onnx_writer.h"
#include "workloads/graph/layout.h"

using namespace qsim;

namespace {

constexpr int kInt8 = ::onnx::TensorProto::INT8;
constexpr int kUint8 = ::onnx::TensorProto::UINT8;
constexpr int kInt32 = ::onnx::TensorProto::INT32;
constexpr int kInt4 = 22;

const Tensor& named(const Graph& graph, const std::string& name) {
  const auto found = std::find_if(graph.tensors.begin(), graph.tensors.end(),
                                  [&](const Tensor& tensor) { return tensor.name == name; });
  REQUIRE(found != graph.tensors.end());
  return *found;
}

std::string refusal(const OnnxWriter& writer) {
  try {
    static_cast<void>(writer.read());
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// "NAME_scale" and "NAME_zero" for a tensor.
void parameters(OnnxWriter& w, const std::string& name, float scale, std::int64_t zero_point,
                int type = kUint8) {
  w.constant(name + "_scale", {}, {scale});
  w.integers(name + "_zero", {}, {zero_point}, type);
}

std::vector<std::string> with_parameters(const std::string& name) {
  return {name, name + "_scale", name + "_zero"};
}

void quantize(OnnxWriter& w, const std::string& real, const std::string& name) {
  w.node("QuantizeLinear", {real, name + "_scale", name + "_zero"}, {name});
}

void dequantize(OnnxWriter& w, const std::string& name, const std::string& real) {
  w.node("DequantizeLinear", with_parameters(name), {real});
}

/// x -> QuantizeLinear -> DequantizeLinear -> Conv (per-channel weights, int32 bias) -> `middle` ->
/// QuantizeLinear -> DequantizeLinear -> y
template <typename Middle>
OnnxWriter qdq_model(const Middle& middle) {
  OnnxWriter w;
  w.input("x", {1, 2, 4, 4});
  parameters(w, "q", 0.5F, 128);
  parameters(w, "r", 0.25F, 3);
  w.integers("w", {3, 2, 1, 1}, {1, 2, 3, 4, 5, 6}, kInt8);
  w.constant("w_scale", {3}, {0.5F, 1.0F, 2.0F});
  w.integers("w_zero", {3}, {0, 0, 0}, kInt8);
  w.integers("b", {3}, {10, 20, 30}, kInt32);
  w.constant("b_scale", {3}, {0.25F, 0.5F, 1.0F});
  w.integers("b_zero", {3}, {0, 0, 0}, kInt32);
  quantize(w, "x", "q");
  dequantize(w, "q", "xd");
  OnnxWriter::set(w.node("DequantizeLinear", with_parameters("w"), {"wd"}), "axis", 0);
  OnnxWriter::set(w.node("DequantizeLinear", with_parameters("b"), {"bd"}), "axis", 0);
  w.node("Conv", {"xd", "wd", "bd"}, {"c"});
  quantize(w, middle(w), "r");
  dequantize(w, "r", "y");
  w.output("y");
  return w;
}

}  // namespace

TEST_CASE("QLinearConv carries its scales: weights per channel, activations per tensor") {
  OnnxWriter w;
  w.input("x", {1, 2, 4, 4}, kUint8);
  parameters(w, "x", 0.5F, 7);
  w.integers("w", {3, 2, 1, 1}, {1, 2, 3, 4, 5, 6}, kInt8);
  w.constant("w_scale", {3}, {0.5F, 1.0F, 2.0F});
  w.integers("w_zero", {1}, {0}, kInt8);
  parameters(w, "y", 0.25F, 9);
  w.integers("b", {3}, {10, 20, 30}, kInt32);
  w.node("QLinearConv", {"x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero", "b"},
         {"y"});
  w.output("y");
  const Graph graph = w.read();
  REQUIRE(graph.nodes.size() == 1);
  const Tensor& x = named(graph, "x");
  CHECK((x.type == ElementType::u8 && x.quantization->scale() == 0.5F && x.quantization->zero_point() == 7));
  const Tensor& weights = named(graph, "w");
  CHECK((weights.quantization->axis == 0 &&
         weights.quantization->scales == std::vector<float>{0.5F, 1.0F, 2.0F}));
  const Tensor& y = named(graph, "y");
  CHECK(
      (y.quantization->scale() == 0.25F && y.quantization->zero_point() == 9 && !y.quantization->is_signed));
  const Tensor& bias = named(graph, "b");
  CHECK(bias.data->at(2) == 30);
  CHECK(bias.quantization->scales == std::vector<float>{0.25F, 0.5F, 1.0F});  // s_x * s_w
}

TEST_CASE("a group of DequantizeLinear, Conv and QuantizeLinear is one integer convolution") {
  const Graph graph = qdq_model([](OnnxWriter&) { return "c"; }).read();
  REQUIRE(graph.nodes.size() == 3);
  CHECK(std::holds_alternative<QuantizeOp>(graph.nodes[0].op));
  CHECK(graph.nodes[1].name == "n_c");
  CHECK(graph.nodes[1].place == "graph node 4 Conv \"n_c\" with n_xd, n_wd, n_bd, n_r");
  CHECK(std::holds_alternative<DequantizeOp>(graph.nodes[2].op));
  CHECK(named(graph, "r").quantization->scale() == 0.25F);
  CHECK(graph.tensor(graph.outputs[0]).name == "y");
  for (const Tensor& tensor : graph.tensors) CHECK(tensor.name != "c");  // The float between does not exist.
  CHECK(graph.folded_nodes == std::vector<std::string>{"n_xd", "n_wd", "n_bd", "n_r"});
}

TEST_CASE("Relu and Clip between an operator and its QuantizeLinear become its activation") {
  const auto activation = [](const OnnxWriter& w) {
    const Graph graph = w.read();
    REQUIRE(graph.nodes.size() == 3);
    return std::get<Conv2dOp>(graph.nodes[1].op).activation;
  };
  CHECK(activation(qdq_model([](OnnxWriter& w) {
          w.node("Relu", {"c"}, {"a"});
          return "a";
        })) == Activation::relu);
  CHECK(activation(qdq_model([](OnnxWriter& w) {
          w.constant("low", {}, {0.0F});
          w.constant("high", {}, {6.0F});
          w.node("Clip", {"c", "low", "high"}, {"a"});
          return "a";
        })) == Activation::relu6);
}

TEST_CASE("a float that others use stays one, with conversions around it") {
  SECTION("the convolution's result is an output too") {
    OnnxWriter w = qdq_model([](OnnxWriter&) { return "c"; });
    w.output("c");
    const Graph graph = w.read();
    REQUIRE(graph.nodes.size() == 5);
    CHECK(std::holds_alternative<DequantizeOp>(graph.nodes[1].op));
    CHECK(is_float_node(graph, graph.nodes[2]));
    CHECK(named(graph, "wd").data->as<float>()[5] == 12.0F);  // 6 * 2.0
  }
  SECTION("an operator that is no integer one on any chip") {
    const Graph graph = qdq_model([](OnnxWriter& w) {
                          w.node("Exp", {"c"}, {"e"});
                          return "e";
                        }).read();
    CHECK(graph.nodes.size() == 6);
  }
}

TEST_CASE("a float bias is rounded to 32 bits at the product of the scales") {
  OnnxWriter w = qdq_model([](OnnxWriter&) { return "c"; });
  w.constant("real_bias", {3}, {1.0F, -0.3F, 7.6F});
  w.graph().mutable_node(4)->set_input(2, "real_bias");
  const Tensor bias = named(w.read(), "real_bias");
  // 1 / (0.5 * 0.5) = 4, -0.3 / (0.5 * 1) = -0.6 -> -1, 7.6 / (0.5 * 2) = 7.6 -> 8
  CHECK((bias.data->at(0) == 4 && bias.data->at(1) == -1 && bias.data->at(2) == 8));
}

TEST_CASE("a bias of 8 bits leaves its convolution a float one, as in ONNX Runtime") {
  OnnxWriter w = qdq_model([](OnnxWriter&) { return "c"; });
  w.integers("narrow_bias", {3}, {1, 2, 3}, kUint8);
  parameters(w, "narrow", 0.5F, 1);
  w.node("DequantizeLinear", {"narrow_bias", "narrow_scale", "narrow_zero"}, {"narrow_real"});
  w.graph().mutable_node(4)->set_input(2, "narrow_real");
  const Graph graph = w.read();
  REQUIRE(graph.nodes.size() == 5);
  CHECK(is_float_node(graph, graph.nodes[2]));
  CHECK(named(graph, "narrow_real").data->as<float>()[2] == 1.0F);  // (3 - 1) * 0.5
}

TEST_CASE("integers that an operator reads at another scale than they were written are named so") {
  OnnxWriter w;
  w.input("x", {1, 8}, kUint8);
  parameters(w, "x", 0.5F, 7);
  parameters(w, "z", 0.25F, 8);
  parameters(w, "y", 0.125F, 9);
  w.node("QLinearSigmoid", {"x", "x_scale", "x_zero", "y_scale", "y_zero"}, {"s"}, "com.microsoft");
  w.node("QLinearSigmoid", {"s", "z_scale", "z_zero", "y_scale", "y_zero"}, {"t"}, "com.microsoft");
  w.import("com.microsoft", 1);
  w.output("t");
  const Graph graph = w.read();
  REQUIRE(graph.nodes.size() == 3);
  CHECK(graph.nodes[1].name == "n_t#scale");
  CHECK(std::holds_alternative<ReshapeOp>(graph.nodes[1].op));
  CHECK(graph.tensor(graph.nodes[2].inputs[0]).quantization->scale() == 0.25F);
}

TEST_CASE("operators that move integers hand their scale on, and back to a graph input") {
  OnnxWriter w;
  w.input("x", {1, 2, 4, 4}, kInt8);
  parameters(w, "p", 0.5F, -4, kInt8);
  OnnxWriter::set(w.node("MaxPool", {"x"}, {"p"}), "kernel_shape", {2, 2});
  dequantize(w, "p", "y");
  w.output("y");
  const Graph graph = w.read();
  REQUIRE(graph.nodes.size() == 2);
  CHECK(named(graph, "x").quantization->scale() == 0.5F);
  CHECK(named(graph, "x").quantization->zero_point() == -4);
  CHECK(named(graph, "p").quantization->zero_point() == -4);
}

TEST_CASE("an operator that moves elements in a group of two scales is followed by a requantization") {
  OnnxWriter w;
  w.input("x", {1, 2, 4, 4}, kUint8);
  parameters(w, "x", 0.5F, 0);
  parameters(w, "q", 0.25F, 0);
  dequantize(w, "x", "xd");
  OnnxWriter::set(w.node("MaxPool", {"xd"}, {"m"}), "kernel_shape", {2, 2});
  quantize(w, "m", "q");
  w.output("q");
  const Graph graph = w.read();
  REQUIRE(graph.nodes.size() == 2);
  CHECK(graph.nodes[0].name == "n_m");
  CHECK(graph.nodes[1].name == "n_q");
  CHECK(std::holds_alternative<QuantizeOp>(graph.nodes[1].op));
}

TEST_CASE("4-bit weights keep their width; a transposed matrix stays integer") {
  OnnxWriter w(21);
  w.input("x", {2, 3}, kUint8);
  parameters(w, "x", 0.5F, 0);
  parameters(w, "q", 0.25F, 0);
  w.integers("w", {2, 3}, {}, kInt4);
  w.graph().mutable_initializer(4)->set_raw_data(std::string("\x21\x43\x65", 3));  // 1 2 3 / 4 5 6
  w.constant("w_scale", {2}, {0.5F, 1.0F});
  w.integers("w_zero", {2}, {}, kInt4);
  w.graph().mutable_initializer(6)->set_raw_data(std::string("\0", 1));
  dequantize(w, "x", "xd");
  OnnxWriter::set(w.node("DequantizeLinear", with_parameters("w"), {"wd"}), "axis", 0);
  OnnxWriter::set(w.node("Transpose", {"wd"}, {"wt"}), "perm", {1, 0});
  w.node("MatMul", {"xd", "wt"}, {"m"});
  quantize(w, "m", "q");
  w.output("q");
  const Graph graph = w.read();
  REQUIRE(graph.nodes.size() == 1);
  const Tensor& weights = graph.tensor(graph.nodes[0].inputs[1]);
  CHECK(weights.quantization->bits == 4);
  CHECK(weights.quantization->axis == 0);
  CHECK(weights.shape == Shape{2, 3});
  CHECK((weights.data->at(0) == 1 && weights.data->at(1) == 2 && weights.data->at(5) == 6));
}

TEST_CASE("an activation with a scale for each slice is converted slice by slice") {
  OnnxWriter w;
  w.input("x", {2, 3}, kUint8);
  w.constant("s", {3}, {0.5F, 1.0F, 2.0F});
  w.integers("z", {3}, {1, 2, 3}, kUint8);
  w.node("DequantizeLinear", {"x", "s", "z"}, {"y"});
  w.output("y");
  const Graph graph = w.read();
  REQUIRE(graph.nodes.size() == 10);  // Cut, scale, dequantize, three times; join.
  const Node& last = graph.nodes[8];
  CHECK(std::holds_alternative<DequantizeOp>(last.op));
  CHECK(graph.tensor(last.inputs[0]).quantization->scale() == 2.0F);
  CHECK(graph.tensor(last.inputs[0]).quantization->zero_point() == 3);
  CHECK(std::get<StridedSliceOp>(graph.nodes[6].op).begin == std::vector<std::int64_t>{0, 2});
}

TEST_CASE("scales that are no constants, or of the wrong number, are refused") {
  OnnxWriter w;
  w.input("x", {1, 8}, kUint8);
  w.input("s", {});
  w.integers("zero", {}, {7}, kUint8);
  w.node("DequantizeLinear", {"x", "s", "zero"}, {"y"});
  w.output("y");
  CHECK_THAT(refusal(w), Catch::Contains("scale \"s\", which is computed at run time"));
  OnnxWriter per_axis;
  per_axis.input("x", {1, 8}, kUint8);
  per_axis.constant("s", {8}, std::vector<float>(8, 0.5F));
  per_axis.node("DequantizeLinear", {"x", "s"}, {"y"});
  per_axis.output("y");
  per_axis.graph().mutable_initializer(0)->set_dims(0, 7);
  per_axis.graph().mutable_initializer(0)->mutable_float_data()->RemoveLast();
  CHECK_THAT(refusal(per_axis), Catch::Contains("scales of shape 7 along axis 1"));
  OnnxWriter unscaled;
  unscaled.input("x", {1, 8}, kUint8);
  unscaled.node("Sigmoid", {"x"}, {"y"});
  unscaled.output("y");
  CHECK_THAT(refusal(unscaled), Catch::Contains("UINT8 without a scale"));
}
