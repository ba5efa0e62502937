#include "quantization/quantize_weights.h"

#include <catch2/catch.hpp>
#include <cmath>

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
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {{8}, RangeMethod::min_max});
  CHECK(q.quantization->axis == 0);
  CHECK(q.quantization->scale(0) == Approx(0.01));
  CHECK(q.quantization->scale(1) == Approx(0.1));
  CHECK(integers(q) == std::vector<std::int64_t>{127, -50, 0, 127, -127, 3});
}

TEST_CASE("one scale for all weights where asked") {
  const Tensor w = float_tensor({2, 2}, {1.27F, -0.5F, 12.7F, -0.26F});
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {{8, Granularity::per_tensor}, RangeMethod::min_max});
  CHECK(q.quantization->scales.size() == 1);
  CHECK(integers(q) == std::vector<std::int64_t>{13, -5, 127, -3});
}

TEST_CASE("one-bit weights are signs with the mean magnitude") {
  const Tensor w = float_tensor({1, 4}, {0.5F, -1.5F, 0.0F, 2.0F});
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {{1}, RangeMethod::min_max});
  CHECK(integers(q) == std::vector<std::int64_t>{1, -1, 1, 1});
  CHECK(q.quantization->scale() == 1.0F);
}

TEST_CASE("biases have the accumulators' scale") {
  const Tensor w = float_tensor({2, 1}, {1.27F, 12.7F});
  const Quantization scales = *quantize_weights(w, nullptr, 0.5F, {{8}, RangeMethod::min_max}).quantization;
  // s_x s_w = 0.005 and 0.05
  const Tensor bias = quantize_bias(float_tensor({2}, {1.0F, -1.0F}), 0.5F, scales, ElementType::i32);
  CHECK(integers(bias) == std::vector<std::int64_t>{200, -20});
}

TEST_CASE("a channel of weights that vanish beside its bias keeps the bias inside 32 bits") {
  const Tensor w = float_tensor({2, 1}, {1e-12F, 1.0F});
  const Tensor bias = float_tensor({2}, {3.0F, 3.0F});
  const Tensor q = quantize_weights(w, &bias, 0.5F, {{8}, RangeMethod::min_max});
  const Tensor b = quantize_bias(bias, 0.5F, *q.quantization, ElementType::i32);
  // |b| <= 2^30, and the sum stays 3: b * s_x * s_w
  CHECK(std::abs(b.data->at(0)) <= (std::int64_t{1} << 30));
  CHECK(static_cast<double>(b.data->at(0)) * 0.5 * static_cast<double>(q.quantization->scale(0)) ==
        Approx(3.0));
  CHECK(q.data->at(1) == 127);
}

TEST_CASE("asymmetric weights have the range's own scale and zero point") {
  // channel 0: -1 to 4 in 255 steps, z = -128 + 51; channel 1 holds 0: 0 to 2.55, z = -128
  const Tensor w = float_tensor({2, 2}, {-1.0F, 4.0F, 2.55F, 0.51F});
  const WeightScheme scheme{8, Granularity::per_channel, 0, false};
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {scheme, RangeMethod::min_max});
  CHECK(q.quantization->scale(0) == Approx(5.0 / 255.0));
  CHECK(q.quantization->zero_points == std::vector<std::int32_t>{-77, -128});
  CHECK(integers(q) == std::vector<std::int64_t>{-128, 127, 127, -77});
}

TEST_CASE("one asymmetric bit is unsigned: a value and zero") {
  const Tensor w = float_tensor({1, 3}, {0.0F, 3.0F, 1.0F});
  const WeightScheme scheme{1, Granularity::per_channel, 0, false};
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {scheme, RangeMethod::min_max});
  CHECK(q.type == ElementType::u8);
  CHECK(q.quantization->scale() == 3.0F);
  CHECK(integers(q) == std::vector<std::int64_t>{0, 1, 0});
}

