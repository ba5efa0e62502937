#include "workloads/readers/json/json_workload.h"

#include <catch2/catch.hpp>

#include "base/atomic_file.h"
#include "tests/unit/base/scratch_folder.h"
#include "workloads/formats/safetensors.h"
#include "workloads/graph/generator.h"

using qsim::Graph;
using qsim::Shape;
using qsim::Tensor;

namespace {

/// A workload with one 1x8x8x4 int8 input "x" and these layers; the last one's output is the graph's.
Graph read(const std::string& layers, const std::string& output = "y", const std::string& more = "") {
  return qsim::read_workload_json_text(
      R"({"name": "t", "semantics": "tflite", "inputs": [{"name": "x", "shape": [1, 8, 8, 4], "scale": 0.5, "zero_point": 3}],)" +
          more + R"("layers": [)" + layers + R"(], "outputs": [")" + output + R"("]})",
      "t.json");
}

const Tensor& tensor(const Graph& graph, const std::string& name) {
  for (const Tensor& t : graph.tensors) {
    if (t.name == name) return t;
  }
  throw std::out_of_range(name);
}

Shape output_shape(const std::string& layer) {
  return tensor(read(layer), "y").shape;
}

}  // namespace

TEST_CASE("a convolution is read with its weights, bias and output") {
  const Graph graph = read(
      R"({"op": "conv2d", "name": "c", "input": "x", "stride": 2, "padding": "same", "activation": "relu",
    "weights": {"shape": [6, 3, 3, 4], "bits": 4, "scale": 0.25, "axis": 0}, "bias": true,
    "output": {"name": "y", "scale": 0.75, "zero_point": -128}})");
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.nodes[0].name == "c");
  CHECK(graph.nodes[0].place == "layers[0]");
  const auto& op = std::get<qsim::Conv2dOp>(graph.nodes[0].op);
  CHECK(op.stride_h == 2);
  // 8 in, 4 out: (4 - 1) * 2 + 3 - 8 = 1, all of it after.
  CHECK(op.pad_top == 0);
  CHECK(op.pad_bottom == 1);
  CHECK(op.activation == qsim::Activation::relu);
  const Tensor& weights = tensor(graph, "c.weights");
  CHECK(weights.quantization->bits == 4);
  CHECK(weights.quantization->axis == 0);
  CHECK(weights.quantization->scales == std::vector<float>(6, 0.25F));
  const Tensor& bias = tensor(graph, "c.bias");
  CHECK(bias.type == qsim::ElementType::i32);
  CHECK(bias.quantization->scales == std::vector<float>(6, 0.125F));
  CHECK(bias.data->size() == 6);
  const Tensor& y = tensor(graph, "y");
  CHECK(y.shape == Shape{1, 4, 4, 6});
  CHECK(y.quantization->scale() == 0.75F);
  CHECK(y.quantization->zero_point() == -128);
  CHECK(qsim::mac_count(graph, graph.nodes[0]) == 4 * 4 * 6 * 3 * 3 * 4);
}

