#include "quantization/quantize_weights.h"

#include <catch2/catch.hpp>

using namespace qsim;

namespace {

Tensor float_tensor(Shape shape, const std::vector<float>& values) {
  Tensor tensor;
  tensor.name = "t";
  tensor.shape = shape;
  tensor.type = ElementType::f32;
  tensor.data = TensorData(ElementType::f32, std::move(shape));
  std::copy(values.begin(), values.end(), tensor.data->as<float>().begin());
  return tensor;
}

std::vector<std::int64_t> integers(const Tensor& tensor) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < tensor.data->size(); ++i) values.push_back(tensor.data->at(i));
  return values;
}

}  // namespace

TEST_CASE("each output channel of weights has its own symmetric scale") {
  // channel 0: max 1.27 -> 0.01; channel 1: max 12.7 -> 0.1
  const Tensor w = float_tensor({2, 3}, {1.27F, -0.5F, 0.004F, 12.7F, -12.7F, 0.26F});
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {8, true, RangeMethod::min_max});
  CHECK(q.quantization->axis == 0);
  CHECK(q.quantization->scale(0) == Approx(0.01));
  CHECK(q.quantization->scale(1) == Approx(0.1));
  CHECK(integers(q) == std::vector<std::int64_t>{127, -50, 0, 127, -127, 3});
}

TEST_CASE("one scale for all weights where asked") {
  const Tensor w = float_tensor({2, 2}, {1.27F, -0.5F, 12.7F, -0.26F});
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {8, false, RangeMethod::min_max});
  CHECK(q.quantization->scales.size() == 1);
  CHECK(integers(q) == std::vector<std::int64_t>{13, -5, 127, -3});
}

TEST_CASE("one-bit weights are signs with the mean magnitude") {
  const Tensor w = float_tensor({1, 4}, {0.5F, -1.5F, 0.0F, 2.0F});
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {1, true, RangeMethod::min_max});
  CHECK(integers(q) == std::vector<std::int64_t>{1, -1, 1, 1});
  CHECK(q.quantization->scale() == 1.0F);
}

TEST_CASE("biases have the accumulators' scale") {
  const Tensor w = float_tensor({2, 1}, {1.27F, 12.7F});
  const Quantization scales =
      *quantize_weights(w, nullptr, 0.5F, {8, true, RangeMethod::min_max}).quantization;
  // s_x s_w = 0.005 and 0.05
  const Tensor bias = quantize_bias(float_tensor({2}, {1.0F, -1.0F}), 0.5F, scales, ElementType::i32);
  CHECK(integers(bias) == std::vector<std::int64_t>{200, -20});
}

TEST_CASE("a channel of weights that vanish beside its bias keeps the bias inside 32 bits") {
  const Tensor w = float_tensor({2, 1}, {1e-12F, 1.0F});
  const Tensor bias = float_tensor({2}, {3.0F, 3.0F});
  const Tensor q = quantize_weights(w, &bias, 0.5F, {8, true, RangeMethod::min_max});
  const Tensor b = quantize_bias(bias, 0.5F, *q.quantization, ElementType::i32);
  // |b| <= 2^30, and the sum stays 3: b * s_x * s_w
  CHECK(std::abs(b.data->at(0)) <= (std::int64_t{1} << 30));
  CHECK(static_cast<double>(b.data->at(0)) * 0.5 * static_cast<double>(q.quantization->scale(0)) ==
        Approx(3.0));
  CHECK(q.data->at(1) == 127);
}
