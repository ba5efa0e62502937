// What of QuantizeLinear and DequantizeLinear belongs together, and what does not: scales of biases, and
// pairs that ONNX Runtime's default session merges.
#include <catch2/catch.hpp>

#include "tests/unit/workloads/onnx_writer.h"

using namespace qsim;

namespace {

constexpr int kInt8 = ::onnx::TensorProto::INT8;
constexpr int kUint8 = ::onnx::TensorProto::UINT8;
constexpr int kInt32 = ::onnx::TensorProto::INT32;

void parameters(OnnxWriter& w, const std::string& name, float scale, std::int64_t zero_point,
                int type = kUint8) {
  w.constant(name + "_scale", {}, {scale});
  w.integers(name + "_zero", {}, {zero_point}, type);
}

void quantize(OnnxWriter& w, const std::string& real, const std::string& name, const std::string& as) {
  w.node("QuantizeLinear", {real, as + "_scale", as + "_zero"}, {name});
}

void dequantize(OnnxWriter& w, const std::string& name, const std::string& real, const std::string& as) {
  w.node("DequantizeLinear", {name, as + "_scale", as + "_zero"}, {real});
}

const Tensor& named(const Graph& graph, const std::string& name) {
  const auto found = std::find_if(graph.tensors.begin(), graph.tensors.end(),
                                  [&](const Tensor& tensor) { return tensor.name == name; });
  REQUIRE(found != graph.tensors.end());
  return *found;
}

/// x -> Q -> DQ -> `op` with 2 weights of scale 0.25 and an int32 bias of scale `bias_scale` -> Q -> DQ -> y;
/// the products have the scale 0.5 * 0.25.
Graph with_bias(const std::string& op, float bias_scale, std::int64_t bias_zero = 0) {
  OnnxWriter w;
  const bool is_matrix = op == "Gemm";
  w.input("x", is_matrix ? std::vector<std::int64_t>{1, 1} : std::vector<std::int64_t>{1, 1, 2, 2});
  parameters(w, "q", 0.5F, 128);
  parameters(w, "r", 1.0F, 3);
  parameters(w, "w", 0.25F, 0, kInt8);
  parameters(w, "b", bias_scale, bias_zero, kInt32);
  std::vector<std::int64_t> shape =
      is_matrix ? std::vector<std::int64_t>{1, 2} : std::vector<std::int64_t>{2, 1, 1, 1};
  if (op == "ConvTranspose") shape = {1, 2, 1, 1};
  w.integers("w", shape, {1, 2}, kInt8);
  w.integers("b", {2}, {10, -20}, kInt32);
  quantize(w, "x", "q", "q");
  dequantize(w, "q", "xd", "q");
  dequantize(w, "w", "wd", "w");
  dequantize(w, "b", "bd", "b");
  w.node(op, {"xd", "wd", "bd"}, {"c"});
  quantize(w, "c", "r", "r");
  dequantize(w, "r", "y", "r");
  w.output("y");
  return w.read();
}

/// Quantize, the operator on integers, dequantize; a float operator has conversions of its own on both sides.
bool is_integer(const Graph& graph) {
  return graph.nodes.size() == 3;
}

}  // namespace

TEST_CASE("a convolution takes an int32 bias as integers where its scale is the products'") {
  const Graph graph = with_bias("Conv", 0.125F);
  CHECK(is_integer(graph));
  CHECK(named(graph, "b").data->at(1) == -20);
}

TEST_CASE("a convolution whose bias has a scale of its own stays a float one, with the model's bias") {
  const Graph graph = with_bias("Conv", 0.5F);
  REQUIRE(graph.nodes.size() == 5);
  const Tensor& bias = named(graph, "bd");
  REQUIRE(bias.is_float());
  CHECK(bias.data->as<float>()[0] == 5.0F);  // 10 * 0.5
  CHECK(bias.data->as<float>()[1] == -10.0F);
}

// ONNX Runtime fuses up to 0.01 * p + 1e-6 of difference, p = 0.125.
TEST_CASE("scales within ONNX Runtime's tolerance are one, those beyond it are not") {
  CHECK(is_integer(with_bias("Conv", 0.125F * 1.0099F)));
  CHECK_FALSE(is_integer(with_bias("Conv", 0.125F * 1.0102F)));
  CHECK(is_integer(with_bias("Conv", 0.125F * 0.9901F)));
  CHECK_FALSE(is_integer(with_bias("Conv", 0.125F * 0.9898F)));
}

TEST_CASE("a bias with a zero point of its own is none of integers") {
  CHECK_FALSE(is_integer(with_bias("Conv", 0.125F, 3)));
}

