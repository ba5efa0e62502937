#include "workloads/readers/json/json_write.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/error.h"
#include "tests/unit/base/scratch_folder.h"
#include "tests/unit/workloads/graph_maker.h"
#include "tests/unit/workloads/same_graph.h"
#include "workloads/formats/safetensors.h"
#include "workloads/readers/json/json_workload.h"

namespace qsim {
namespace {

/// The graph that comes back from the files that it was written to.
Graph written_and_read(const Graph& graph) {
  validate(graph);
  const ScratchFolder folder;
  write_workload_json(graph, folder.path("net.json"));
  return read_workload_json(folder.path("net.json"));
}

void check_round_trip(const Graph& graph) {
  test::check_same_graph(written_and_read(graph), graph);
}

TensorOptions with_scale(float scale, std::int32_t zero_point = 0) {
  TensorOptions options;
  options.scales = {scale};
  options.zero_points = {zero_point};
  return options;
}

TensorOptions of_bits(int bits, bool is_signed, float scale = 0.1F) {
  TensorOptions options = with_scale(scale);
  options.bits = bits;
  options.is_signed = is_signed;
  return options;
}

TensorId add_float(GraphMaker& maker, const std::string& name, const Shape& shape, bool constant = false) {
  Tensor tensor;
  tensor.name = name;
  tensor.shape = shape;
  tensor.type = ElementType::f32;
  if (constant) {
    tensor.data.emplace(ElementType::f32, shape);
    for (float& value : tensor.data->as<float>())
      value = static_cast<float>(maker.draw(-1000, 1000)) / 777.0F;
  }
  maker.graph.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(maker.graph.tensors.size() - 1);
}

}  // namespace

TEST_CASE("a convolution keeps strides, dilations, pads, groups, scales and its bias") {
  GraphMaker maker;
  TensorOptions weights;
  weights.scales = {0.1F, 1.0F / 3.0F, 1e-7F, 3.0e7F, 0.3F, 0.2F};
  const TensorId x = maker.add_input("x", {1, 9, 11, 4}, with_scale(1.0F / 255.0F, -128));
  const TensorId w = maker.add_constant("kernel", {6, 3, 2, 2}, weights);
  Conv2dOp conv{2, 1, 1, 2, 1, 0, 0, 2, 2, Activation::relu6};
  const TensorId y = maker.add("y", {1, 4, 11, 6}, with_scale(0.7F, 5));
  maker.add_node(conv, {x, w, maker.add_bias(6)}, y);
  maker.graph.nodes.back().name = "conv1";
  maker.graph.name = "net";
  check_round_trip(maker.graph);
}

TEST_CASE("the graph's own properties come back") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {2, 3});
  maker.add_node(UnaryOp{UnaryKind::relu}, {x}, maker.add("y", {2, 3}));
  maker.graph.name = "a \"name\" with \\ and \xC3\xA9";
  maker.graph.semantics = Semantics::onnx;
  maker.graph.rounding_profile = arithmetic::RoundingProfile::power_of_two;
  maker.graph.folded_nodes = {"Shape_1", "Gather_2"};
  maker.graph.provenance = {"weights requantized to 4 bits: 3 tensors"};
  check_round_trip(maker.graph);
}

TEST_CASE("float32 numbers come back to the last bit and are written short") {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    GraphMaker maker(seed);
    // Below 2^100, the largest scale; each draw is a statement, so that every compiler draws in this order.
    const auto exponent = static_cast<int>(maker.draw(-100, 99));
    const auto fraction = static_cast<double>(maker.draw(0, (1 << 23) - 1)) * 0x1p-23;
    const auto scale = static_cast<float>(std::ldexp(1.0 + fraction, exponent));
    const TensorId x = maker.add_input("x", {2}, with_scale(scale));
    // The quotient alpha * s / s has to stay below 2^31.
    const float alpha = std::ldexp(scale, -std::ilogb(scale) + static_cast<int>(maker.draw(-100, 30)));
    maker.add_node(UnaryOp{UnaryKind::leaky_relu, alpha}, {x}, maker.add("y", {2}, with_scale(scale)));
    check_round_trip(maker.graph);
  }
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {2}, with_scale(0.1F));
  maker.add_node(UnaryOp{UnaryKind::relu}, {x}, maker.add("y", {2}, with_scale(0.3F)));
  CHECK_THAT(encode_workload(maker.graph, "f").json,
             Catch::Contains("\"scale\": 0.1}") && Catch::Contains("0.3"));
}

