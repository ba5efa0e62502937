#include "workloads/graph/batch.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "workloads/readers/json/json_workload.h"

using qsim::Graph;
using qsim::Shape;

namespace {

Graph read(const std::string& shape, const std::string& layers) {
  return qsim::read_workload_json_text(
      R"({"name": "t", "semantics": "tflite", "inputs": [{"name": "x", "shape": )" + shape +
          R"(, "scale": 0.5}], "layers": [)" + layers + R"(], "outputs": ["y"]})",
      "t.json");
}

Shape batched(const std::string& shape, const std::string& layers, std::int64_t batch) {
  Graph graph = read(shape, layers);
  qsim::set_batch(graph, batch);
  validate(graph);
  return graph.tensor(graph.outputs[0]).shape;
}

}  // namespace

TEST_CASE("every tensor of a network gets the batch, and the work grows with it") {
  Graph graph = read("[1, 8, 8, 4]", R"(
    {"op": "conv2d", "name": "c", "input": "x", "padding": 1, "weights": {"shape": [6, 3, 3, 4], "scale": 1}, "output": {"scale": 1}},
    {"op": "add", "name": "a", "inputs": ["c", {"shape": [1, 1, 1, 6], "scale": 1}], "output": {"scale": 1}},
    {"op": "average_pool2d", "name": "p", "input": "a", "kernel": 8},
    {"op": "reshape", "name": "r", "input": "p", "shape": [1, 6]},
    {"op": "fully_connected", "name": "f", "input": "r", "weights": {"shape": [3, 6], "scale": 1}, "output": {"scale": 1}},
    {"op": "softmax", "name": "y", "input": "f"})");
  const std::int64_t macs = qsim::mac_count(graph, graph.nodes[0]);
  qsim::set_batch(graph, 5);
  CHECK_NOTHROW(validate(graph));
  for (const qsim::Node& node : graph.nodes) CHECK(graph.tensor(node.outputs[0]).shape[0] == 5);
  CHECK(qsim::mac_count(graph, graph.nodes[0]) == 5 * macs);
  CHECK(graph.provenance.size() == 1);
}

TEST_CASE("operations that move elements keep the batch in front") {
  CHECK(batched("[1, 4, 6, 2]",
                R"({"op": "transpose", "name": "y", "input": "x", "permutation": [0, 3, 1, 2]})",
                3) == Shape{3, 2, 4, 6});
  CHECK(
      batched(
          "[1, 4, 6, 2]",
          R"({"op": "strided_slice", "name": "y", "input": "x", "begin": [0, 1, 0, 0], "count": [1, 2, 3, 2], "stride": [1, 2, 2, 1]})",
          3) == Shape{3, 2, 3, 2});
  CHECK(batched("[1, 4, 6, 2]",
                R"({"op": "pad", "name": "y", "input": "x", "before": [0, 1, 0, 0], "after": [0, 0, 1, 0]})",
                3) == Shape{3, 5, 7, 2});
  CHECK(batched("[1, 4, 6, 2]",
                R"({"op": "concat", "name": "y", "inputs": ["x", "x"], "axis": 3, "output": {"scale": 1}})",
                3) == Shape{3, 4, 6, 4});
  CHECK(
      batched(
          "[1, 4, 6, 2]",
          R"({"op": "mean", "name": "y", "input": "x", "axes": [1, 2], "keep_dims": false, "output": {"scale": 1}})",
          3) == Shape{3, 2});
  CHECK(
      batched(
          "[1, 4, 6, 2]",
          R"({"op": "transpose_conv2d", "name": "y", "input": "x", "stride": 2, "weights": {"shape": [5, 3, 3, 2], "scale": 1}, "output": {"scale": 1}})",
          3) == Shape{3, 9, 13, 5});
}

TEST_CASE("a batch of one changes nothing") {
  Graph graph = read("[7, 4]", R"({"op": "relu", "name": "y", "input": "x"})");
  CHECK_NOTHROW(qsim::set_batch(graph, 1));
  CHECK(graph.provenance.empty());
}

TEST_CASE("a model that mixes dimension 0 with others is refused with the place") {
  const auto place = [](const std::string& shape, const std::string& layers) {
    Graph graph = read(shape, layers);
    try {
      qsim::set_batch(graph, 2);
    } catch (const qsim::InputError& error) {
      return error.problems()[0].place;
    }
    return std::string("no error");
  };
  CHECK(place("[7, 4]", R"({"op": "relu", "name": "y", "input": "x"})") == "graph input \"x\"");
  CHECK(place("[1, 4, 4, 2]", R"({"op": "reshape", "name": "y", "input": "x", "shape": [4, 8]})") ==
        "layers[0] \"y\" output");
  CHECK(place("[1, 4, 4, 2]",
              R"({"op": "transpose", "name": "y", "input": "x", "permutation": [3, 1, 2, 0]})") ==
        "layers[0] \"y\"");
  CHECK(place("[1, 4]",
              R"({"op": "concat", "name": "y", "inputs": ["x", "x"], "axis": 0, "output": {"scale": 1}})") ==
        "layers[0] \"y\"");
  CHECK(
      place("[1, 4]", R"({"op": "mean", "name": "y", "input": "x", "axes": [0], "output": {"scale": 1}})") ==
      "layers[0] \"y\"");
  CHECK(place("[1, 4]", R"({"op": "pad", "name": "y", "input": "x", "before": [1, 0], "after": [0, 0]})") ==
        "layers[0] \"y\"");
}

TEST_CASE("a batch below one or beyond what fits is refused") {
  Graph graph = read("[1, 64, 64, 64]", R"({"op": "relu", "name": "y", "input": "x"})");
  CHECK_THROWS_AS(qsim::set_batch(graph, 0), qsim::InputError);
  CHECK_THROWS_AS(qsim::set_batch(graph, std::int64_t{1} << 40), qsim::InputError);
}
