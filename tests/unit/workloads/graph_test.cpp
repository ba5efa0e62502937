#include "workloads/graph/graph.h"

#include <catch2/catch.hpp>
#include <functional>

#include "base/error.h"
#include "tests/unit/workloads/graph_maker.h"

using namespace qsim;

namespace {

/// x [1,8,8,4] -> convolution, 6 outputs, 3x3, stride 2, padded by 1 -> y [1,4,4,6]
GraphMaker conv_graph() {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 8, 8, 4});
  const TensorId w = maker.add_constant("w", {6, 3, 3, 4});
  const TensorId y = maker.add("y", {1, 4, 4, 6});
  Conv2dOp conv;
  conv.stride_h = conv.stride_w = 2;
  conv.pad_top = conv.pad_bottom = conv.pad_left = conv.pad_right = 1;
  maker.add_node(conv, {x, w, maker.add_bias(6)}, y);
  return maker;
}

std::string problems_of(const Graph& graph) {
  try {
    validate(graph);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a convolution with groups = input channels is called depthwise") {
  GraphMaker maker = conv_graph();
  CHECK(op_name(maker.graph, maker.graph.nodes[0]) == "conv2d");
  std::get<Conv2dOp>(maker.graph.nodes[0].op).groups = 4;
  CHECK(op_name(maker.graph, maker.graph.nodes[0]) == "depthwise_conv2d");
}

TEST_CASE("multiply-accumulates are output elements times reduction length") {
  const GraphMaker maker = conv_graph();
  CHECK(mac_count(maker.graph, maker.graph.nodes[0]) == (4 * 4 * 6) * (3 * 3 * 4));
}

TEST_CASE("a node without weights has no multiply-accumulates") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 4});
  maker.add_node(SoftmaxOp{}, {x}, maker.add("y", {1, 4}));
  CHECK(mac_count(maker.graph, maker.graph.nodes[0]) == 0);
}

TEST_CASE("a graph that fits together is valid") {
  CHECK(problems_of(conv_graph().graph).empty());
}

TEST_CASE("a graph without operators is not valid") {
  GraphMaker maker;
  maker.graph.outputs = {maker.add_input("x", {1, 4})};
  CHECK_THROWS_WITH(qsim::validate(maker.graph), Catch::Contains("no operators"));
}

