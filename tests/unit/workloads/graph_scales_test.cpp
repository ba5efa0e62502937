#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "tests/unit/workloads/graph_maker.h"

using namespace qsim;

namespace {

std::string scale_problems_of(const Graph& graph) {
  try {
    validate(graph);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TensorOptions scaled(float scale, int bits = 8) {
  return {bits, true, {scale}, {0}};
}

/// One node from "x" to "y", 1x4 elements.
Graph unary(Op op, float input_scale, float output_scale, int bits = 8) {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 4}, scaled(input_scale, bits));
  maker.add_node(std::move(op), {x}, maker.add("y", {1, 4}, scaled(output_scale, bits)));
  return maker.graph;
}

Graph fully_connected(float input_scale, float weight_scale, float output_scale) {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 4}, scaled(input_scale));
  const TensorId w = maker.add_constant("w", {3, 4}, scaled(weight_scale));
  maker.add_node(FullyConnectedOp{}, {x, w}, maker.add("y", {1, 3}, scaled(output_scale)));
  return maker.graph;
}

constexpr float kDenormal = std::numeric_limits<float>::denorm_min();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("a scale is a normal float32 number with room above") {
  for (const float scale : {0.0F, -1.0F, kDenormal, 1e-38F, 1.3e30F, kInfinity, std::nanf("")}) {
    CAPTURE(scale);
    CHECK_THAT(scale_problems_of(unary(DequantizeOp{}, scale, 1.0F)),
               Catch::Contains("tensor \"x\": got scale"));
  }
  for (const float scale : {1.2e-38F, 1e-6F, 1.0F, 1.2e30F}) {
    CAPTURE(scale);
    CHECK_THAT(scale_problems_of(unary(SoftmaxOp{}, scale, 1.0F)),
               !Catch::Contains("tensor \"x\": got scale"));
  }
}

TEST_CASE("an output stage multiplies by less than 2^31") {
  CHECK(scale_problems_of(fully_connected(1024.0F, 1024.0F, 1.0F / 2046.0F)).empty());
  CHECK_THAT(
      scale_problems_of(fully_connected(1024.0F, 1024.0F, 1.0F / 2048.0F)),
      Catch::Contains("input scale x weight scale / output scale: got 2.14748e+09, expected less than 2^31"));
  CHECK_THAT(scale_problems_of(fully_connected(1e20F, 1e20F, 1e10F)), Catch::Contains("got inf"));
  CHECK(
      scale_problems_of(fully_connected(1e-20F, 1e-25F, 1.0F)).empty());  // Every sum becomes the zero point.
  const Op op = GENERATE(as<Op>(), Op(QuantizeOp{}), Op(UnaryOp{UnaryKind::relu}), Op(MeanOp{{0}, true}));
  CHECK(scale_problems_of(unary(op, 1.0F, 1.0F / 2147483520.0F)).empty());
  CHECK_THAT(scale_problems_of(unary(op, 1.0F, 1.0F / 2147483648.0F)),
             Catch::Contains("input scale / output scale"));
}

TEST_CASE("a leaky relu's slope is part of its quotient") {
  CHECK(scale_problems_of(unary(UnaryOp{UnaryKind::leaky_relu, 0.1F}, 1.0F, 1.0F)).empty());
  for (const float alpha : {3e9F, -3e9F, kInfinity}) {
    CHECK_THAT(scale_problems_of(unary(UnaryOp{UnaryKind::leaky_relu, alpha}, 1.0F, 1.0F)),
               Catch::Contains("alpha"));
  }
}

TEST_CASE("a softmax sees differences of its inputs") {
  constexpr float kLeast = 1.0F / 67108864.0F;  // 2^-26
  CHECK(scale_problems_of(unary(SoftmaxOp{1.0F}, std::nextafter(kLeast, 1.0F), 1.0F / 256.0F)).empty());
  CHECK_THAT(scale_problems_of(unary(SoftmaxOp{1.0F}, kLeast, 1.0F / 256.0F)),
             Catch::Contains("above 2^-26"));
  CHECK(scale_problems_of(unary(SoftmaxOp{1.0F}, kLeast, 1.0F / 32768.0F, 16)).empty());
  CHECK_THAT(scale_problems_of(unary(SoftmaxOp{1.0F}, 32768.0F, 1.0F / 256.0F)),
             Catch::Contains("less than 32,768"));
}

TEST_CASE("16-bit logistic and tanh take scales whose multiples have 32 bits") {
  for (const UnaryKind kind : {UnaryKind::logistic, UnaryKind::tanh}) {
    // 2^31 / (2^15 * 12288) = 5.333
    CHECK(scale_problems_of(unary(UnaryOp{kind}, 5.3F, 1.0F / 32768.0F, 16)).empty());
    CHECK_THAT(scale_problems_of(unary(UnaryOp{kind}, 5.4F, 1.0F / 32768.0F, 16)),
               Catch::Contains("less than 5.33"));
    CHECK(scale_problems_of(unary(UnaryOp{kind}, 100.0F, 1.0F / 256.0F, 8)).empty());
  }
}

TEST_CASE("a product of input scales is part of its quotient") {
  const auto graph = [](BinaryKind kind) {
    GraphMaker maker;
    const TensorId a = maker.add_input("a", {1, 4}, scaled(1e5F));
    const TensorId b = maker.add_input("b", {1, 4}, scaled(1e5F));
    maker.add_node(BinaryOp{kind}, {a, b}, maker.add("y", {1, 4}, scaled(1.0F)));
    return maker.graph;
  };
  CHECK(scale_problems_of(graph(BinaryKind::add)).empty());
  CHECK_THAT(scale_problems_of(graph(BinaryKind::mul)),
             Catch::Contains("product of the input scales / output scale"));
}
