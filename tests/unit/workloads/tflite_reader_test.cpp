#include "workloads/readers/tflite/tflite_reader.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/error.h"
#include "tests/unit/base/scratch_folder.h"
#include "tests/unit/workloads/tflite_writer.h"
#include "workloads/execute/execute.h"

using namespace qsim;

namespace {

Graph read(const ModelSpec& spec) {
  const ScratchFolder folder;
  write_bytes(folder.path("net.tflite"), TfliteWriter().write(spec));
  return read_tflite(folder.path("net.tflite"));
}

std::string refusal(const ModelSpec& spec) {
  try {
    static_cast<void>(read(spec));
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a convolution is read with its padding made explicit") {
  const Graph graph = read(conv_model());
  REQUIRE(graph.nodes.size() == 1);
  const auto& conv = std::get<Conv2dOp>(graph.nodes[0].op);
  CHECK(conv.stride_h == 2);
  // Height 7, stride 2: 4 rows, (4 - 1) * 2 + 3 - 7 = 2 to pad. Width 6: 3 columns, 1 to pad, after.
  CHECK((conv.pad_top == 1 && conv.pad_bottom == 1));
  CHECK((conv.pad_left == 0 && conv.pad_right == 1));
  CHECK(conv.activation == Activation::relu);
  CHECK(graph.name == "net");
  CHECK(graph.semantics == Semantics::tflite);
  CHECK(graph.nodes[0].name == "y");
  CHECK(graph.nodes[0].place == "subgraph 0 operator 0 CONV_2D");
  CHECK(graph.tensor(graph.nodes[0].inputs[1]).quantization->scale(3) == 0.4F);
  CHECK(graph.tensor(graph.inputs[0]).quantization->zero_point() == -3);
}

TEST_CASE("depthwise weights [1, height, width, outputs] become [outputs, height, width, 1]") {
  ModelSpec spec = conv_model();
  spec.tensors[0].shape = {1, 7, 6, 2};
  spec.tensors[1] = {"w",
                     {1, 3, 1, 4},
                     9,
                     {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23},
                     {0.1F, 0.2F, 0.3F, 0.4F},
                     {0, 0, 0, 0},
                     3};
  spec.operators[0].code = 4;
  spec.operators[0].options = {scalar_field<std::int8_t>(0, 0), scalar_field<std::int32_t>(1, 2),
                               scalar_field<std::int32_t>(2, 2), scalar_field<std::int32_t>(3, 2)};
  const Graph graph = read(spec);
  CHECK(std::get<Conv2dOp>(graph.nodes[0].op).groups == 2);
  const Tensor& weights = graph.tensor(graph.nodes[0].inputs[1]);
  CHECK(weights.shape == Shape{4, 3, 1, 1});
  CHECK(weights.quantization->axis == 0);
  CHECK(weights.data->at(0) == 0);
  CHECK(weights.data->at(1) == 10);
  CHECK(weights.data->at(5) == 21);  // output 1, tap 2
}

TEST_CASE("4-bit weights are unpacked, the low half first") {
  ModelSpec spec = conv_model();
  spec.tensors[1].type = 17;
  spec.tensors[1].data.assign(54, 0x9F);  // -1, then -7
  const Graph graph = read(spec);
  const Tensor& weights = graph.tensor(graph.nodes[0].inputs[1]);
  CHECK(weights.quantization->bits == 4);
  CHECK(weights.data->at(0) == -1);
  CHECK(weights.data->at(1) == -7);
}

TEST_CASE("names that are empty or taken are replaced") {
  ModelSpec spec = conv_model();
  spec.tensors[0].name = "";
  spec.tensors[2].name = "w";
  spec.tensors[3].name = "w";
  const Graph graph = read(spec);
  CHECK(graph.tensor(graph.inputs[0]).name == "tensor_0");
  CHECK(graph.tensor(graph.nodes[0].inputs[2]).name == "w#2");
  CHECK(graph.tensor(graph.outputs[0]).name == "w#3");
}

TEST_CASE("names are UTF-8 and unique, whatever the file has") {
  ModelSpec spec = conv_model();
  spec.tensors[0].name = "a\xff";
  spec.tensors[3].name = "a\xfe";
  const Graph graph = read(spec);
  CHECK(graph.tensor(graph.inputs[0]).name == "a\xef\xbf\xbd");
  CHECK(graph.tensor(graph.outputs[0]).name == "a\xef\xbf\xbd#2");
}

TEST_CASE("operators on known shapes are folded") {
  // y -> SHAPE -> STRIDED_SLICE [0:1] -> PACK with -1 -> RESHAPE
  ModelSpec spec = conv_model();
  const std::vector<float> none;
  spec.tensors.push_back({"shape", {4}, 2, {}, none, {}, 0});
  spec.tensors.push_back({"zero", {1}, 2, {0, 0, 0, 0}, none, {}, 0});
  spec.tensors.push_back({"one", {1}, 2, {1, 0, 0, 0}, none, {}, 0});
  spec.tensors.push_back({"batch", {}, 2, {}, none, {}, 0});
  spec.tensors.push_back({"rest", {}, 2, {48, 0, 0, 0}, none, {}, 0});
  spec.tensors.push_back({"new_shape", {2}, 2, {}, none, {}, 0});
  spec.tensors.push_back({"flat", {1, 48}, 9, {}, {0.7F}, {5}, 0});
  spec.operators.push_back({77, {3}, {4}, {}});
  spec.operators.push_back({45, {4, 5, 6, 6}, {7}, {scalar_field<std::int32_t>(4, 1)}});
  spec.operators.push_back({83, {7, 8}, {9}, {}});
  spec.operators.push_back({22, {3, 9}, {10}, {}});
  spec.outputs = {10};
  const Graph graph = read(spec);
  CHECK(graph.nodes.size() == 2);
  CHECK(graph.folded_nodes == std::vector<std::string>{"shape", "batch", "new_shape"});
  CHECK(op_name(graph, graph.nodes[1]) == "reshape");
}

TEST_CASE("a transposed convolution's shape may be a graph input with one legal value") {
  ModelSpec spec;
  spec.tensors = {{"shape", {4}, 2, {}, {}, {}, 0},
                  {"w", {4, 2, 2, 3}, 9, std::vector<std::uint8_t>(48, 1), {0.1F}, {0}, 0},
                  {"x", {1, 3, 3, 3}, 9, {}, {0.5F}, {1}, 0},
                  {"y", {1, 6, 6, 4}, 9, {}, {0.7F}, {5}, 0}};
  spec.operators = {
      {67, {0, 1, 2}, {3}, {scalar_field<std::int32_t>(1, 2), scalar_field<std::int32_t>(2, 2)}}};
  spec.inputs = {0, 2};
  spec.outputs = {3};
  const Graph graph = read(spec);
  const Tensor& shape = graph.tensor(graph.inputs[0]);
  REQUIRE(shape.required_value);
  CHECK(shape.required_value->at(3) == 4);
  CHECK_NOTHROW(check_input(graph, graph.inputs[0], *shape.required_value, "shape.npy"));
  TensorData other = *shape.required_value;
  other.set(1, 5);
  CHECK_THROWS_AS(check_input(graph, graph.inputs[0], other, "shape.npy"), InputError);
}

TEST_CASE("what cannot be read is refused by name, with its place and what would help") {
  using Change = std::function<void(ModelSpec&)>;
  const auto [words, change] = GENERATE(table<std::string, Change>({
      {"operator 0 CONV_2D tensor \"x\": got FLOAT32, expected INT8 as the output's",
       [](ModelSpec& m) { m.tensors[0].type = 0; }},
      {"bias \"b\": got I32, expected a constant of type F32",
       [](ModelSpec& m) { m.tensors[0].type = m.tensors[3].type = 0; }},
      {"operator 0 SVDF: got an operator that is not supported",
       [](ModelSpec& m) { m.operators[0].code = 27; }},
      {"operator 0 STABLEHLO_COMPOSITE", [](ModelSpec& m) { m.operators[0].code = 206; }},
      {"operator 0 LOG_SOFTMAX: got an operator that is not supported",
       [](ModelSpec& m) { m.operators[0].code = 50; }},
      {"operator 0 operator 999", [](ModelSpec& m) { m.operators[0].code = 999; }},
      {"got UINT8, expected INT8, INT16 or FLOAT32", [](ModelSpec& m) { m.tensors[0].type = m.tensors[3].type = 3; }},
      {"zero point 0, as TFLite defines INT16",
       [](ModelSpec& m) { m.tensors[0].type = m.tensors[3].type = 7; }},
      {"zero point 0, as TFLite defines INT8 weights", [](ModelSpec& m) { m.tensors[1].zero_points[2] = 1; }},
      {"quantized dimension 1", [](ModelSpec& m) { m.tensors[1].quantized_dimension = 1; }},
      {"4 dimensions",
       [](ModelSpec& m) {
         m.tensors[0].shape = {7, 6, 3};
       }},
      {"got 107 bytes of data", [](ModelSpec& m) { m.tensors[1].data.pop_back(); }},
      {"a divisor of the input's 3",
       [](ModelSpec& m) {
         m.tensors[1].shape[3] = 2;
         m.tensors[1].data.resize(72);
       }},
      {"tensor 9", [](ModelSpec& m) { m.operators[0].inputs[1] = 9; }},
      {"tensor -1", [](ModelSpec& m) { m.operators[0].outputs[0] = -1; }},
      {"1 inputs", [](ModelSpec& m) { m.operators[0].inputs = {0}; }},
      {"fixed input shape", [](ModelSpec& m) { m.tensors[0].shape[1] = -1; }},
      {"output height", [](ModelSpec& m) { m.tensors[3].shape[1] = 5; }},
      {"stride, dilation or kernel 0",
       [](ModelSpec& m) { m.operators[0].options[1] = scalar_field<std::int32_t>(1, 0); }},
      {"padding", [](ModelSpec& m) { m.operators[0].options[0] = scalar_field<std::int8_t>(0, 2); }},
      {"fused activation", [](ModelSpec& m) { m.operators[0].options[3] = scalar_field<std::int8_t>(3, 4); }},
      {"a quantized tensor", [](ModelSpec& m) { m.tensors[0].scales.clear(); }},
      {"a finite number above 0", [](ModelSpec& m) { m.tensors[0].scales = {-1.0F}; }},
      {"zero point 5000000000", [](ModelSpec& m) { m.tensors[0].zero_points = {5'000'000'000}; }},
      {"has no value there", [](ModelSpec& m) { m.inputs = {}; }},
  }));
  ModelSpec spec = conv_model();
  change(spec);
  CHECK_THAT(refusal(spec), Catch::Contains(words));
}

TEST_CASE("options of another operator count as none, as in TFLite: their defaults hold") {
  ModelSpec spec = conv_model();
  spec.operators[0].options_type = 2;  // DepthwiseConv2DOptions
  CHECK_THAT(refusal(spec), Catch::Contains("stride, dilation or kernel 0"));
  spec.operators[0].options_type = 250;  // no member of the union
  CHECK_THAT(refusal(spec), Catch::Contains("stride, dilation or kernel 0"));
}

TEST_CASE("every unsupported operator of a model is reported at once") {
  ModelSpec spec = conv_model();
  spec.tensors.push_back({"z", {1, 4, 3, 4}, 9, {}, {0.7F}, {5}, 0});
  spec.operators[0].code = 27;
  spec.operators.push_back({16, {3}, {4}, {}});
  CHECK_THAT(refusal(spec), Catch::Contains("operator 0 SVDF") && Catch::Contains("operator 1 LSTM"));
}

TEST_CASE("a file that is missing or is something else is refused") {
  const ScratchFolder folder;
  CHECK_THROWS_WITH(read_tflite(folder.path("none.tflite")), Catch::Contains("No such file"));
  write_bytes(folder.path("text"), {'h', 'e', 'l', 'l', 'o', ' ', 'w', 'o', 'r', 'l', 'd'});
  CHECK_THROWS_WITH(read_tflite(folder.path("text")), Catch::Contains("TFL3"));
  write_bytes(folder.path("empty"), {});
  CHECK_THROWS_AS(read_tflite(folder.path("empty")), InputError);
}

TEST_CASE("a file cut short anywhere is refused") {
  const ScratchFolder folder;
  const std::vector<std::uint8_t> whole = TfliteWriter().write(conv_model());
  const std::string path = folder.path("cut.tflite");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_bytes(path, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    // The builder pads at the front: the last bytes always belong to something.
    CHECK_THROWS_AS(read_tflite(path), InputError);
  }
}

TEST_CASE("a damaged file is read or refused, never followed outside") {
  const ScratchFolder folder;
  const std::vector<std::uint8_t> whole = TfliteWriter().write(conv_model());
  const std::string path = folder.path("damaged.tflite");
  std::size_t refused = 0;
  const auto try_reading = [&](const std::vector<std::uint8_t>& bytes) {
    write_bytes(path, bytes);
    try {
      static_cast<void>(read_tflite(path));
    } catch (const InputError&) {
      ++refused;
    }
  };
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const std::uint8_t value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
      std::vector<std::uint8_t> bytes = whole;
      bytes[i] = value;
      try_reading(bytes);
    }
  }
  CHECK(refused > whole.size());
}

TEST_CASE("what only the FlatBuffers verifier rejects is refused by its place") {
  const ScratchFolder folder;
  std::vector<std::uint8_t> bytes = TfliteWriter().write(conv_model());
  // The name "w" as a string: its length, the letter, the NUL that ends it.
  const std::vector<std::uint8_t> name{1, 0, 0, 0, 'w', 0};
  const auto found = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
  REQUIRE(found != bytes.end());
  found[5] = 'x';
  write_bytes(folder.path("net.tflite"), bytes);
  CHECK_THROWS_WITH(
      read_tflite(folder.path("net.tflite")),
      Catch::Contains("net.tflite: subgraphs[0].tensors[1].name: got what the FlatBuffers verifier "
                      "rejects"));
}

TEST_CASE("a rejected place is named down to its field, with the byte that it leads to") {
  const auto [what, words] = GENERATE(table<std::vector<std::uint8_t>, std::string>({
      // The list of scales 0.1, 0.2, 0.3, 0.4 of "w"; those of zero points and codes of the operator.
      {{4, 0, 0, 0, 0xCD, 0xCC, 0xCC, 0x3D}, "subgraphs[0].tensors[1].quantization.scale"},
      {{3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0}, "subgraphs[0].operators[0].inputs"},
  }));
  const ScratchFolder folder;
  std::vector<std::uint8_t> bytes = TfliteWriter().write(conv_model());
  const auto found = std::search(bytes.begin(), bytes.end(), what.begin(), what.end());
  REQUIRE(found != bytes.end());
  found[3] = 0x40;  // As many elements as no file has.
  write_bytes(folder.path("net.tflite"), bytes);
  const std::string at = " at byte " + std::to_string(found - bytes.begin());
  CHECK_THROWS_WITH(read_tflite(folder.path("net.tflite")),
                    Catch::Contains(words + ": got what the FlatBuffers verifier rejects" + at) &&
                        Catch::Contains("lies in the file's " + std::to_string(bytes.size()) + " bytes"));
}
