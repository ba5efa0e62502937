#include "workloads/graph/bit_width.h"

#include <catch2/catch.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "tests/unit/base/scratch_folder.h"
#include "workloads/graph/requantize_tensor.h"
#include "workloads/readers/json/json_workload.h"

using qsim::apply_bit_widths;
using qsim::BitWidthOptions;
using qsim::Graph;
using qsim::Tensor;

namespace {

const Tensor& tensor(const Graph& graph, const std::string& name) {
  for (const Tensor& t : graph.tensors) {
    if (t.name == name) return t;
  }
  throw std::out_of_range(name);
}

std::vector<std::int64_t> values_of(const Tensor& t) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < t.data->size(); ++i) values.push_back(t.data->at(i));
  return values;
}

/// x -> convolution "c" -> max pool "p" -> fully connected "dense" -> softmax "s".
Graph network() {
  return qsim::read_workload_json_text(R"({"name": "t", "semantics": "tflite",
    "inputs": [{"name": "x", "shape": [1, 2, 2, 2], "scale": 0.5, "zero_point": -128}],
    "layers": [
      {"op": "conv2d", "name": "c", "input": "x", "weights": {"shape": [2, 1, 1, 2], "scale": [0.25, 0.5], "axis": 0, "values": [127, -127, 9, -64]},
       "bias": {"values": [1000, -1000]}, "output": {"scale": 0.75, "zero_point": -10}},
      {"op": "max_pool2d", "name": "p", "input": "c", "kernel": 2},
      {"op": "fully_connected", "name": "dense", "input": "p", "weights": {"shape": [3, 2], "scale": 1, "values": [10, -30, 0, 5, 20, 1]}, "output": {"scale": 1}},
      {"op": "softmax", "name": "s", "input": "dense"}], "outputs": ["s"]})",
                                       "t.json");
}

BitWidthOptions both(std::optional<int> weights, std::optional<int> activations) {
  return {{weights, activations}, {}, {}};
}

}  // namespace

TEST_CASE("rescaling rounds ties to even, on both sides of zero") {
  CHECK(qsim::rescale_rne(1, 1, 2) == 0);
  CHECK(qsim::rescale_rne(3, 1, 2) == 2);
  CHECK(qsim::rescale_rne(5, 1, 2) == 2);
  CHECK(qsim::rescale_rne(-1, 1, 2) == 0);
  CHECK(qsim::rescale_rne(-3, 1, 2) == -2);
  CHECK(qsim::rescale_rne(-5, 1, 2) == -2);
  CHECK(qsim::rescale_rne(127, 7, 127) == 7);
  CHECK(qsim::rescale_rne(64, 7, 127) == 4);  // 3.53
  CHECK(qsim::rescale_rne(-64, 7, 127) == -4);
}

TEST_CASE("weights of 4 bits follow the formula, and biases their scales") {
  Graph graph = network();
  apply_bit_widths(graph, both(4, {}));
  const Tensor& weights = tensor(graph, "c.weights");
  // p = 127, p' = 7: 127 -> 7, -127 -> -7, 9 * 7 / 127 = 0.496 -> 0, -64 * 7 / 127 = -3.53 -> -4.
  CHECK(values_of(weights) == std::vector<std::int64_t>{7, -7, 0, -4});
  CHECK(weights.quantization->bits == 4);
  CHECK(weights.quantization->scales[0] == static_cast<float>(0.25 * 127 / 7));
  CHECK(weights.quantization->scales[1] == static_cast<float>(0.5 * 127 / 7));
  // b' = rne(b * s / s') = rne(1000 * 7 / 127) = rne(55.118).
  CHECK(values_of(tensor(graph, "c.bias")) == std::vector<std::int64_t>{55, -55});
  CHECK(tensor(graph, "c").quantization->bits == 8);
  REQUIRE(graph.provenance.size() == 1);
  CHECK(graph.provenance[0].find("weights requantized to 4 bits (2 tensors)") == 0);
  CHECK_NOTHROW(validate(graph));
}

