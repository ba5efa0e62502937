// Edits of a float graph leave its function alone: outputs before and after are compared.
#include "quantization/graph_edits.h"

#include <catch2/catch.hpp>

#include "../workloads/float/float_graph.h"

using namespace qsim;

namespace {

void check_same_function(const FloatGraph& before, const FloatGraph& after, const TensorData& input) {
  const TensorData expected = before.run({input});
  const TensorData actual = after.run({input});
  REQUIRE(actual.shape == expected.shape);
  for (std::size_t i = 0; i < expected.as<float>().size(); ++i) {
    CHECK(actual.as<float>()[i] == Approx(expected.as<float>()[i]).epsilon(1e-5).margin(1e-5));
  }
}

/// conv (with or without bias) -> batch norm -> ReLU6 -> fully connected -> batch norm
FloatGraph network(bool with_bias) {
  FloatGraph maker(with_bias ? 1 : 2);
  const TensorId x = maker.add_input({1, 4, 4, 2});
  const TensorId w = maker.add_constant({3, 3, 3, 2});
  std::vector<TensorId> operands{x, w};
  if (with_bias) operands.push_back(maker.add_constant({3}));
  const TensorId conv = maker.add_node(Conv2dOp{}, operands, {1, 2, 2, 3});
  const TensorId norm =
      maker.add_node(BatchNormOp{}, {conv, maker.add_constant({3}), maker.add_constant({3})}, {1, 2, 2, 3});
  const TensorId relu = maker.add_node(UnaryOp{UnaryKind::relu6}, {norm}, {1, 2, 2, 3});
  const TensorId fc = maker.add_node(FullyConnectedOp{}, {relu, maker.add_constant({4, 12})}, {1, 4});
  maker.add_node(BatchNormOp{}, {fc, maker.add_constant({4}), maker.add_constant({4})}, {1, 4});
  return maker;
}

}  // namespace

TEST_CASE("batch norms fold into the layer before and change nothing") {
  for (const bool with_bias : {false, true}) {
    const FloatGraph before = network(with_bias);
    FloatGraph after = network(with_bias);
    CHECK(fold_batch_norm(after.graph) == 2);
    CHECK(after.graph.nodes.size() == 3);
    CHECK(after.graph.folded_nodes.size() == 2);
    FloatGraph numbers(9);
    check_same_function(before, after, numbers.random_data({1, 4, 4, 2}));
  }
}

TEST_CASE("activations fuse into the operation before and change nothing") {
  const FloatGraph before = network(true);
  FloatGraph after = network(true);
  fold_batch_norm(after.graph);
  CHECK(fuse_activations(after.graph) == 1);
  CHECK(std::get<Conv2dOp>(after.graph.nodes[0].op).activation == Activation::relu6);
  FloatGraph numbers(9);
  check_same_function(before, after, numbers.random_data({1, 4, 4, 2}));
}

TEST_CASE("what others read is neither folded nor fused") {
  FloatGraph maker;
  const TensorId x = maker.add_input({1, 4});
  const TensorId fc = maker.add_node(FullyConnectedOp{}, {x, maker.add_constant({4, 4})}, {1, 4});
  const TensorId norm =
      maker.add_node(BatchNormOp{}, {fc, maker.add_constant({4}), maker.add_constant({4})}, {1, 4});
  const TensorId relu = maker.add_node(UnaryOp{UnaryKind::relu}, {fc}, {1, 4});
  maker.add_node(BinaryOp{}, {norm, relu}, {1, 4});
  CHECK(fold_batch_norm(maker.graph) == 0);
  CHECK(fuse_activations(maker.graph) == 0);
  CHECK(maker.graph.nodes.size() == 4);
}

TEST_CASE("layers that share weights get their own before a norm scales them") {
  const auto make = [] {
    FloatGraph maker(6);
    const TensorId x = maker.add_input({1, 3});
    const TensorId w = maker.add_constant({3, 3});
    const TensorId a = maker.add_node(FullyConnectedOp{}, {x, w}, {1, 3});
    const TensorId norm =
        maker.add_node(BatchNormOp{}, {a, maker.add_constant({3}), maker.add_constant({3})}, {1, 3});
    const TensorId b = maker.add_node(FullyConnectedOp{}, {norm, w}, {1, 3});
    maker.add_node(BinaryOp{}, {b, norm}, {1, 3});
    return maker;
  };
  const FloatGraph before = make();
  FloatGraph after = make();
  CHECK(fold_batch_norm(after.graph) == 1);
  FloatGraph numbers(9);
  check_same_function(before, after, numbers.random_data({1, 3}));
}

TEST_CASE("dynamic-range weights become s * q") {
  FloatGraph maker;
  const TensorId x = maker.add_input({1, 2});
  const TensorId w = maker.add_constant({1, 2});
  Tensor& weights = maker.graph.tensor(w);
  weights.type = ElementType::i8;
  weights.data = TensorData(ElementType::i8, {1, 2});
  weights.data->set(0, -100);
  weights.data->set(1, 50);
  weights.quantization = Quantization{8, true, {0.02F}, {0}, -1, 0};
  maker.add_node(FullyConnectedOp{}, {x, w}, {1, 1});
  CHECK(dequantize_weights(maker.graph) == 1);
  CHECK(values_of(*maker.graph.tensor(w).data) == std::vector<float>{-2.0F, 1.0F});
}
