#include "workloads/readers/support.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>

#include "tests/unit/base/scratch_folder.h"
#include "tests/unit/workloads/tflite_writer.h"
#include "workloads/graph/graph_check.h"
#include "workloads/readers/workload_format.h"

using namespace qsim;

namespace {

WorkloadSurvey survey(const ModelSpec& spec) {
  const ScratchFolder folder;
  write_bytes(folder.path("net.tflite"), TfliteWriter().write(spec));
  return survey_workload(folder.path("net.tflite"), {});
}

WorkloadSurvey survey(const std::string& json) {
  const ScratchFolder folder;
  std::ofstream(folder.path("net.json")) << json;
  return survey_workload(folder.path("net.json"), {});
}

/// "supported", "folded", or the node's problems.
std::string verdict(const NodeSupport& node) {
  switch (node.status) {
    case NodeStatus::supported:
      return node.problems.empty() ? "supported" : "supported with problems";
    case NodeStatus::folded:
      return "folded";
    case NodeStatus::unsupported:
      break;
  }
  std::string text;
  for (const Problem& problem : node.problems) text += problem.to_string() + "\n";
  return text;
}

/// Nothing is wrong with any node.
bool is_computable(const Graph& graph) {
  return std::ranges::all_of(find_graph_problems(graph),
                             [](const GraphProblem& p) { return p.nodes.empty(); });
}

/// x -> CONV_2D -> y -> RELU -> z -> SVDF -> u -> LOGISTIC -> v; only SVDF is unknown.
ModelSpec mixed_model() {
  ModelSpec spec = conv_model();
  spec.tensors.push_back({"z", {1, 4, 3, 4}, 9, {}, {0.7F}, {5}, 0});
  spec.tensors.push_back({"u", {1, 4, 3, 4}, 9, {}, {0.7F}, {5}, 0});
  spec.tensors.push_back({"v", {1, 4, 3, 4}, 9, {}, {1.0F / 256}, {-128}, 0});
  spec.operators.push_back({19, {3}, {4}, {}});
  spec.operators.push_back({27, {4}, {5}, {}});
  spec.operators.push_back({14, {5}, {6}, {}});
  spec.outputs = {6};
  return spec;
}

const std::string kInput = R"("inputs": [{"name": "x", "shape": [1, 4, 4, 2], "scale": 0.5}])";
std::string workload(const std::string& layers, const std::string& output) {
  return R"({"name": "n", "semantics": "tflite", )" + kInput + R"(, "layers": [)" + layers +
         R"(], "outputs": [")" + output + R"("]})";
}
const std::string kConv =
    R"({"op": "conv2d", "name": "c", "input": "x", "weights": {"shape": [3, 1, 1, 2], "scale": 0.5},
        "output": {"scale": 0.5}})";

}  // namespace

TEST_CASE("an operator that is not supported hides neither those before it nor those after it") {
  const WorkloadSurvey found = survey(mixed_model());
  CHECK(found.format->name == "tflite");
  CHECK(found.name == "net");
  REQUIRE(found.nodes.size() == 4);
  CHECK(found.nodes[0].name == "y");
  CHECK(found.nodes[0].op == "CONV_2D");
  CHECK(verdict(found.nodes[0]) == "supported");
  CHECK(verdict(found.nodes[1]) == "supported");
  CHECK_THAT(verdict(found.nodes[2]),
             Catch::Contains("operator 2 SVDF: got an operator that is not supported"));
  CHECK(verdict(found.nodes[3]) == "supported");
  CHECK_FALSE(found.is_supported());
  // What is left is a graph that a chip can be tried on.
  CHECK(is_computable(found.graph));
  REQUIRE(found.graph.nodes.size() == 3);
  CHECK(found.graph.inputs.size() == 2);   // x, and u in place of SVDF
  CHECK(found.graph.outputs.size() == 2);  // z, which SVDF would read, and v
  CHECK(found.nodes[3].graph_node == 2);
  CHECK_FALSE(found.nodes[2].graph_node);
}

