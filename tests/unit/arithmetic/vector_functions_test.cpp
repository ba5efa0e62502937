#include "hw_models/arithmetic/vector_functions.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "hw_models/arithmetic/softmax.h"

using namespace qsim::arithmetic;

namespace {
std::int64_t bits_of(float x) {
  return std::bit_cast<std::uint32_t>(x);
}
WindowState window_of(std::initializer_list<std::int64_t> values) {
  WindowState window;
  for (const std::int64_t value : values) window.add(value);
  return window;
}
}  // namespace

TEST_CASE("quantizing rounds ties to even as ONNX does or away from zero as TFLite does") {
  const QuantizeFunction onnx{1.0F, 10, {8, true}, false};
  const QuantizeFunction tflite{1.0F, 10, {8, true}, true};
  CHECK(evaluate(UnaryFunction(onnx), bits_of(0.5F)) == 10);
  CHECK(evaluate(UnaryFunction(onnx), bits_of(1.5F)) == 12);
  CHECK(evaluate(UnaryFunction(onnx), bits_of(-2.5F)) == 8);
  CHECK(evaluate(UnaryFunction(tflite), bits_of(0.5F)) == 11);
  CHECK(evaluate(UnaryFunction(tflite), bits_of(-2.5F)) == 7);
}

TEST_CASE("quantizing limits to the format, infinities included") {
  const QuantizeFunction q{0.5F, -3, {8, true}, true};
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(evaluate(UnaryFunction(q), bits_of(65.0F)) == 127);
  CHECK(evaluate(UnaryFunction(q), bits_of(64.5F)) == 126);
  CHECK(evaluate(UnaryFunction(q), bits_of(infinity)) == 127);
  CHECK(evaluate(UnaryFunction(q), bits_of(-infinity)) == -128);
}

TEST_CASE("dequantizing is (q - zero point) * scale in float32") {
  const DequantizeFunction d{0.1F, 5};
  CHECK(evaluate(UnaryFunction(d), 8) == bits_of(3.0F * 0.1F));
  CHECK(evaluate(UnaryFunction(d), -123) == bits_of(-128.0F * 0.1F));
}

TEST_CASE("copy gives its argument back") {
  CHECK(evaluate(UnaryFunction(CopyFunction{}), -77) == -77);
}

TEST_CASE("QLinearAdd with scales of one adds integers and clamps") {
  const OnnxAddFunction add{1.0F, 1.0F, 1.0F, 10, 20, 30, 0, 255};
  CHECK(evaluate(BinaryFunction(add), 100, 90) == 100 - 10 + 90 - 20 + 30);
  CHECK(evaluate(BinaryFunction(add), 255, 255) == 255);
  CHECK(evaluate(BinaryFunction(add), 0, 0) == 0);
  const OnnxFloatBinaryFunction subtract{FloatBinaryKind::sub, 1.0F, 1.0F, 1.0F, 10, 20, 30, -128, 127};
  CHECK(evaluate(BinaryFunction(subtract), 100, 90) == 100 - 10 - (90 - 20) + 30);
}

TEST_CASE("QLinearAdd rounds half to even after the zero point is added") {
  // 0.5 * a: a = 1 -> 0.5 + 1 = 1.5 -> 2, while rne(0.5) + 1 would be 1.
  const OnnxAddFunction add{0.5F, 1.0F, 1.0F, 0, 0, 1, 0, 255};
  CHECK(evaluate(BinaryFunction(add), 1, 0) == 2);
  CHECK(evaluate(BinaryFunction(add), 3, 0) == 2);
}

TEST_CASE("QLinearMul multiplies the integers, then scales") {
  const OnnxMulFunction mul{0.5F, 0.25F, 0.125F, 1, 2, 3, 0, 255};
  CHECK(evaluate(BinaryFunction(mul), 11, 12) == 10 * 10 + 3);
  CHECK(evaluate(BinaryFunction(mul), 255, 255) == 255);
}

TEST_CASE("TFLite average pooling rounds half away from zero and leaves padding out") {
  const WindowFunction average = TfliteAveragePoolFunction{-128, 127};
  CHECK(evaluate(average, window_of({1, 2})) == 2);
  CHECK(evaluate(average, window_of({-1, -2})) == -2);
  CHECK(evaluate(average, window_of({1, 2, 1})) == 1);
  CHECK(evaluate(average, window_of({-7})) == -7);
}

TEST_CASE("max pooling takes the largest element and the fused clamp") {
  CHECK(evaluate(WindowFunction(MaxPoolFunction{-128, 127}), window_of({-5, -3, -9})) == -3);
  CHECK(evaluate(WindowFunction(MaxPoolFunction{0, 127}), window_of({-5, -3, -9})) == 0);
}

TEST_CASE("QLinearGlobalAveragePool scales the sum by xs / (ys n)") {
  // sum of q - 1 = 9 + 10 = 19; 19 * 0.5 / (0.25 * 2) = 19, + 5.
  const OnnxGlobalAveragePoolFunction pool{0.5F, 0.25F, 1, 5, 0, 255};
  CHECK(evaluate(WindowFunction(pool), window_of({10, 11})) == 24);
}

TEST_CASE("ONNX softmax of equal inputs is uniform") {
  const RowFunction softmax = OnnxSoftmaxFunction{0.1F, 1.0F / 256.0F, 0, 0, {8, false}};
  const std::vector<std::int64_t> in(4, 17);
  std::vector<std::int64_t> out(4);
  evaluate(softmax, in, out);
  CHECK(out == std::vector<std::int64_t>(4, 64));
}

TEST_CASE("ONNX softmax equals the function in double to half a step") {
  const RowFunction softmax = OnnxSoftmaxFunction{0.2F, 1.0F / 256.0F, 3, 0, {8, false}};
  const std::vector<std::int64_t> in{-20, 0, 5, 9, 12, 13, 30, 29};
  std::vector<std::int64_t> out(in.size());
  evaluate(softmax, in, out);
  double sum = 0.0;
  for (const std::int64_t q : in) sum += std::exp(0.2 * static_cast<double>(q));
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double y = 256.0 * std::exp(0.2 * static_cast<double>(in[i])) / sum;
    CHECK(std::abs(static_cast<double>(out[i]) - y) <= 0.5001);
  }
}