TEST_CASE("weights and biases that several layers share stay one tensor") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 8});
  const TensorId w = maker.add_constant("shared weights", {8, 8});
  const TensorId b = maker.add_bias(8);
  const TensorId y = maker.add("y", {1, 8});
  const TensorId z = maker.add("z", {1, 8});
  maker.add_node(FullyConnectedOp{}, {x, w, b}, y);
  maker.add_node(FullyConnectedOp{}, {y, w, b}, z);
  const Graph read = written_and_read(maker.graph);
  test::check_same_graph(read, maker.graph);
  CHECK(read.nodes[0].inputs[1] == read.nodes[1].inputs[1]);
  CHECK(read.nodes[0].inputs[2] == read.nodes[1].inputs[2]);
}

TEST_CASE("biases keep 64 bits, scales of their own, or none") {
  for (const int variant : {0, 1, 2, 3}) {
    GraphMaker maker;
    const TensorId x = maker.add_input("x", {1, 4}, of_bits(16, true));
    const TensorId b = maker.add_bias(3);
    Tensor& bias = maker.graph.tensor(b);
    if (variant == 0) {
      bias.type = ElementType::i64;
      bias.data.emplace(ElementType::i64, Shape{3});
      bias.data->set(1, std::int64_t{1} << 40);
      bias.quantization = Quantization{64, true, {0.1F * 0.05F}, {0}, -1, 0};
    }
    if (variant == 1) bias.quantization = Quantization{32, true, {0.5F}, {0}, -1, 0};
    if (variant == 2) bias.quantization = Quantization{32, true, {0.5F, 0.25F, 0.125F}, {0, 0, 0}, 0, 0};
    if (variant == 3) bias.shape = bias.data->shape = {1, 3};  // and no scale
    maker.add_node(FullyConnectedOp{}, {x, maker.add_constant("w", {3, 4}), b},
                   maker.add("y", {1, 3}, of_bits(16, true)));
    check_round_trip(maker.graph);
  }
}

TEST_CASE("a transposed convolution keeps its output size, larger or smaller than the taps reach") {
  for (const std::int64_t height : {6, 7, 8, 9}) {
    GraphMaker maker;
    const TensorId x = maker.add_input("x", {1, 3, 3, 2});
    const TensorId w = maker.add_constant("w", {4, 2, 3, 2});
    maker.add_node(TransposeConv2dOp{3, 2, 1, 0, Activation::relu}, {x, w, kNoTensor},
                   maker.add("y", {1, height, 8, 4}));
    check_round_trip(maker.graph);
  }
}

TEST_CASE("operations of one tensor keep their attributes") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {2, 4, 6, 3}, with_scale(0.1F, 7));
  const auto next = [&](Op op, const Shape& shape, const TensorOptions& options) {
    const std::string name = "t" + std::to_string(maker.graph.nodes.size());
    const TensorId from = maker.graph.nodes.empty() ? x : maker.graph.nodes.back().outputs[0];
    maker.add_node(std::move(op), {from}, maker.add(name, shape, options));
  };
  const TensorOptions same = with_scale(0.1F, 7), other = with_scale(0.3F, -9);
  next(Pool2dOp{PoolKind::max, 3, 2, 1, 2, 1, 1, 1, 0, Activation::relu}, {2, 4, 3, 3}, same);
  next(Pool2dOp{PoolKind::average, 2, 2, 2, 2, 0, 0, 0, 1, Activation::none}, {2, 2, 2, 3}, same);
  next(PadOp{{0, 1, 0, 2}, {0, 2, 1, 0}, -5}, {2, 5, 3, 5}, same);
  next(StridedSliceOp{{1, 4, 0, 1}, {1, -2, 1, 2}, {1, 3, 1, 2}}, {3, 2}, same);
  next(TransposeOp{{1, 0}}, {2, 3}, same);
  next(ReshapeOp{}, {1, 6, 1}, same);
  next(MeanOp{{1}, false}, {1, 1}, other);
  next(UnaryOp{UnaryKind::leaky_relu, 0.01F}, {1, 1}, same);
  next(UnaryOp{UnaryKind::logistic}, {1, 1}, with_scale(1.0F / 256.0F, -128));
  next(UnaryOp{UnaryKind::tanh}, {1, 1}, with_scale(1.0F / 128.0F));
  next(SoftmaxOp{0.37F}, {1, 1}, with_scale(1.0F / 256.0F, -128));
  next(QuantizeOp{}, {1, 1}, of_bits(16, true));
  next(ReshapeOp{}, {}, of_bits(16, true));
  check_round_trip(maker.graph);
}