TEST_CASE("shapes of every operation are inferred") {
  const std::string q = R"("output": {"name": "y", "scale": 1}})";
  CHECK(
      output_shape(
          R"({"op": "depthwise_conv2d", "name": "a", "input": "x", "padding": 1, "weights": {"shape": [8, 3, 3, 1], "scale": 1}, )" +
          q) == Shape{1, 8, 8, 8});
  CHECK(
      output_shape(
          R"({"op": "conv2d", "name": "a", "input": "x", "dilation": [2, 1], "weights": {"shape": [2, 3, 3, 4], "scale": 1}, )" +
          q) == Shape{1, 4, 6, 2});
  CHECK(
      output_shape(
          R"({"op": "conv2d", "name": "a", "input": "x", "groups": 2, "padding": [1, 0, 2, 0], "weights": {"shape": [2, 3, 3, 2], "scale": 1}, )" +
          q) == Shape{1, 7, 8, 2});
  CHECK(
      output_shape(
          R"({"op": "transpose_conv2d", "name": "a", "input": "x", "stride": 2, "weights": {"shape": [2, 3, 3, 4], "scale": 1}, )" +
          q) == Shape{1, 17, 17, 2});
  CHECK(
      output_shape(
          R"({"op": "transpose_conv2d", "name": "a", "input": "x", "stride": 2, "padding": "same", "weights": {"shape": [2, 3, 3, 4], "scale": 1}, )" +
          q) == Shape{1, 16, 16, 2});
  CHECK(
      output_shape(
          R"({"op": "fully_connected", "name": "a", "input": "x", "weights": {"shape": [5, 256], "scale": 1}, )" +
          q) == Shape{1, 5});
  CHECK(
      output_shape(
          R"({"op": "fully_connected", "name": "a", "input": "x", "weights": {"shape": [5, 4], "scale": 1}, )" +
          q) == Shape{64, 5});
  CHECK(output_shape(R"({"op": "add", "name": "a", "inputs": ["x", {"shape": [4], "scale": 0.5}], )" + q) ==
        Shape{1, 8, 8, 4});
  CHECK(
      output_shape(
          R"({"op": "max_pool2d", "name": "a", "input": "x", "kernel": [3, 2], "stride": 2, "output": "y"})") ==
      Shape{1, 3, 4, 4});
  CHECK(output_shape(R"({"op": "average_pool2d", "name": "a", "input": "x", "kernel": 8, "output": "y"})") ==
        Shape{1, 1, 1, 4});
  CHECK(output_shape(R"({"op": "mean", "name": "a", "input": "x", "axes": [-2, 1], "keep_dims": false, )" +
                     q) == Shape{1, 4});
  CHECK(output_shape(R"({"op": "mean", "name": "a", "input": "x", "axes": [3], )" + q) == Shape{1, 8, 8, 1});
  CHECK(
      output_shape(
          R"({"op": "pad", "name": "a", "input": "x", "before": [0, 1, 0, 0], "after": [0, 0, 2, 0], "output": "y"})") ==
      Shape{1, 9, 10, 4});
  CHECK(
      output_shape(
          R"({"op": "strided_slice", "name": "a", "input": "x", "begin": [0, 1, 7, 0], "count": [1, 3, 2, 4], "stride": [1, 2, -3, 1], "output": "y"})") ==
      Shape{1, 3, 2, 4});
  CHECK(output_shape(R"({"op": "reshape", "name": "a", "input": "x", "shape": [4, -1], "output": "y"})") ==
        Shape{4, 64});
  CHECK(
      output_shape(
          R"({"op": "transpose", "name": "a", "input": "x", "permutation": [0, 3, 1, 2], "output": "y"})") ==
      Shape{1, 4, 8, 8});
  CHECK(output_shape(R"({"op": "concat", "name": "a", "inputs": ["x", "x", "x"], "axis": -1, )" + q) ==
        Shape{1, 8, 8, 12});
  for (const char* op : {"softmax", "logistic", "tanh", "relu", "relu6", "relu_n1_to_1"}) {
    CHECK(output_shape(R"({"op": ")" + std::string(op) + R"(", "name": "a", "input": "x", "output": "y"})") ==
          Shape{1, 8, 8, 4});
  }
  CHECK(output_shape(R"({"op": "leaky_relu", "alpha": 0.1, "name": "a", "input": "x", )" + q) ==
        Shape{1, 8, 8, 4});
  CHECK(output_shape(R"({"op": "quantize", "name": "a", "input": "x", )" + q) == Shape{1, 8, 8, 4});
  CHECK(output_shape(R"({"op": "dequantize", "name": "a", "input": "x", "output": "y"})") ==
        Shape{1, 8, 8, 4});
}

TEST_CASE(
    "operations that move integers keep their quantization, and TFLite fixes that of softmax and tanh") {
  const Graph graph = read(R"({"op": "max_pool2d", "name": "p", "input": "x", "kernel": 8},
    {"op": "softmax", "name": "s", "input": "p"}, {"op": "tanh", "name": "y", "input": "p"})");
  CHECK(tensor(graph, "p").quantization->scale() == 0.5F);
  CHECK(tensor(graph, "p").quantization->zero_point() == 3);
  CHECK(tensor(graph, "s").quantization->scale() == 1.0F / 256.0F);
  CHECK(tensor(graph, "s").quantization->zero_point() == -128);
  CHECK(tensor(graph, "y").quantization->scale() == 1.0F / 128.0F);
  CHECK(tensor(graph, "y").quantization->zero_point() == 0);
}

TEST_CASE("an output without a name has its layer's") {
  const Graph graph = read(R"({"op": "relu", "name": "y", "input": "x"})");
  CHECK(graph.tensor(graph.nodes[0].outputs[0]).name == "y");
}

TEST_CASE("layers may stand in any order and are brought into one that computes") {
  const Graph graph =
      read(R"({"op": "relu", "name": "y", "input": "b"}, {"op": "relu", "name": "b", "input": "a"},
                              {"op": "relu", "name": "a", "input": "x"})");
  REQUIRE(graph.nodes.size() == 3);
  CHECK(graph.nodes[0].name == "a");
  CHECK(graph.nodes[0].place == "layers[2]");
  CHECK(graph.nodes[2].name == "y");
}