TEST_CASE("a power-of-two scale is the neighbour of less squared error") {
  const WeightScheme scheme{3, Granularity::per_tensor, 0, true};  // -3 to 3
  // s = 1.1: at 2 the errors are 0.3^2 + 0.7^2 (3.3 -> 4, 0.7 -> 0), at 1 0.3^2 + 0.3^2.
  const Tensor near = quantize_weights(float_tensor({1, 2}, {3.3F, 0.7F}), nullptr, 1.0F,
                                       {scheme, RangeMethod::min_max, true});
  CHECK(near.quantization->scale() == 1.0F);
  CHECK(integers(near) == std::vector<std::int64_t>{3, 1});
  // s = 1.8: at 2 the errors are 0.6^2 + 0, at 1 2.4^2 + 0.
  const Tensor far = quantize_weights(float_tensor({1, 2}, {5.4F, 2.0F}), nullptr, 1.0F,
                                      {scheme, RangeMethod::min_max, true});
  CHECK(far.quantization->scale() == 2.0F);
  CHECK(integers(far) == std::vector<std::int64_t>{3, 1});
  // A power itself stays.
  const Tensor exact =
      quantize_weights(float_tensor({1, 1}, {0.75F}), nullptr, 1.0F, {scheme, RangeMethod::min_max, true});
  CHECK(exact.quantization->scale() == 0.25F);
}

TEST_CASE("a channel whose bias raises its power-of-two scale has a power of two still") {
  const Tensor w = float_tensor({1, 1}, {1e-12F});
  const Tensor bias = float_tensor({1}, {3.0F});
  const Tensor q = quantize_weights(w, &bias, 0.5F, {{8}, RangeMethod::min_max, true});
  // |b| / (s_x 2^30) = 6 / 2^30: the next power is 2^-27
  CHECK(q.quantization->scale() == std::ldexp(1.0F, -27));
}

TEST_CASE("groups have scales that are multiples of their channel's, and clip nothing") {
  // max|w| of the groups: 12.7 and 1.27 at 8 bits: s_g = 0.1 and 0.01, s = 0.1 / 255, m = 255 and ceil(25.5)
  const Tensor w = float_tensor({1, 4}, {12.7F, -3.0F, 1.27F, -0.5F});
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {{8, Granularity::per_group, 2}, RangeMethod::min_max});
  CHECK(q.quantization->group_size == 2);
  CHECK(q.quantization->scales.size() == 1);
  CHECK(q.quantization->scale() == Approx(0.1 / 255.0));
  CHECK(q.quantization->group_multipliers == std::vector<std::int32_t>{255, 26});
  CHECK(q.quantization->zero_points == std::vector<std::int32_t>{0});
  // 1.27 / (26 s) = 124.6
  CHECK(integers(q) == std::vector<std::int64_t>{127, -30, 125, -49});
}

TEST_CASE("asymmetric groups have zero points of their own") {
  const Tensor w = float_tensor({1, 4}, {0.0F, 2.55F, -2.55F, 0.0F});
  const WeightScheme scheme{8, Granularity::per_group, 2, false};
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {scheme, RangeMethod::min_max});
  CHECK(q.quantization->zero_points == std::vector<std::int32_t>{-128, 127});
  CHECK(integers(q) == std::vector<std::int64_t>{-128, 127, -128, 127});
}

TEST_CASE("groups of power-of-two scales have multipliers that are powers of two") {
  const Tensor w = float_tensor({1, 4}, {64.0F, 3.0F, 1.0F, 0.25F});
  const WeightScheme scheme{8, Granularity::per_group, 2, true};
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {scheme, RangeMethod::min_max, true});
  for (const std::int32_t m : q.quantization->group_multipliers) CHECK((m & (m - 1)) == 0);
  CHECK(std::exp2(std::round(std::log2(q.quantization->scale()))) == q.quantization->scale());
}

TEST_CASE("a group of zeros has no say in the scale of its channel") {
  const Tensor w = float_tensor({1, 6}, {0.0F, 0.0F, 1.27F, 0.5F, 0.634F, 0.1F});
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {{8, Granularity::per_group, 2}, RangeMethod::min_max});
  CHECK(q.quantization->scale() == Approx(0.01 / 255.0));
  CHECK(q.quantization->group_multipliers == std::vector<std::int32_t>{1, 255, 128});
  CHECK(integers(q) == std::vector<std::int64_t>{0, 0, 127, 50, 126, 20});
}

TEST_CASE("a channel of no more weights than a group has one scale") {
  const Tensor w = float_tensor({2, 2}, {1.27F, -0.5F, 12.7F, 0.1F});
  const Tensor q = quantize_weights(w, nullptr, 1.0F, {{8, Granularity::per_group, 4}, RangeMethod::min_max});
  CHECK_FALSE(q.quantization->has_groups());
  CHECK(q.quantization->scales.size() == 2);
}
