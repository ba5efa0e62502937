// Quantizers of QONNX: what they and what lies between them become.
#include <catch2/catch.hpp>
#include <cmath>

#include "base/error.h"
#include "tests/unit/workloads/onnx_writer.h"

using namespace qsim;

namespace {

constexpr const char* kDomain = "qonnx.custom_op.general";

struct QuantSettings {
  float scale = 1.0F, bits = 4.0F;
  std::int64_t is_signed = 1, is_narrow = 0;
  std::string mode = "ROUND";
  float zero_point = 0.0F;
};

void quant(OnnxWriter& w, const std::string& from, const std::string& to, const QuantSettings& settings) {
  w.constant(to + "_scale", {}, {settings.scale});
  w.constant(to + "_zero", {}, {settings.zero_point});
  w.constant(to + "_bits", {}, {settings.bits});
  auto& node = w.node("Quant", {from, to + "_scale", to + "_zero", to + "_bits"}, {to}, kDomain);
  OnnxWriter::set(node, "signed", settings.is_signed);
  OnnxWriter::set(node, "narrow", settings.is_narrow);
  OnnxWriter::set_text(node, "rounding_mode", settings.mode);
}

/// x [1, 2] -> Quant of 0.5 -> MatMul with [[1, -2], [3, 0]] * 0.25.
OnnxWriter product() {
  OnnxWriter w;
  w.input("x", {1, 2});
  quant(w, "x", "xq", {0.5F, 4.0F});
  w.constant("w", {2, 2}, {0.25F, -0.5F, 0.75F, 0.1F});
  quant(w, "w", "wq", {0.25F, 3.0F, 1, 1});
  w.node("MatMul", {"xq", "wq"}, {"m"});
  return w;
}

const Node& only_product(const Graph& graph) {
  const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return std::holds_alternative<FullyConnectedOp>(node.op);
  });
  REQUIRE(found != graph.nodes.end());
  return *found;
}