TEST_CASE("what does not fit together is reported with its place") {
  using Change = std::function<void(Graph&)>;
  const auto [words, change] = GENERATE(table<std::string, Change>({
      {"tensor index 9", [](Graph& g) { g.nodes[0].inputs[0] = 9; }},
      {"tensor index -1", [](Graph& g) { g.outputs[0] = -1; }},
      {"name used twice", [](Graph& g) { g.tensors[1].name = "x"; }},
      {"a name", [](Graph& g) { g.tensors[1].name.clear(); }},
      {"shape 1x0x8x4", [](Graph& g) { g.tensors[0].shape[1] = 0; }},
      {"shape 1x8x8x1000000000", [](Graph& g) { g.tensors[0].shape[3] = 1'000'000'000; }},
      {"got scale 0, expected a finite number above 0", [](Graph& g) { g.tensors[0].quantization->scales = {0.0F}; }},
      {"scale inf", [](Graph& g) { g.tensors[0].quantization->scales = {INFINITY}; }},
      {"zero point 128", [](Graph& g) { g.tensors[0].quantization->zero_points = {128}; }},
      {"17 signed bits", [](Graph& g) { g.tensors[0].quantization->bits = 17; }},
      {"8 unsigned bits", [](Graph& g) { g.tensors[0].quantization->is_signed = false; }},
      {"5 scales", [](Graph& g) {
         g.tensors[1].quantization->axis = 0;
         g.tensors[1].quantization->scales.assign(5, 0.1F);
       }},
      {"quantization axis 4", [](Graph& g) { g.tensors[1].quantization->axis = 4; }},
      {"group_size 3, expected a divisor of the", [](Graph& g) { g.tensors[1].quantization->group_size = 3; }},
      {"0 multipliers of groups", [](Graph& g) { g.tensors[1].quantization->group_size = 2; }},
      {"no groups (0)", [](Graph& g) { g.tensors[0].quantization->group_size = 2; }},
      {"bytes of data", [](Graph& g) { g.tensors[1].data->bytes.pop_back(); }},
      {"4 bits", [](Graph& g) {
         g.tensors[1].quantization->bits = 4;
         g.tensors[1].data->set(7, 8);
       }},
      {"a tensor computed by the network", [](Graph& g) {
         g.tensors[1].data.reset();
         g.inputs.push_back(1);
       }},
      {"which has no value", [](Graph& g) { g.inputs.clear(); }},
      {"which has a value already", [](Graph& g) { g.inputs.push_back(2); }},
      {"output height", [](Graph& g) { g.tensors[2].shape[1] = 5; }},
      {"stride height", [](Graph& g) { std::get<Conv2dOp>(g.nodes[0].op).stride_h = 0; }},
      {"padding width", [](Graph& g) { std::get<Conv2dOp>(g.nodes[0].op).pad_left = -1; }},
      {"groups", [](Graph& g) { std::get<Conv2dOp>(g.nodes[0].op).groups = 3; }},
      {"input channels a group", [](Graph& g) { std::get<Conv2dOp>(g.nodes[0].op).groups = 2; }},
      {"one an output channel", [](Graph& g) {
         g.tensors[3].shape = {5};
         g.tensors[3].data = TensorData(ElementType::i32, {5});
       }},
  }));
  GraphMaker maker = conv_graph();
  change(maker.graph);
  CHECK_THAT(problems_of(maker.graph), Catch::Contains(words));
}

TEST_CASE("every problem of a graph is reported at once") {
  GraphMaker maker = conv_graph();
  std::get<Conv2dOp>(maker.graph.nodes[0].op).stride_h = 0;
  maker.graph.tensors[2].shape[3] = 7;
  try {
    validate(maker.graph);
    FAIL("the graph is not valid");
  } catch (const InputError& error) {
    CHECK(error.problems().size() == 2);
  }
}

TEST_CASE("a cycle is an input without a value") {
  GraphMaker maker;
  const TensorId a = maker.add("a", {4});
  const TensorId b = maker.add("b", {4});
  maker.add_node(ReshapeOp{}, {b}, a);
  maker.add_node(ReshapeOp{}, {a}, b);
  CHECK_THAT(problems_of(maker.graph), Catch::Contains("which has no value there"));
}

TEST_CASE("a window of padding alone is refused") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 4, 4, 1});
  Pool2dOp pool;
  pool.kernel_h = pool.kernel_w = 2;
  pool.stride_h = pool.stride_w = 2;
  pool.pad_top = 2;
  maker.add_node(pool, {x}, maker.add("y", {1, 3, 2, 1}));
  CHECK_THAT(problems_of(maker.graph), Catch::Contains("less than the kernel"));
}

TEST_CASE("a slice outside its input is refused, the last index inside is not") {
  const std::int64_t begin = GENERATE(7, 8);
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {8});
  maker.add_node(StridedSliceOp{{begin}, {-7}, {2}}, {x}, maker.add("y", {2}));
  CHECK(problems_of(maker.graph).empty() == (begin == 7));
}

TEST_CASE("one signed bit stands for -1 and 1") {
  const std::int64_t value = GENERATE(-1, 0, 1, 2);
  GraphMaker maker = conv_graph();
  Tensor& weights = maker.graph.tensor(1);
  weights.quantization->bits = 1;
  for (std::int64_t i = 0; i < weights.data->size(); ++i) weights.data->set(i, i % 2 == 0 ? 1 : -1);
  weights.data->set(5, value);
  CHECK(problems_of(maker.graph).empty() == (value == 1 || value == -1));
}