TEST_CASE("weights of one bit are signs times their mean magnitude") {
  Graph graph = network();
  apply_bit_widths(graph, both(1, {}));
  const Tensor& weights = tensor(graph, "c.weights");
  CHECK(values_of(weights) == std::vector<std::int64_t>{1, -1, 1, -1});
  CHECK(weights.quantization->bits == 1);
  CHECK(weights.quantization->scales[0] == 0.25F * 127.0F);
  CHECK(weights.quantization->scales[1] == 0.5F * 36.5F);
  // 1000 / 127 = 7.874, -1000 / 36.5 = -27.397.
  CHECK(values_of(tensor(graph, "c.bias")) == std::vector<std::int64_t>{8, -27});
  // One scale for the whole tensor: mean of 10, 30, 0, 5, 20, 1.
  CHECK(tensor(graph, "dense.weights").quantization->scales == std::vector<float>{11.0F});
  CHECK(values_of(tensor(graph, "dense.weights")) == std::vector<std::int64_t>{1, -1, 1, 1, 1, 1});
}

TEST_CASE("wider weights are exact multiples") {
  Graph graph = network();
  apply_bit_widths(graph, both(16, {}));
  const Tensor& weights = tensor(graph, "c.weights");
  CHECK(weights.type == qsim::ElementType::i16);
  // 9 * 32767 / 127 = 2322.07.
  CHECK(values_of(weights) == std::vector<std::int64_t>{32767, -32767, 2322, -16513});
}

TEST_CASE("the widths that the model has change nothing") {
  Graph graph = network();
  const Graph before = graph;
  apply_bit_widths(graph, both(8, 8));
  CHECK(tensor(graph, "c.weights").data->bytes == tensor(before, "c.weights").data->bytes);
  CHECK(tensor(graph, "c.bias").data->bytes == tensor(before, "c.bias").data->bytes);
  CHECK(graph.provenance.empty());
}

TEST_CASE("activations of 4 bits keep their range, pools follow their input and softmax its own format") {
  Graph graph = network();
  apply_bit_widths(graph, both({}, 4));
  for (const char* name : {"x", "c", "p", "dense"}) {
    CAPTURE(name);
    CHECK(tensor(graph, name).quantization->bits == 4);
  }
  CHECK(tensor(graph, "x").quantization->scale() == static_cast<float>(0.5 * 127 / 7));
  CHECK(tensor(graph, "x").quantization->zero_point() == -7);  // -128 * 7 / 127 = -7.06
  CHECK(tensor(graph, "c").quantization->zero_point() == -1);  // -10 * 7 / 127 = -0.55
  CHECK(tensor(graph, "p").quantization->scale() == tensor(graph, "c").quantization->scale());
  CHECK(tensor(graph, "s").quantization->bits == 8);
  CHECK(values_of(tensor(graph, "c.bias")) == std::vector<std::int64_t>{55, -55});
  REQUIRE(graph.provenance.size() == 2);
  CHECK(graph.provenance[1].find(": s") != std::string::npos);
  CHECK_NOTHROW(validate(graph));
}

TEST_CASE("an activation that would change softmax's algorithm keeps its width") {
  Graph graph = network();
  apply_bit_widths(graph, both({}, 16));
  CHECK(tensor(graph, "c").quantization->bits == 16);
  CHECK(tensor(graph, "c").quantization->zero_point() == -2580);  // -10 * 32767 / 127 = -2580.08
  CHECK(tensor(graph, "x").quantization->zero_point() == -32768);
  CHECK(tensor(graph, "dense").quantization->bits == 8);
  CHECK(graph.provenance.back().find(": dense, s") != std::string::npos);
  CHECK_NOTHROW(validate(graph));
}