std::string message_of(const OnnxWriter& w) {
  try {
    static_cast<void>(w.read());
  } catch (const InputError& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("weights are the quantizer's integers at its width") {
  OnnxWriter w = product();
  quant(w, "m", "y", {1.0F, 5.0F});
  w.output("y");
  const Graph graph = w.read();
  const Tensor& weights = graph.tensor(only_product(graph).inputs[1]);
  CHECK(weights.quantization->bits == 3);
  CHECK(weights.quantization->scale() == 0.25F);
  // Outputs first: columns of the matrix; 0.1 / 0.25 rounds to 0.
  CHECK(std::vector<std::int64_t>{weights.data->at(0), weights.data->at(1), weights.data->at(2),
                                  weights.data->at(3)} == std::vector<std::int64_t>{1, 3, -2, 0});
}

TEST_CASE("a quantizer alone behind a product is the rounding profile's") {
  OnnxWriter w = product();
  quant(w, "m", "y", {1.0F, 5.0F});
  w.output("y");
  const Graph graph = w.read();
  const Node& node = only_product(graph);
  CHECK(!node.requantization);
  CHECK(graph.tensor(node.outputs[0]).name == "y#q");
  CHECK(graph.tensor(node.outputs[0]).quantization->bits == 5);
}

TEST_CASE("a bias of whole accumulator steps is an integer, any other a summand") {
  const auto with_bias = [](float first) {
    OnnxWriter w = product();
    w.constant("b", {2}, {first, -1.0F});
    w.node("Add", {"m", "b"}, {"a"});
    quant(w, "a", "y", {1.0F, 5.0F});
    w.output("y");
    return w.read();
  };
  // A step of the sums is 0.125.
  const Graph whole = with_bias(0.375F);
  const Node& node = only_product(whole);
  CHECK(!node.requantization);
  CHECK(whole.tensor(node.inputs[2]).data->at(0) == 3);
  CHECK(whole.tensor(node.inputs[2]).data->at(1) == -8);
  const Graph fraction = with_bias(0.3F);
  const Requantization& affine = *only_product(fraction).requantization;
  CHECK(affine.multiplier(0) == 0.125);
  CHECK(affine.offset(0) == static_cast<double>(0.3F));
  CHECK(affine.offset(1) == -1.0);
  CHECK(only_product(fraction).inputs[2] == kNoTensor);
}

TEST_CASE("batch norm, rectifier and quantizer are factor, summand and limits of each channel") {
  OnnxWriter w = product();
  w.constant("gamma", {2}, {2.0F, -3.0F});
  w.constant("beta", {2}, {0.5F, 1.0F});
  w.constant("mean", {2}, {1.0F, -2.0F});
  w.constant("variance", {2}, {4.0F, 9.0F});
  auto& norm = w.node("BatchNormalization", {"m", "gamma", "beta", "mean", "variance"}, {"n"});
  OnnxWriter::set_real(norm, "epsilon", 0.0F);
  w.node("Relu", {"n"}, {"r"});
  quant(w, "r", "y", {0.5F, 4.0F, 1, 0, "FLOOR"});
  w.output("y");
  const Graph graph = w.read();
  const Requantization& affine = *only_product(graph).requantization;
  // gamma / sqrt(variance) = 1 and -1; (beta - mean * factor) / 0.5.
  CHECK(affine.multipliers == std::vector<double>{0.25, -0.25});
  CHECK(affine.offsets == std::vector<double>{-1.0, -2.0});
  CHECK(affine.rounding == arithmetic::RoundingMode::floor);
  CHECK(affine.low == 0);
  CHECK(affine.high == 7);
}

TEST_CASE("a factor and a summand before the first quantizer are part of it") {
  OnnxWriter w;
  w.input("x", {1, 2});
  w.constant("two", {}, {2.0F});
  w.constant("one", {1}, {1.0F});
  w.node("Mul", {"x", "two"}, {"d"});
  w.node("Sub", {"d", "one"}, {"s"});
  quant(w, "s", "y", {1.0F, 2.0F, 1, 1});
  w.output("y");
  const Graph graph = w.read();
  REQUIRE(graph.nodes.size() == 2);  // And the float that leaves.
  CHECK(std::holds_alternative<QuantizeOp>(graph.nodes[0].op));
  const Requantization& affine = *graph.nodes[0].requantization;
  CHECK(affine.multipliers == std::vector<double>{2.0});
  CHECK(affine.offsets == std::vector<double>{-1.0});
  CHECK(affine.low == -1);
  CHECK(affine.high == 1);
}

TEST_CASE("a last product leaves as accumulators at the scale of the products") {
  OnnxWriter w = product();
  w.output("m");
  const Graph graph = w.read();
  const Tensor& sums = graph.tensor(only_product(graph).outputs[0]);
  CHECK(sums.type == ElementType::i32);
  CHECK(sums.quantization->scale() == 0.125F);
  CHECK(std::holds_alternative<DequantizeOp>(graph.nodes.back().op));
}

TEST_CASE("quantizers that have no integers are named") {
  const auto with = [](const QuantSettings& settings) {
    OnnxWriter w = product();
    quant(w, "m", "y", settings);
    w.output("y");
    return message_of(w);
  };
  CHECK(with({1.0F, 3.5F}).find("bit_width: got 3.5") != std::string::npos);
  CHECK(with({1.0F, 17.0F}).find("expected 1 to 16") != std::string::npos);
  CHECK(with({0.0F, 4.0F}).find("a number above 0") != std::string::npos);
  CHECK(with({1.0F, 4.0F, 1, 0, "NEAREST"}).find("rounding_mode: got NEAREST") != std::string::npos);
  CHECK(with({1.0F, 4.0F, 1, 0, "ROUND", 0.5F}).find("zero_point: got 0.5") != std::string::npos);
  OnnxWriter w = product();
  w.node("FloatQuant", {"m", "wq_scale"}, {"y"}, kDomain);
  w.output("y");
  CHECK(message_of(w).find("FloatQuant: a quantizer to floats of few bits") != std::string::npos);
}