TEST_CASE("a quantization that the operation would not choose is kept") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 4}, with_scale(0.1F, 7));
  const TensorId moved = maker.add("moved", {4, 1}, with_scale(0.2F, 8));
  const TensorId sigmoid = maker.add("sigmoid", {4, 1}, with_scale(1.0F / 256.0F, 3));
  const TensorId softmax = maker.add("softmax", {4, 1}, with_scale(0.0039062F, -128));
  maker.add_node(ReshapeOp{}, {x}, moved);
  maker.add_node(UnaryOp{UnaryKind::logistic}, {moved}, sigmoid);
  maker.add_node(SoftmaxOp{}, {sigmoid}, softmax);
  check_round_trip(maker.graph);
  CHECK_THAT(encode_workload(maker.graph, "f").json, Catch::Contains("\"override\": true"));
}

TEST_CASE("operands may be constants, and a constant may be read by an operation of one tensor") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {2, 3});
  const TensorId c = maker.add_constant("c", {3}, of_bits(4, false));
  const TensorId d = maker.add_constant("d", {2, 3});
  const TensorId sum = maker.add("sum", {2, 3});
  const TensorId moved = maker.add("moved", {2, 3});
  const TensorId both = maker.add("both", {2, 6});
  maker.add_node(BinaryOp{BinaryKind::sub, Activation::relu_n1_to_1}, {c, x}, sum);
  maker.add_node(ReshapeOp{}, {d}, moved);
  maker.add_node(ConcatOp{1}, {sum, d}, both);
  maker.graph.outputs = {both, moved, d};
  check_round_trip(maker.graph);
}

TEST_CASE("floats at the ends, index inputs and the model's layout are kept") {
  GraphMaker maker;
  const TensorId real = add_float(maker, "real", {1, 4, 5, 3});
  maker.graph.inputs.push_back(real);
  maker.graph.tensor(real).model_axes = {0, 3, 1, 2};
  Tensor index;
  index.name = "size";
  index.shape = {2};
  index.type = ElementType::i32;
  index.required_value.emplace(ElementType::i32, Shape{2});
  index.required_value->set(1, -7);
  maker.graph.tensors.push_back(index);
  maker.graph.inputs.push_back(static_cast<TensorId>(maker.graph.tensors.size() - 1));
  const TensorId q = maker.add("q", {1, 4, 5, 3}, of_bits(8, false, 0.02F));
  maker.graph.tensor(q).model_axes = {0, 3, 1, 2};
  const TensorId back = add_float(maker, "back", {1, 4, 5, 3});
  maker.add_node(QuantizeOp{}, {real}, q);
  maker.add_node(DequantizeOp{}, {q}, back);
  maker.add_node(DynamicQuantizeOp{}, {real}, maker.add("values", {1, 4, 5, 3}, of_bits(8, false, 1.0F)));
  maker.add_node(DynamicQuantizeOp{DynamicResult::zero_point}, {real},
                 maker.add("z", {}, of_bits(8, false, 1.0F)));
  maker.add_node(DynamicQuantizeOp{DynamicResult::differences}, {real},
                 maker.add("differences", {1, 4, 5, 3}, of_bits(16, true, 1.0F)));
  maker.add_node(DynamicQuantizeOp{DynamicResult::scale}, {real}, add_float(maker, "s", {}));
  check_round_trip(maker.graph);
}