TEST_CASE("the graph of a model that is supported is the one that is run") {
  ModelSpec spec = mixed_model();
  spec.operators[2].code = 21;
  const WorkloadSurvey found = survey(spec);
  CHECK(found.is_supported());
  CHECK(found.graph.nodes.size() == 4);
  CHECK(found.graph.inputs.size() == 1);
  CHECK(found.graph.outputs.size() == 1);
  CHECK(found.graph.name == "net");
}

TEST_CASE("every node of the graph belongs to its operator, and one of them computes its first output") {
  // y is split into two of its four channels each, and y * y^T is computed with the first operand turned.
  ModelSpec spec = conv_model();
  spec.tensors.push_back({"axis", {1}, 2, {3, 0, 0, 0}, {}, {}, 0});
  spec.tensors.push_back({"left", {1, 4, 3, 2}, 9, {}, {0.7F}, {5}, 0});
  spec.tensors.push_back({"right", {1, 4, 3, 2}, 9, {}, {0.7F}, {5}, 0});
  spec.tensors.push_back({"product", {1, 4, 2, 2}, 9, {}, {0.7F}, {5}, 0});
  spec.operators.push_back({49, {4, 3}, {5, 6}, {}});
  spec.operators.push_back({126, {5, 6}, {7}, {scalar_field<std::uint8_t>(0, 1)}});
  spec.outputs = {7};
  const WorkloadSurvey found = survey(spec);
  CHECK(found.is_supported());
  REQUIRE(found.graph.nodes.size() == 5);
  REQUIRE(found.nodes.size() == 3);
  REQUIRE((found.nodes[1].graph_node && found.nodes[2].graph_node));
  CHECK(found.graph.nodes[*found.nodes[1].graph_node].name == "left");
  REQUIRE(found.nodes[1].inserted_nodes.size() == 1);
  CHECK(found.graph.nodes[found.nodes[1].inserted_nodes[0]].name == "right");
  CHECK(found.graph.nodes[*found.nodes[2].graph_node].name == "product");
  REQUIRE(found.nodes[2].inserted_nodes.size() == 1);
  CHECK(std::holds_alternative<TransposeOp>(found.graph.nodes[found.nodes[2].inserted_nodes[0]].op));
  CHECK(found.nodes[0].remarks.empty());
}

TEST_CASE("float operators are supported, and what is unknown besides is named") {
  ModelSpec spec = mixed_model();
  for (TensorSpec& tensor : spec.tensors) {
    if (tensor.type == 9 || tensor.type == 2) tensor.type = 0;
    tensor.scales.clear();
    tensor.zero_points.clear();
  }
  spec.tensors[1].data.resize(4 * 108);
  const WorkloadSurvey found = survey(spec);
  REQUIRE(found.nodes.size() == 4);
  for (const std::size_t i : {0U, 1U, 3U}) CHECK(verdict(found.nodes[i]) == "supported");
  CHECK_THAT(verdict(found.nodes[2]), Catch::Contains("an operator that is not supported"));
  for (const Node& node : found.graph.nodes) CHECK(is_float_node(found.graph, node));
}

TEST_CASE("a custom operator is called by its name") {
  ModelSpec spec = mixed_model();
  spec.operators[2] = {32, {4}, {5}, {}, "MyOp"};
  const WorkloadSurvey found = survey(spec);
  CHECK(found.nodes[2].op == "custom operator \"MyOp\"");
  CHECK_THAT(verdict(found.nodes[2]), Catch::Contains("operator 2 CUSTOM \"MyOp\": got a custom operator"));
}

TEST_CASE("a wrong tensor stops the operators that read or write it, and no others") {
  ModelSpec spec = mixed_model();
  spec.operators[2].code = 21;
  spec.tensors[4].scales = {-1.0F};  // z
  const WorkloadSurvey found = survey(spec);
  CHECK(verdict(found.nodes[0]) == "supported");
  CHECK_THAT(verdict(found.nodes[1]),
             Catch::Contains("tensor \"z\"") && Catch::Contains("a finite number above 0"));
  CHECK_THAT(verdict(found.nodes[2]), Catch::Contains("tensor \"z\""));
  CHECK(verdict(found.nodes[3]) == "supported");
  CHECK(is_computable(found.graph));
}

