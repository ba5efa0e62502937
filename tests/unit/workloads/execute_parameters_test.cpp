#include <catch2/catch.hpp>

#include "base/error.h"
#include "tests/unit/workloads/graph_maker.h"
#include "workloads/ops/definition.h"

using namespace qsim;
using namespace qsim::arithmetic;

namespace {

GraphMaker layer_with(const Op& op, int activation_bits, ElementType bias_type) {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 1, 1, 4}, {activation_bits, true, {0.5F}, {0}});
  const TensorId w = maker.add_constant("w", {2, 1, 1, 4});
  const TensorId b = maker.add_bias(2);
  maker.graph.tensor(b).type = bias_type;
  maker.graph.tensor(b).data = TensorData(bias_type, {2});
  maker.add_node(op, {x, w, b}, maker.add("y", {1, 1, 1, 2}, {activation_bits, true, {0.5F}, {0}}));
  return maker;
}

template <typename Function, typename Family>
bool is_function(const GraphMaker& maker, std::size_t input = 0) {
  return std::holds_alternative<Function>(
      std::get<Family>(vector_function(maker.graph, maker.graph.nodes[0], input)));
}

}  // namespace

TEST_CASE("the preload holds the bias and the terms of both zero points") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 3}, {8, true, {0.1F}, {10}});
  const TensorId w = maker.add_constant("w", {2, 3}, {8, true, {0.1F, 0.1F}, {0, 4}});
  const TensorId b = maker.add_bias(2);
  constexpr std::array<int, 6> kWeights{1, 2, 3, -1, -2, 5};
  for (std::size_t i = 0; i < kWeights.size(); ++i)
    maker.graph.tensor(w).data->set(static_cast<std::int64_t>(i), kWeights[i]);
  maker.graph.tensor(b).data->set(0, 100);
  maker.graph.tensor(b).data->set(1, 200);
  maker.add_node(FullyConnectedOp{}, {x, w, b}, maker.add("y", {1, 2}));
  // 100 - 10 * 6 + 3 * 10 * 0 and 200 - 10 * 2 + 3 * 10 * 4
  CHECK(folded_bias(maker.graph, maker.graph.nodes[0]) == std::vector<std::int64_t>{40, 300});
}

TEST_CASE("an activation's bounds become output integers inside the format") {
  const auto [activation, low, high] = GENERATE(table<Activation, int, int>({
      {Activation::none, -128, 127},
      {Activation::relu, -20, 127},
      {Activation::relu6, -20, 40},  // 6 / 0.1 - 20
      {Activation::relu_n1_to_1, -30, -10},
  }));
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {4});
  const TensorId y = maker.add("y", {4}, {8, true, {0.1F}, {-20}});
  maker.add_node(BinaryOp{BinaryKind::add, activation}, {x, x}, y);
  const ClampRange range = output_clamp(maker.graph, maker.graph.nodes[0]);
  CHECK(range.min == low);
  CHECK(range.max == high);
}

TEST_CASE("the automatic rounding profile follows semantics, operation and widths") {
  GraphMaker maker = layer_with(Conv2dOp{}, 8, ElementType::i32);
  const auto profile_of = [](const GraphMaker& m) {
    return automatic_rounding_profile(m.graph, m.graph.nodes[0]);
  };
  CHECK(profile_of(maker) == RoundingProfile::fixed_point_double_rounding);
  maker.graph.semantics = Semantics::onnx;
  CHECK(profile_of(maker) == RoundingProfile::float32);
  maker.graph.rounding_profile = RoundingProfile::power_of_two;
  CHECK(profile_of(maker) == RoundingProfile::power_of_two);
  CHECK(profile_of(layer_with(Conv2dOp{}, 16, ElementType::i64)) ==
        RoundingProfile::fixed_point_16bit_multiplier);
  CHECK(profile_of(layer_with(Conv2dOp{}, 16, ElementType::i32)) ==
        RoundingProfile::fixed_point_double_rounding);
  CHECK(profile_of(layer_with(FullyConnectedOp{}, 8, ElementType::i32)) == RoundingProfile::float64);
}

TEST_CASE("data movement copies, 16-bit TFLite concatenation too") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {4}, {16, true, {0.5F}, {0}});
  maker.add_node(ConcatOp{0}, {x, x}, maker.add("y", {8}, {16, true, {0.25F}, {0}}));
  CHECK(is_function<CopyFunction, UnaryFunction>(maker, 1));
  maker.graph.semantics = Semantics::onnx;
  CHECK(is_function<TableFunction, UnaryFunction>(maker, 1));
}

TEST_CASE("semantics choose the functions") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 2, 2, 1});
  maker.add_node(MeanOp{{1, 2}, true}, {x}, maker.add("y", {1, 1, 1, 1}));
  CHECK(is_function<TfliteMeanFunction, WindowFunction>(maker));
  maker.graph.semantics = Semantics::onnx;
  CHECK(is_function<OnnxMeanFunction, WindowFunction>(maker));
  Pool2dOp pool;
  pool.kind = PoolKind::average;
  pool.kernel_h = pool.kernel_w = 2;
  maker.graph.nodes[0].op = pool;
  CHECK(is_function<OnnxGlobalAveragePoolFunction, WindowFunction>(maker));
  maker.graph.nodes[0].op = BinaryOp{BinaryKind::mul, Activation::none};
  maker.graph.nodes[0].inputs = {x, x};
  CHECK(is_function<OnnxMulFunction, BinaryFunction>(maker));
}

TEST_CASE("an input of another type, shape or range is refused") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {2}, {4, true, {0.5F}, {0}});
  TensorData value(ElementType::i8, {2});
  value.set(1, 7);
  CHECK_NOTHROW(check_input(maker.graph, x, value, "x.npy"));
  value.set(1, 8);
  CHECK_THROWS_WITH(check_input(maker.graph, x, value, "x.npy"),
                    "x.npy: input \"x\" element 1: got 8, expected -8 to 7; the input has 4 bits");
  CHECK_THROWS_AS(check_input(maker.graph, x, TensorData(ElementType::i8, {3}), "x.npy"), InputError);
  CHECK_THROWS_AS(check_input(maker.graph, x, TensorData(ElementType::i16, {2}), "x.npy"), InputError);
}