TEST_CASE("a float network keeps every operation, its parameters and constants") {
  GraphMaker maker;
  const Shape shape{1, 4, 4, 3};
  TensorId last = add_float(maker, "x", shape);
  maker.graph.inputs = {last};
  const auto next = [&](Op op, std::vector<TensorId> further, const Shape& result) {
    std::vector<TensorId> inputs{last};
    inputs.insert(inputs.end(), further.begin(), further.end());
    last = add_float(maker, "t" + std::to_string(maker.graph.nodes.size()), result);
    maker.add_node(std::move(op), inputs, last);
  };
  const auto constant = [&](const std::string& name, const Shape& s) {
    return add_float(maker, name, s, true);
  };
  next(Conv2dOp{1, 1, 1, 1, 1, 1, 1, 1, 1, Activation::relu},
       {constant("w", {3, 3, 3, 3}), constant("b", {3})}, shape);
  next(BatchNormOp{}, {constant("scale", {3}), constant("shift", {3})}, shape);
  next(PReluOp{}, {constant("slope", {3})}, shape);
  next(LayerNormOp{1e-3F}, {kNoTensor, constant("beta", {3})}, shape);
  next(LayerNormOp{}, {constant("gamma", {3}), kNoTensor}, shape);
  for (int kind = 0; kind <= static_cast<int>(UnaryKind::softsign); ++kind) {
    UnaryOp op{static_cast<UnaryKind>(kind), 0.0F, 0.0F};
    const bool has_alpha = op.kind == UnaryKind::leaky_relu || op.kind == UnaryKind::elu ||
                           op.kind == UnaryKind::hard_sigmoid || op.kind == UnaryKind::clip;
    if (has_alpha) op.alpha = 0.17F;
    if (op.kind == UnaryKind::hard_sigmoid || op.kind == UnaryKind::clip) op.beta = 0.61F;
    next(op, {}, shape);
  }
  next(UnaryOp{UnaryKind::clip, -std::numeric_limits<float>::infinity(), 6.0F}, {}, shape);
  next(UnaryOp{UnaryKind::clip, -1.5F, std::numeric_limits<float>::infinity()}, {}, shape);
  for (int kind = 0; kind <= static_cast<int>(BinaryKind::pow); ++kind)
    next(BinaryOp{static_cast<BinaryKind>(kind)}, {constant("c" + std::to_string(kind), {1})}, shape);
  next(PadOp{{0, 0, 1, 0}, {0, 0, 1, 0}, 0, -0.25F}, {}, {1, 4, 6, 3});
  next(ResizeOp{ResizeMode::nearest, ResizeCoordinates::asymmetric, ResizeRounding::ceil, 2.0F, 1.5F}, {},
       {1, 8, 9, 3});
  next(ResizeOp{ResizeMode::linear, ResizeCoordinates::align_corners, ResizeRounding::round_prefer_floor,
                0.5F, 0.4F},
       {}, {1, 4, 4, 3});
  next(Pool2dOp{PoolKind::average, 2, 2, 2, 2, 1, 1, 0, 0, Activation::none, true}, {}, {1, 3, 2, 3});
  next(ReshapeOp{}, {}, {3, 6});
  const TensorId a = last;
  next(FullyConnectedOp{}, {constant("fw", {6, 6}), constant("fb", {6})}, {3, 6});
  next(MatMulOp{true}, {a}, {3, 3});
  next(SoftmaxOp{}, {}, {3, 3});
  next(SoftmaxOp{1.0F, true}, {}, {3, 3});
  maker.graph.semantics = Semantics::onnx;
  check_round_trip(maker.graph);
}

TEST_CASE("what ships comes back, with the generated constants in a file") {
  for (const char* name : {"resnet8", "mobilenet_v2"}) {
    const Graph graph = read_workload_json(std::string(QSIM_MODELS_FOLDER) + "/" + name + ".json");
    check_round_trip(graph);
  }
}

TEST_CASE("a network without constants needs no second file") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {2, 3});
  maker.add_node(UnaryOp{UnaryKind::relu}, {x}, maker.add("y", {2, 3}));
  const ScratchFolder folder;
  write_workload_json(maker.graph, folder.path("net.json"));
  CHECK_FALSE(std::filesystem::exists(tensor_file_beside(folder.path("net.json"))));
}

TEST_CASE("both files are written or none") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 4});
  maker.add_node(FullyConnectedOp{}, {x, maker.add_constant("w", {3, 4}), kNoTensor}, maker.add("y", {1, 3}));
  const ScratchFolder folder;
  const std::string path = folder.path("net.json");
  CHECK(tensor_file_beside(path) == folder.path("net.weights.safetensors"));
  std::filesystem::create_directory(tensor_file_beside(path));
  CHECK_THROWS_AS(write_workload_json(maker.graph, path), InputError);
  CHECK_FALSE(std::filesystem::exists(path));
  std::filesystem::remove(tensor_file_beside(path));
  std::filesystem::create_directory(path);
  CHECK_THROWS_AS(write_workload_json(maker.graph, path), InputError);
  CHECK_FALSE(std::filesystem::exists(tensor_file_beside(path)));
}

TEST_CASE("names that the files cannot hold are refused") {
  for (const std::string name : {"__metadata__", "\xFF\xFE"}) {
    GraphMaker maker;
    const TensorId x = maker.add_input("x", {1, 4});
    maker.add_node(FullyConnectedOp{}, {x, maker.add_constant(name, {3, 4}), kNoTensor},
                   maker.add("y", {1, 3}));
    CHECK_THROWS_AS(encode_workload(maker.graph, "f"), InputError);
  }
}

}  // namespace qsim