TEST_CASE("adding a layer changes no other tensor") {
  const std::string conv =
      R"({"op": "conv2d", "name": "y", "input": "x", "weights": {"shape": [2, 1, 1, 4], "scale": 1}, "bias": true, "output": {"scale": 1}})";
  const Graph one = read(conv);
  const Graph two = read(
      R"({"op": "conv2d", "name": "z", "input": "x", "weights": {"shape": [2, 1, 1, 4], "scale": 1}, "output": {"scale": 1}},)" +
      conv);
  CHECK(tensor(one, "y.weights").data->bytes == tensor(two, "y.weights").data->bytes);
  CHECK(tensor(one, "y.bias").data->bytes == tensor(two, "y.bias").data->bytes);
  CHECK(tensor(two, "z.weights").data->bytes != tensor(two, "y.weights").data->bytes);
}

TEST_CASE("generated values are those of the generator with the seed and the name") {
  const Graph graph = read(
      R"({"op": "fully_connected", "name": "y", "input": "x", "weights": {"shape": [3, 256], "scale": 1, "mean": 2, "deviation": 10},
                               "bias": {"generator": "uniform", "low": -9, "high": 9}, "output": {"scale": 1}})",
      "y", R"("tensors": {"generator": "normal", "seed": 42},)");
  qsim::TensorData weights(qsim::ElementType::i8, {3, 256});
  generate(qsim::WordGenerator(42, "y.weights"), qsim::NormalValues{2, 2560}, {8, true}, weights);
  CHECK(tensor(graph, "y.weights").data->bytes == weights.bytes);
  qsim::TensorData bias(qsim::ElementType::i32, {3});
  generate(qsim::WordGenerator(42, "y.bias"), qsim::UniformValues{-9, 9}, bias);
  CHECK(tensor(graph, "y.bias").data->bytes == bias.bytes);
}

TEST_CASE("constants may be named once and used by several layers") {
  const Graph graph = read(
      R"({"op": "conv2d", "name": "a", "input": "x", "weights": "w", "output": {"scale": 1}},
                              {"op": "conv2d", "name": "y", "input": "a", "weights": "w", "output": {"scale": 1}})",
      "y",
      R"("constants": [{"name": "w", "shape": [4, 1, 1, 4], "scale": 0.1, "values": [1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,-128]}],)");
  CHECK(graph.nodes[0].inputs[1] == graph.nodes[1].inputs[1]);
  CHECK(tensor(graph, "w").data->at(15) == -128);
}

TEST_CASE("tensors come from a safetensors file beside the workload") {
  const ScratchFolder folder;
  qsim::TensorData weights(qsim::ElementType::i8, {2, 4});
  weights.set(7, -100);
  qsim::TensorData bias(qsim::ElementType::i32, {2});
  bias.set(1, 1 << 20);
  const std::vector<qsim::FileTensor> tensors{{"y.weights", weights}, {"y.bias", bias}};
  qsim::write_safetensors(folder.path("t.safetensors"), tensors, {});
  qsim::write_file_atomically(folder.path("w.json"),
                              R"({"name": "t", "semantics": "onnx", "tensors": "t.safetensors",
    "inputs": [{"name": "x", "shape": [1, 4], "bits": 8, "signed": false, "scale": 0.5}],
    "layers": [{"op": "fully_connected", "name": "y", "input": "x", "weights": {"shape": [2, 4], "scale": 1}, "bias": true, "output": {"scale": 1, "signed": false}}],
    "outputs": ["y"]})");
  const Graph graph = qsim::read_workload_json(folder.path("w.json"));
  CHECK(graph.semantics == qsim::Semantics::onnx);
  CHECK(tensor(graph, "y.weights").data->at(7) == -100);
  CHECK(tensor(graph, "y.bias").data->at(1) == 1 << 20);
  CHECK(tensor(graph, "x").type == qsim::ElementType::u8);
}

TEST_CASE("float inputs are quantized and float outputs dequantized by layers") {
  const Graph graph =
      qsim::read_workload_json_text(R"({"name": "t", "semantics": "tflite", "rounding_profile": "float32",
    "inputs": [{"name": "x", "shape": [1, 4], "type": "float32"}],
    "layers": [{"op": "quantize", "name": "q", "input": "x", "output": {"bits": 12, "scale": 0.001}},
               {"op": "dequantize", "name": "y", "input": "q"}], "outputs": ["y"]})",
                                    "t.json");
  CHECK(tensor(graph, "x").is_float());
  CHECK(tensor(graph, "y").is_float());
  CHECK(tensor(graph, "q").type == qsim::ElementType::i16);
  CHECK(graph.rounding_profile == qsim::arithmetic::RoundingProfile::float32);
}
