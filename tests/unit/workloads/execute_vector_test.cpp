// Nodes on the vector unit: which elements meet. What is computed of them is tested with the functions.
#include <catch2/catch.hpp>

#include "tests/unit/workloads/graph_maker.h"
#include "workloads/ops/definition.h"

using namespace qsim;
using namespace qsim::arithmetic;

namespace {

TensorData numbered(const Shape& shape) {
  TensorData data(ElementType::i8, shape);
  for (std::int64_t i = 0; i < data.size(); ++i) data.set(i, i);
  return data;
}

std::vector<std::int64_t> values(const TensorData& data) {
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < data.size(); ++i) result.push_back(data.at(i));
  return result;
}

std::vector<std::int64_t> run_on_numbers(const Shape& in, const Op& op, const Shape& out) {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", in);
  maker.add_node(op, {x}, maker.add("y", out));
  return values(run_last_node(maker.graph, {numbered(in)}).output);
}

using Values = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("padding surrounds the input with its value") {
  CHECK(run_on_numbers({2, 2}, PadOp{{1, 0}, {0, 2}, -9}, {3, 4}) ==
        Values{-9, -9, -9, -9, 0, 1, -9, -9, 2, 3, -9, -9});
}

TEST_CASE("a strided slice takes begin, begin + stride and so on") {
  CHECK(run_on_numbers({4, 5}, StridedSliceOp{{1, 0}, {2, 3}, {2, 2}}, {2, 2}) == Values{5, 8, 15, 18});
  CHECK(run_on_numbers({6}, StridedSliceOp{{5}, {-2}, {3}}, {3}) == Values{5, 3, 1});
  CHECK(run_on_numbers({3, 4}, StridedSliceOp{{2, 1}, {1, 1}, {1, 2}}, {2}) == Values{9, 10});
}

TEST_CASE("a transposition puts input dimension permutation[i] at output dimension i") {
  // numpy.arange(6).reshape(1, 2, 3).transpose(2, 0, 1)
  CHECK(run_on_numbers({1, 2, 3}, TransposeOp{{2, 0, 1}}, {3, 1, 2}) == Values{0, 3, 1, 4, 2, 5});
}

TEST_CASE("a reshape keeps the order") {
  CHECK(run_on_numbers({2, 3}, ReshapeOp{}, {3, 1, 2}) == Values{0, 1, 2, 3, 4, 5});
}

TEST_CASE("a concatenation puts its inputs side by side along the axis") {
  const auto [axis, shape, expected] = GENERATE(table<int, Shape, Values>({
      {0, {4, 2}, {0, 1, 2, 3, 0, 1, 2, 3}},
      {1, {2, 4}, {0, 1, 0, 1, 2, 3, 2, 3}},
  }));
  GraphMaker maker;
  const TensorId a = maker.add_input("a", {2, 2});
  const TensorId b = maker.add_input("b", {2, 2});
  maker.add_node(ConcatOp{axis}, {a, b}, maker.add("y", shape));
  CHECK(values(run_last_node(maker.graph, {numbered({2, 2}), numbered({2, 2})}).output) == expected);
}

TEST_CASE("a concatenation rescales an 8-bit input of another scale") {
  GraphMaker maker;
  const TensorId a = maker.add_input("a", {2}, {8, true, {0.5F}, {0}});
  const TensorId b = maker.add_input("b", {2}, {8, true, {1.0F}, {10}});
  maker.add_node(ConcatOp{0}, {a, b}, maker.add("y", {4}, {8, true, {0.5F}, {0}}));
  TensorData second(ElementType::i8, {2});
  second.set(0, 10);  // real 0
  second.set(1, 15);  // real 5 = 10 * 0.5
  CHECK(values(run_last_node(maker.graph, {numbered({2}), second}).output) == Values{0, 1, 0, 10});
}

TEST_CASE("an elementwise operation repeats dimensions of 1") {
  const auto [a_shape, b_shape, y_shape] = GENERATE(table<Shape, Shape, Shape>({
      {{2, 3, 4}, {2, 3, 4}, {2, 3, 4}},
      {{2, 3, 4}, {1, 1, 4}, {2, 3, 4}},
      {{2, 3, 4}, {4}, {2, 3, 4}},
      {{2, 1, 4}, {1, 3, 1}, {2, 3, 4}},
      {{2, 3, 1}, {2, 3, 4}, {2, 3, 4}},
      {{1}, {2, 3, 4}, {2, 3, 4}},
      {{2, 3, 4}, {}, {2, 3, 4}},
  }));
  GraphMaker maker(21);
  const TensorId a = maker.add_input("a", a_shape, {8, true, {0.03F}, {5}});
  const TensorId b = maker.add_input("b", b_shape, {8, true, {0.07F}, {-9}});
  maker.add_node(BinaryOp{BinaryKind::sub, Activation::none}, {a, b},
                 maker.add("y", y_shape, {8, true, {0.08F}, {1}}));
  const TensorData x1 = maker.random_data(maker.graph.tensor(a));
  const TensorData x2 = maker.random_data(maker.graph.tensor(b));
  const auto function = std::get<BinaryFunction>(vector_function(maker.graph, maker.graph.nodes[0]));
  const TensorData y = run_last_node(maker.graph, {x1, x2}).output;
  const auto element = [](const TensorData& x, const std::array<std::int64_t, 3>& index) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < x.shape.size(); ++d) {
      const std::int64_t size = x.shape[d];
      offset = offset * size + (size == 1 ? 0 : index[d + 3 - x.shape.size()]);
    }
    return x.at(offset);
  };
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const std::array<std::int64_t, 3> index{i / 12, i / 4 % 3, i % 4};
    CHECK(y.at(i) == evaluate(function, element(x1, index), element(x2, index)));
  }
}