TEST_CASE("a transposed convolution, which ONNX Runtime computes with floats, has no such tolerance") {
  CHECK(is_integer(with_bias("ConvTranspose", 0.125F)));
  CHECK_FALSE(is_integer(with_bias("ConvTranspose", 0.125F * 1.005F)));
}

TEST_CASE("Gemm takes the integers whatever their scale, as ONNX Runtime's default session does") {
  const Graph graph = with_bias("Gemm", 0.5F);
  CHECK(is_integer(graph));
  CHECK(named(graph, "b").data->at(0) == 10);
}

TEST_CASE("one bias of two convolutions is integers for that with its scale alone") {
  OnnxWriter w;
  w.input("x", {1, 1, 2, 2});
  parameters(w, "q", 0.5F, 128);
  parameters(w, "r", 1.0F, 3);
  parameters(w, "w", 0.25F, 0, kInt8);
  parameters(w, "v", 0.75F, 0, kInt8);
  parameters(w, "b", 0.125F, 0, kInt32);
  w.integers("w", {2, 1, 1, 1}, {1, 2}, kInt8);
  w.integers("v", {2, 1, 1, 1}, {3, 4}, kInt8);
  w.integers("b", {2}, {10, -20}, kInt32);
  quantize(w, "x", "q", "q");
  dequantize(w, "q", "xd", "q");
  dequantize(w, "b", "bd", "b");
  for (const std::string weights : {"w", "v"}) {
    dequantize(w, weights, weights + "d", weights);
    w.node("Conv", {"xd", weights + "d", "bd"}, {"c" + weights});
    quantize(w, "c" + weights, "r" + weights, "r");
    dequantize(w, "r" + weights, "y" + weights, "r");
    w.output("y" + weights);
  }
  const Graph graph = w.read();
  const auto conv = [&](const std::string& name) {
    const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                    [&](const Node& node) { return node.name == name; });
    REQUIRE(found != graph.nodes.end());
    return *found;
  };
  CHECK_FALSE(graph.tensor(conv("n_cw").inputs[0]).is_float());
  CHECK(graph.tensor(conv("n_cv").inputs[0]).is_float());
  CHECK(graph.tensor(conv("n_cv").inputs[2]).data->as<float>()[1] == -2.5F);  // -20 * 0.125
}

namespace {

/// x -> Q(q) -> DQ(q) -> Q(r) -> DQ(r) -> y
OnnxWriter two_pairs(float scale, std::int64_t zero_point, int type = kUint8) {
  OnnxWriter w;
  w.input("x", {1, 4});
  parameters(w, "q", 0.05F, 128);
  parameters(w, "r", scale, zero_point, type);
  quantize(w, "x", "a", "q");
  dequantize(w, "a", "b", "q");
  quantize(w, "b", "c", "r");
  dequantize(w, "c", "y", "r");
  w.output("y");
  return w;
}

}  // namespace

// ONNX Runtime 1.30's optimized model of these parameters has scale 0.031 and zero point 120.
TEST_CASE("of two pairs of conversions one is left, whose range both of them hold") {
  const Graph graph = two_pairs(0.031F, 120).read();
  REQUIRE(graph.nodes.size() == 2);
  CHECK(graph.nodes[0].name == "n_a");
  CHECK(graph.nodes[1].name == "n_y");
  const Quantization& q = *named(graph, "a").quantization;
  // min(127 * 0.05, 135 * 0.031) and max(-128 * 0.05, -120 * 0.031) over 255 steps.
  CHECK(q.scale() == (135.0F * 0.031F - -120.0F * 0.031F) / 255.0F);
  CHECK(q.zero_point() == 120);
  CHECK(graph.folded_nodes == std::vector<std::string>{"n_b", "n_c"});
}

TEST_CASE("two pairs stay two where one of them is of another type, has other users, or is an output") {
  CHECK(two_pairs(0.031F, -8, kInt8).read().nodes.size() == 3);
  OnnxWriter used = two_pairs(0.031F, 120);
  used.node("Relu", {"b"}, {"z"});
  used.output("z");
  CHECK(used.read().nodes.size() > 3);
  OnnxWriter output = two_pairs(0.031F, 120);
  output.output("c");
  CHECK(output.read().nodes.size() == 3);
}

TEST_CASE("a chain of three pairs becomes one") {
  OnnxWriter w = two_pairs(0.031F, 120);
  parameters(w, "s", 0.02F, 100);
  quantize(w, "y", "d", "s");
  dequantize(w, "d", "z", "s");
  w.model.mutable_graph()->clear_output();
  w.output("z");
  const Graph graph = w.read();
  REQUIRE(graph.nodes.size() == 2);
  CHECK(graph.nodes[1].name == "n_z");
  CHECK(named(graph, "a").quantization->zero_point() == 100);
}
