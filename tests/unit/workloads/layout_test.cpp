#include "workloads/graph/layout.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "tests/unit/workloads/graph_maker.h"

using namespace qsim;

namespace {

Tensor tensor_of(Shape shape, std::vector<int> model_axes) {
  Tensor tensor;
  tensor.name = "t";
  tensor.type = ElementType::i16;
  tensor.shape = std::move(shape);
  tensor.model_axes = std::move(model_axes);
  return tensor;
}

TensorData counted(const Shape& shape) {
  TensorData data(ElementType::i16, shape);
  for (std::int64_t i = 0; i < data.size(); ++i) data.set(i, i);
  return data;
}

}  // namespace

TEST_CASE("a tensor of a model in NCHW lies channels last in the graph") {
  const Tensor tensor = tensor_of({2, 3, 4, 5}, {0, 3, 1, 2});  // N, H, W, C
  CHECK(model_shape(tensor) == Shape{2, 5, 3, 4});
  const TensorData graph = counted(tensor.shape);
  const TensorData model = to_model_layout(graph, tensor);
  REQUIRE(model.shape == Shape{2, 5, 3, 4});
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t c = 0; c < 5; ++c)
      for (std::int64_t h = 0; h < 3; ++h)
        for (std::int64_t w = 0; w < 4; ++w)
          CHECK(model.at(((n * 5 + c) * 3 + h) * 4 + w) == ((n * 3 + h) * 4 + w) * 5 + c);
}

TEST_CASE("the way into the graph undoes the way out") {
  for (const auto& axes : {std::vector<int>{0, 3, 1, 2}, {3, 2, 1, 0}, {1, 0, 3, 2}, {}}) {
    const Tensor tensor = tensor_of({2, 3, 4, 5}, axes);
    const TensorData graph = counted(tensor.shape);
    const TensorData back = from_model_layout(to_model_layout(graph, tensor), tensor);
    CHECK(back.shape == graph.shape);
    CHECK(back.bytes == graph.bytes);
  }
}

TEST_CASE("a one-dimensional convolution's tensor has no height in its model") {
  const Tensor tensor = tensor_of({2, 1, 4, 3}, {0, 3, 2});  // N, H = 1, W, C; the model has N, C, W
  CHECK(model_shape(tensor) == Shape{2, 3, 4});
  const TensorData model = to_model_layout(counted(tensor.shape), tensor);
  CHECK(model.at((1 * 3 + 2) * 4 + 1) == (1 * 4 + 1) * 3 + 2);
}

TEST_CASE("a tensor without axes of its own keeps its layout") {
  const Tensor tensor = tensor_of({2, 3}, {});
  CHECK(model_shape(tensor) == tensor.shape);
  CHECK(to_model_layout(counted(tensor.shape), tensor).bytes == counted(tensor.shape).bytes);
}

TEST_CASE("axes that do not fit the shape are refused") {
  for (const auto& axes : {std::vector<int>{0, 3, 1, 4}, {0, 3, 3, 2}, {0, 3, -1, 2}, {0, 3, 1}}) {
    GraphMaker maker;
    const TensorId x = maker.add_input("x", {1, 2, 4, 3});
    maker.add_node(ReshapeOp{}, {x}, maker.add("y", {24}));
    maker.graph.tensor(x).model_axes = axes;
    CHECK_THROWS_AS(validate(maker.graph), InputError);
  }
}