TEST_CASE("pooling leaves padding out") {
  Pool2dOp pool;
  pool.kernel_h = pool.kernel_w = 2;
  pool.stride_h = pool.stride_w = 2;
  pool.pad_top = pool.pad_left = 1;
  pool.pad_bottom = 1;
  pool.kind = GENERATE(PoolKind::max, PoolKind::average);
  // 0 1 2      windows: {0} {1 2}
  // 3 4 5               {3 6} {4 5 7 8}
  // 6 7 8               (a row of padding below)
  const Values expected = pool.kind == PoolKind::max ? Values{0, 2, 6, 8} : Values{0, 2, 5, 6};
  CHECK(run_on_numbers({1, 3, 3, 1}, pool, {1, 2, 2, 1}) == expected);
}

TEST_CASE("a mean reduces its axes and keeps the others") {
  // [[0 1 2][3 4 5]] [[6 7 8][9 10 11]]
  CHECK(run_on_numbers({2, 2, 3}, MeanOp{{0, 2}, true}, {1, 2, 1}) == Values{4, 7});
  CHECK(run_on_numbers({2, 2, 3}, MeanOp{{1}, false}, {2, 3}) == Values{2, 3, 4, 8, 9, 10});
}

TEST_CASE("softmax runs over the last dimension, row by row") {
  GraphMaker maker(4);
  const TensorId x = maker.add_input("x", {2, 5}, {8, true, {0.1F}, {3}});
  maker.add_node(SoftmaxOp{}, {x}, maker.add("y", {2, 5}, {8, true, {1.0F / 256.0F}, {-128}}));
  const TensorData input = maker.random_data(maker.graph.tensor(x));
  const TensorData y = run_last_node(maker.graph, {input}).output;
  const auto function = std::get<RowFunction>(vector_function(maker.graph, maker.graph.nodes[0]));
  const Values in = values(input);
  for (std::size_t row = 0; row < 2; ++row) {
    Values expected(5);
    evaluate(function, std::span(in).subspan(5 * row, 5), expected);
    const Values all = values(y);
    CHECK(Values(all.begin() + static_cast<std::ptrdiff_t>(5 * row),
                 all.begin() + static_cast<std::ptrdiff_t>(5 * row + 5)) == expected);
  }
}

TEST_CASE("quantize and dequantize meet in floats") {
  GraphMaker maker;
  Tensor real;
  real.name = "real";
  real.shape = {3};
  real.type = ElementType::f32;
  maker.graph.tensors.push_back(real);
  maker.graph.inputs.push_back(0);
  const TensorId q = maker.add("q", {3}, {8, true, {0.5F}, {3}});
  maker.add_node(QuantizeOp{}, {0}, q);
  real.name = "back";
  maker.graph.tensors.push_back(real);
  maker.add_node(DequantizeOp{}, {q}, 2);
  TensorData input(ElementType::f32, {3});
  input.as<float>()[0] = 1.25F;    // 2.5 + 3, half away from zero: 6
  input.as<float>()[1] = -1.25F;   // -3 + 3 = 0
  input.as<float>()[2] = 1000.0F;  // limited to 127
  const TensorData back = run_last_node(maker.graph, {input}).output;
  CHECK(back.as<float>()[0] == 1.5F);
  CHECK(back.as<float>()[1] == -1.5F);
  CHECK(back.as<float>()[2] == 62.0F);
}

TEST_CASE("an executor runs again with another input") {
  GraphMaker maker(2);
  const TensorId x = maker.add_input("x", {1, 6});
  const TensorId w = maker.add_constant("w", {4, 6});
  maker.add_node(FullyConnectedOp{}, {x, w}, maker.add("y", {1, 4}));
  Executor executor(maker.graph);
  TensorData first = maker.random_data(maker.graph.tensor(x));
  executor.set_input(x, first);
  static_cast<void>(executor.run_node(maker.graph.nodes[0], {}));
  const Values once = values(executor.value(2));
  executor.set_input(x, maker.random_data(maker.graph.tensor(x)));
  static_cast<void>(executor.run_node(maker.graph.nodes[0], {}));
  CHECK(values(executor.value(2)) != once);
  executor.set_input(x, first);
  static_cast<void>(executor.run_node(maker.graph.nodes[0], {}));
  CHECK(values(executor.value(2)) == once);
  executor.release(2);
  CHECK_FALSE(executor.has_value(2));
  CHECK_THROWS_AS(executor.value(2), std::logic_error);
}