TEST_CASE("unsigned tensors reach from 0 to 2^b - 1") {
  const qsim::Quantization q{8, false, {0.5F}, {128}, -1, 0};
  const qsim::Quantization next = qsim::at_width(q, 4);
  CHECK(next.scale() == static_cast<float>(0.5 * 255 / 15));
  CHECK(next.zero_point() == 8);  // 128 * 15 / 255 = 7.53
  CHECK(qsim::at_width(q, 1).zero_point() == 1);
}

TEST_CASE("a node's own widths go before those of all") {
  Graph graph = network();
  apply_bit_widths(graph, {{4, 8}, {{"dense", {2, {}}}, {"c", {{}, 6}}}, "b.json"});
  CHECK(tensor(graph, "c.weights").quantization->bits == 4);
  CHECK(tensor(graph, "dense.weights").quantization->bits == 2);
  CHECK(tensor(graph, "c").quantization->bits == 6);
  CHECK(tensor(graph, "p").quantization->bits == 6);
  CHECK(tensor(graph, "dense").quantization->bits == 8);
}

TEST_CASE("what cannot be done is reported, all of it, and changes nothing") {
  Graph graph = network();
  try {
    apply_bit_widths(graph, {{{}, {}}, {{"dens", {4, {}}}, {"zzzz", {4, {}}}}, "b.json"});
    FAIL("no error");
  } catch (const qsim::InputError& error) {
    REQUIRE(error.problems().size() == 2);
    CHECK(error.problems()[0].file == "b.json");
    CHECK(error.problems()[0].place == "dens");
    CHECK(error.problems()[0].hint.find("\"dense\"") != std::string::npos);
  }
  CHECK_THROWS_AS(apply_bit_widths(graph, {{}, {{"p", {4, {}}}}, "b.json"}), qsim::InputError);
  CHECK_THROWS_AS(apply_bit_widths(graph, {{}, {{"p", {{}, 4}}}, "b.json"}), qsim::InputError);
  CHECK_THROWS_AS(apply_bit_widths(graph, both({}, 1)), qsim::InputError);
  CHECK_THROWS_AS(apply_bit_widths(graph, both(17, {})), qsim::InputError);
  CHECK(tensor(graph, "c.weights").quantization->bits == 8);
}

TEST_CASE("padding with real zero stays real zero") {
  Graph graph = qsim::read_workload_json_text(R"({"name": "t", "semantics": "tflite",
    "inputs": [{"name": "x", "shape": [1, 2, 2, 1], "scale": 0.5, "zero_point": -128}],
    "layers": [{"op": "pad", "name": "y", "input": "x", "before": [0, 1, 1, 0], "after": [0, 1, 1, 0]}], "outputs": ["y"]})",
                                              "t.json");
  apply_bit_widths(graph, both({}, 4));
  CHECK(std::get<qsim::PadOp>(graph.nodes[0].op).value == -7);
}

TEST_CASE("a file of widths is read strictly") {
  const ScratchFolder folder;
  qsim::write_file_atomically(folder.path("b.json"),
                              R"({"conv1": {"weights": 4}, "conv2": {"weights": 2, "activations": 6}})");
  const auto nodes = qsim::read_bit_widths(folder.path("b.json"));
  REQUIRE(nodes.size() == 2);
  CHECK(nodes.at("conv1").weights == 4);
  CHECK_FALSE(nodes.at("conv1").activations.has_value());
  CHECK(nodes.at("conv2").activations == 6);
  qsim::write_file_atomically(folder.path("b.json"), R"({"a": {"weights": 0}, "b": {"weigths": 4}, "c": 3})");
  try {
    (void)qsim::read_bit_widths(folder.path("b.json"));
    FAIL("no error");
  } catch (const qsim::InputError& error) {
    REQUIRE(error.problems().size() == 3);
    CHECK(error.problems()[0].place == "a.weights");
    CHECK(error.problems()[1].hint == "did you mean \"weights\"?");
    CHECK(error.problems()[2].place == "c");
  }
}