TEST_CASE("what validation finds in one operator stops that one") {
  ModelSpec spec = mixed_model();
  spec.operators[2].code = 21;
  spec.tensors[6].shape[1] = 5;  // v
  const WorkloadSurvey found = survey(spec);
  CHECK(verdict(found.nodes[2]) == "supported");
  CHECK_THAT(verdict(found.nodes[3]), Catch::Contains("shape 1x5x3x4"));
}

TEST_CASE("what is wrong with a model as a whole is no node's problem") {
  ModelSpec spec = mixed_model();
  spec.operators[2].code = 21;
  spec.outputs = {};
  const WorkloadSurvey found = survey(spec);
  for (const NodeSupport& node : found.nodes) CHECK(verdict(node) == "supported");
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems[0].place == "graph outputs");
  CHECK_FALSE(found.is_supported());
}

TEST_CASE("layers are looked at one by one") {
  const WorkloadSurvey found = survey(workload(kConv + R"(, {"op": "softmaxx", "name": "s", "input": "c"},
                  {"op": "relu", "name": "r", "input": "s"},
                  {"op": "relu6", "name": "q", "input": "c", "strides": 2},
                  {"op": "average_pool2d", "name": "p", "input": "c", "kernel": 5},
                  {"op": "tanh", "name": "t", "input": "c"}, 7)",
                                               "r"));
  REQUIRE(found.nodes.size() == 7);
  CHECK(verdict(found.nodes[0]) == "supported");
  CHECK(found.nodes[1].op == "softmaxx");
  CHECK_THAT(verdict(found.nodes[1]),
             Catch::Contains("layers[1].op: got \"softmaxx\"") && Catch::Contains("did you mean"));
  CHECK(verdict(found.nodes[2]) == "supported");
  CHECK(found.nodes[2].remarks.size() == 1);  // The shape of "s" is not known.
  CHECK_FALSE(found.nodes[2].graph_node);
  CHECK_THAT(verdict(found.nodes[3]), Catch::Contains("layers[3].strides"));
  CHECK_THAT(verdict(found.nodes[4]), Catch::Contains("layers[4]"));
  CHECK(verdict(found.nodes[5]) == "supported");
  CHECK(found.nodes[5].remarks.empty());
  CHECK_THAT(verdict(found.nodes[6]), Catch::Contains("layers[6]: got 7"));
  CHECK(found.nodes[6].name == "layers[6]");
  CHECK(found.graph.nodes.size() == 2);
  CHECK(is_computable(found.graph));
}

TEST_CASE("layers on a cycle are named, and so are those that wait for them") {
  const WorkloadSurvey found = survey(workload(kConv + R"(, {"op": "relu", "name": "a", "input": "b"},
      {"op": "relu", "name": "b", "input": "a"}, {"op": "relu", "name": "d", "input": "b"})",
                                               "d"));
  CHECK(verdict(found.nodes[0]) == "supported");
  for (const std::size_t i : {1U, 2U, 3U}) CHECK(found.nodes[i].status == NodeStatus::unsupported);
  CHECK_THAT(verdict(found.nodes[1]) + verdict(found.nodes[2]),
             Catch::Contains("\"a\" -> \"b\"") || Catch::Contains("\"b\" -> \"a\""));
}

TEST_CASE("weights without values stop their layer alone") {
  std::string conv = kConv;
  conv.replace(conv.find("\"scale\": 0.5}"), 13, R"("scale": 0.5, "values": [1, 2]})");
  const WorkloadSurvey found = survey(workload(conv + R"(, {"op": "relu", "name": "r", "input": "c"})", "r"));
  CHECK_THAT(verdict(found.nodes[0]),
             Catch::Contains("layers[0].weights.values") && Catch::Contains("6 values"));
  CHECK(verdict(found.nodes[1]) == "supported");
  CHECK(is_computable(found.graph));
}

TEST_CASE("a file whose nodes cannot be listed is refused") {
  CHECK_THROWS_AS(survey("[1, 2]"), InputError);
  CHECK_THROWS_AS(survey(R"({"name": "n", "semantics": "tflite"})"), InputError);
  CHECK_THROWS_AS(survey(R"({"layers": [)"), InputError);
  ModelSpec damaged = conv_model();
  damaged.operators[0].inputs[1] = 9;
  CHECK_THROWS_AS(survey(damaged), InputError);
}
