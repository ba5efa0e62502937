// SCALE-Sim topology files: both forms, what is left out of them, and what is wrong with a row.
#include <catch2/catch.hpp>

#include "base/atomic_file.h"
#include "tests/unit/base/scratch_folder.h"
#include "workloads/readers/load.h"
#include "workloads/readers/scalesim/scalesim_reader.h"
#include "workloads/readers/scalesim/scalesim_rows.h"
#include "workloads/readers/support.h"
#include "workloads/readers/workload_format.h"

using namespace qsim;

namespace {

Graph graph_of(const std::string& text) {
  const ScratchFolder folder;
  write_file_atomically(folder.path("t.csv"), text);
  return load_workload(folder.path("t.csv"), {});
}

std::vector<Problem> problems_of(const std::string& text) {
  try {
    (void)graph_of(text);
  } catch (const InputError& error) {
    return error.problems();
  }
  return {};
}

Problem only_problem(const std::string& text) {
  const std::vector<Problem> problems = problems_of(text);
  for (const Problem& problem : problems) UNSCOPED_INFO(problem.to_string());
  REQUIRE(problems.size() == 1);
  return problems[0];
}

const Conv2dOp& convolution(const Graph& graph, std::size_t node) {
  return std::get<Conv2dOp>(graph.nodes[node].op);
}

const std::string kHeading =
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n";

}  // namespace

TEST_CASE("layers of a topology have inputs, weights and outputs of their own") {
  const Graph graph = graph_of(kHeading + "Conv1, 12, 10, 3, 5, 4, 7, 1,\nFC, 1, 1, 1, 1, 8, 3, 1,\n");
  REQUIRE(graph.nodes.size() == 2);
  CHECK(graph.name == "t");
  CHECK(graph.nodes[0].name == "Conv1");
  CHECK(graph.nodes[1].place == "line 3");
  CHECK(graph.tensor(graph.nodes[0].inputs[0]).shape == Shape{1, 12, 10, 4});
  CHECK(graph.tensor(graph.nodes[0].inputs[1]).shape == Shape{7, 3, 5, 4});
  CHECK(graph.tensor(graph.nodes[0].outputs[0]).shape == Shape{1, 10, 6, 7});
  CHECK(graph.tensor(graph.nodes[1].outputs[0]).shape == Shape{1, 1, 1, 3});
  CHECK(graph.inputs.size() == 2);
  CHECK(graph.outputs.size() == 2);
}

TEST_CASE("an output size that is rounded up is zero padding at the bottom and right") {
  // ceil((7 - 3 + 2) / 2) = 3 and ceil((8 - 3 + 2) / 2) = 4: rows 0..6 of 7, columns 0..8 of 8.
  const Graph graph = graph_of("a, 7, 8, 3, 3, 1, 1, 2,\n");
  const Conv2dOp& op = convolution(graph, 0);
  CHECK(graph.tensor(graph.outputs[0]).shape == Shape{1, 3, 4, 1});
  CHECK(op.pad_top == 0);
  CHECK(op.pad_bottom == 0);
  CHECK(op.pad_left == 0);
  CHECK(op.pad_right == 1);
  CHECK(graph.tensor(graph.inputs[0]).quantization->zero_point() == 0);
}

TEST_CASE("heading, last comma, blanks, empty lines and carriage returns may be there or not") {
  for (const char* text :
       {"a,4,4,3,3,2,5,1", "a,4,4,3,3,2,5,1,\n", "a, 4, 4, 3, 3, 2, 5, 1, \r\n",
        "x,IFMAP Height,W,h,w,C,N,S,\n\n a ,4,4,3,3,2,5,1,\n\n", "a,4,4,3,3,2,5,1,1:1,\n"}) {
    const Graph graph = graph_of(text);
    REQUIRE(graph.nodes.size() == 1);
    CHECK(graph.nodes[0].name == "a");
    CHECK(graph.tensor(graph.outputs[0]).shape == Shape{1, 2, 2, 5});
  }
}

TEST_CASE("an eighth number is the horizontal stride") {
  const Conv2dOp op = convolution(graph_of("a,9,9,3,3,1,1,2,3,\n"), 0);
  CHECK(op.stride_h == 2);
  CHECK(op.stride_w == 3);
}

TEST_CASE("M, N, K is a product of M x K by K x N") {
  const Graph graph = graph_of("Layer,M,N,K,\nqkv,5,7,3,\n");
  REQUIRE(std::holds_alternative<FullyConnectedOp>(graph.nodes[0].op));
  CHECK(graph.tensor(graph.inputs[0]).shape == Shape{5, 3});
  CHECK(graph.tensor(graph.nodes[0].inputs[1]).shape == Shape{7, 3});
  CHECK(graph.tensor(graph.outputs[0]).shape == Shape{5, 7});
  CHECK(mac_count(graph, graph.nodes[0]) == 5 * 7 * 3);
}

TEST_CASE("DP in a name makes a convolution depthwise") {
  const Graph graph = graph_of("Conv2_DP,6,6,3,3,8,2,1,\n");
  CHECK(convolution(graph, 0).groups == 8);
  CHECK(graph.tensor(graph.nodes[0].inputs[1]).shape == Shape{16, 3, 3, 1});
  CHECK(graph.tensor(graph.outputs[0]).shape == Shape{1, 4, 4, 16});
}

