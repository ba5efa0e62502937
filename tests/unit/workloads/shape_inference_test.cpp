#include "workloads/graph/shape_inference.h"

#include <catch2/catch.hpp>

using namespace qsim;

namespace {

Shape inferred(const Op& op, const std::vector<Shape>& inputs, const std::optional<Shape>& declared = {}) {
  const InferredShape result = infer_output_shape(op, inputs, declared);
  return result.ok() ? result.shape : Shape{};
}

}  // namespace

TEST_CASE("a product of activations broadcasts its leading dimensions as numpy does") {
  CHECK(inferred(MatMulOp{}, {{3, 4}, {4, 5}}) == Shape{3, 5});
  CHECK(inferred(MatMulOp{true}, {{3, 4}, {5, 4}}) == Shape{3, 5});
  CHECK(inferred(MatMulOp{}, {{2, 1, 3, 4}, {7, 4, 5}}) == Shape{2, 7, 3, 5});
  CHECK(inferred(MatMulOp{}, {{2, 3, 4}, {3, 4, 5}}).empty());
  CHECK(inferred(MatMulOp{}, {{3, 4}, {5, 4}}).empty());
  CHECK(inferred(MatMulOp{}, {{4}, {4, 5}}).empty());
}

TEST_CASE("a resize has the declared height and width, or the input's times the scales") {
  ResizeOp op;
  op.scale_h = 2.5F;
  op.scale_w = 0.6F;
  CHECK(inferred(op, {{1, 3, 5, 4}}) == Shape{1, 7, 3, 4});  // floor(7.5), floor(3.0)
  CHECK(inferred(op, {{1, 3, 5, 4}}, Shape{1, 8, 2, 4}) == Shape{1, 8, 2, 4});
  op.scale_h = 0.1F;
  CHECK(inferred(op, {{1, 3, 5, 4}}).empty());
}
