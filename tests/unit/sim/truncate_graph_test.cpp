#include "sim/cli/truncate_graph.h"

#include <catch2/catch.hpp>

#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/sim/sample_run.h"

using qsim::cli::truncate_graph;

namespace {

/// x -> conv -> y -> pool -> z, and another input u -> relu -> v that nobody uses afterwards.
qsim::Graph two_branches() {
  qsim::Graph graph = sample::graph();
  for (const char* name : {"z", "u", "v"}) {
    graph.tensors.push_back(graph.tensors[2]);
    graph.tensors.back().name = name;
  }
  graph.nodes.insert(graph.nodes.begin(), qsim::Node{"relu", "", qsim::UnaryOp{}, {4}, {5}});
  graph.nodes.push_back({"pool", "", qsim::Pool2dOp{}, {2}, {3}});
  graph.inputs = {0, 4};
  graph.outputs = {3, 5};
  return graph;
}

std::vector<std::string> node_names(const qsim::Graph& graph) {
  std::vector<std::string> names;
  for (const qsim::Node& node : graph.nodes) names.push_back(node.name);
  return names;
}

}  // namespace

TEST_CASE("a cut graph ends with the node and keeps only what it needs, in order") {
  qsim::Graph graph = two_branches();
  truncate_graph(graph, "conv");
  CHECK(node_names(graph) == std::vector<std::string>{"conv"});
  CHECK(graph.outputs == std::vector<qsim::TensorId>{2});
  CHECK(graph.inputs == std::vector<qsim::TensorId>{0});

  graph = two_branches();
  truncate_graph(graph, "pool");
  CHECK(node_names(graph) == std::vector<std::string>{"conv", "pool"});
}

TEST_CASE("a node that does not exist is named with the nearest one") {
  qsim::Graph graph = two_branches();
  CHECK(problems_of([&] { truncate_graph(graph, "cnov"); }).at(0).hint == "did you mean conv?");
}