TEST_CASE("equal names are told apart, and so are tensors named after them") {
  const Graph graph = graph_of("a,1,1,1,1,1,1,1\na,1,1,1,1,1,1,1\na.input,1,1,1,1,1,1,1\n,1,1,1,1,1,1,1\n");
  CHECK(graph.nodes[1].name == "a#2");
  CHECK(graph.nodes[2].name == "a.input#2");
  CHECK(graph.nodes[3].name == "layer4");
}

TEST_CASE("bytes of a name that are no UTF-8 are replaced, so that reports can hold it") {
  CHECK(graph_of("caf\xe9,8,16,32,\n").nodes[0].name == "caf\xef\xbf\xbd");
}

TEST_CASE("weights are generated from their names") {
  const Graph one = graph_of("a,4,4,3,3,2,5,1,\n");
  const Graph two = graph_of("b,4,4,3,3,2,5,1,\na,4,4,3,3,2,5,1,\n");
  const auto& weights = one.tensor(one.nodes[0].inputs[1]).data->bytes;
  CHECK(weights == two.tensor(two.nodes[1].inputs[1]).data->bytes);
  CHECK(weights != two.tensor(two.nodes[0].inputs[1]).data->bytes);
}

TEST_CASE("a bad row is an error with its line") {
  const std::string good = kHeading + "a,4,4,3,3,2,5,1,\n";
  Problem problem = only_problem(good + "b,4,4,3,3,2,5,\n");
  CHECK(problem.place == "line 3");
  CHECK(problem.value == "6 numbers behind the name");
  problem = only_problem(good + "b,4,4,3,3,2,five,1,\n");
  CHECK(problem.place == "line 3");
  CHECK(problem.value == "\"five\"");
  problem = only_problem(good + "\nb,4,4,3,3,2,0,1,\n");
  CHECK(problem.place == "line 4");
  CHECK(problem.value == "\"0\"");
  CHECK(only_problem(good + "b,4,4,5,3,2,5,1,\n").value == "filter height 5");
  CHECK(only_problem(good + "b,4,4,3,3,2,5,1,2:4,\n").value == "sparsity 2:4");
  CHECK(only_problem(good + "b,5,7,3,\n").expected == "7 or 8, as in the rows before");
  CHECK(only_problem(good + "b,\"4,4,3,3,2,5,1,\n").place == "line 3");
  CHECK(only_problem(kHeading).value == "no layers");
  CHECK(problems_of(good + "b,4\nc,5,5,3,3,x,5,1,\n").size() == 2);
}

TEST_CASE("sizes are checked before anything is allocated") {
  CHECK(only_problem("a,1000000,1000000,1,1,1,1,1,\n").place == "line 1");
  CHECK(only_problem("a,1,1,1,1,1000000000,1000000000,1,\n").place == "line 1");
  CHECK(only_problem("a_DP,1,1,1,1,1000000000,1000000000,1,\n").place == "line 1");
  std::string many;
  for (int i = 0; i < 8; ++i) many += "a,1,1,1,1,1048576,1024,1,\n";  // more than 2^30 bytes each
  CHECK(only_problem(many).place == "line 8");
}

TEST_CASE("a survey lists every row, right or wrong") {
  const ScratchFolder folder;
  write_file_atomically(folder.path("t.csv"), "a,4,4,3,3,2,5,1,\nb,4,4\nc,4,4,3,3,2,5,1,\n");
  const WorkloadSurvey survey = survey_workload(folder.path("t.csv"), {});
  REQUIRE(survey.nodes.size() == 3);
  CHECK(survey.format->name == "scalesim");
  CHECK(survey.nodes[0].status == NodeStatus::supported);
  CHECK(survey.nodes[1].status == NodeStatus::unsupported);
  CHECK(survey.nodes[1].problems.at(0).place == "line 2");
  CHECK(survey.nodes[2].graph_node == 1);
}

TEST_CASE("a first row with numbers that are wrong is no heading") {
  for (const char* row : {"conv1, 8.5, 8.5, 3.5, 3.5, 2.5, 5.5, 1.5,\n",
                          "conv1, -8, -8, -3, -3, -2, -5, -1,\n", "conv1, .5, +x, h, w, c, n, s,\n"}) {
    const std::vector<Problem> problems = problems_of(row);
    REQUIRE_FALSE(problems.empty());
    CHECK(problems[0].place == "line 1");
  }
}

TEST_CASE("a product with a number that is wrong is still a product") {
  const ScratchFolder folder;
  write_file_atomically(folder.path("t.csv"), "Layer,M,N,K,\na,4,x,3,\nb,4,5,\n");
  for (const ScalesimRow& row : read_scalesim_rows(folder.path("t.csv"))) {
    CHECK(row.form == ScalesimForm::gemm);
    CHECK_FALSE(row.layer);
  }
}

TEST_CASE("all tensors together have a limit, not the weights alone") {
  std::string text;
  for (int i = 0; i < 9; ++i) text += "a,1073741824,1,1,\n";  // 2 GiB each: inputs and outputs
  const std::vector<Problem> problems = problems_of(text);
  REQUIRE_FALSE(problems.empty());
  CHECK(problems[0].place == "line 4");
  CHECK(problems[0].value.find("bytes of tensors") != std::string::npos);
}
