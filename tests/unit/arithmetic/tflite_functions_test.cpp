#include "hw_models/arithmetic/tflite_functions.h"

#include <catch2/catch.hpp>

#include "hw_models/arithmetic/softmax.h"
#include "reference_values.h"

using namespace qsim::arithmetic;

namespace {

constexpr IntegerFormat kInt8{8, true};
constexpr IntegerFormat kInt16{16, true};

struct Tensors {
  QuantizedType a, b, output;
  ClampLimits limits;
};
const Tensors kTensors8{{kInt8, 0.05F, 4}, {kInt8, 0.031F, -9}, {kInt8, 0.07F, 17}, {-128, 127}};
const Tensors kTensors16{{kInt16, 0.0005F, 0}, {kInt16, 0.00031F, 0}, {kInt16, 0.0007F, 0}, {-32768, 32767}};

std::uint64_t binary_checksum(const BinaryFunction& function, const IntegerFormat& format) {
  const auto a = generated_inputs(5000, format.min(), format.max(), 1);
  const auto b = generated_inputs(5000, format.min(), format.max(), 2);
  Checksum sum;
  for (std::size_t i = 0; i < a.size(); ++i) sum.add(evaluate(function, a[i], b[i]));
  return sum.value();
}

/// Over 7x7 of NHWC with 100 channels.
std::uint64_t window_checksum(const WindowFunction& function, const IntegerFormat& format) {
  const auto x = generated_inputs(49 * 100, format.min() / 2, format.max(), 3);
  Checksum sum;
  for (std::size_t channel = 0; channel < 100; ++channel) {
    WindowState window;
    for (std::size_t pixel = 0; pixel < 49; ++pixel) window.add(x[pixel * 100 + channel]);
    sum.add(evaluate(function, window));
  }
  return sum.value();
}

std::uint64_t softmax_checksum(const RowFunction& function, const IntegerFormat& format) {
  const auto x = generated_inputs(20 * 50, format.min(), format.max(), 4);
  std::vector<std::int64_t> y(x.size());
  for (std::size_t row = 0; row < 20; ++row) {
    evaluate(function, std::span(x).subspan(row * 50, 50), std::span(y).subspan(row * 50, 50));
  }
  return checksum(y);
}

}  // namespace

TEST_CASE("ADD and SUB equal the TFLite reference kernels") {
  const auto add = [](const Tensors& t, bool subtract) {
    return BinaryFunction(make_tflite_add(t.a, t.b, t.output, t.limits, subtract));
  };
  CHECK(binary_checksum(add(kTensors8, false), kInt8) == 0xa3900c98ec62e5c8U);
  CHECK(binary_checksum(add(kTensors8, true), kInt8) == 0x278d2cf712aee1f9U);
  CHECK(binary_checksum(add(kTensors16, false), kInt16) == 0x99ee71c1c9ede8deU);
  CHECK(binary_checksum(add(kTensors16, true), kInt16) == 0xe94ffe9c8cbbd8b5U);
}

TEST_CASE("16-bit ADD and SUB with pot_scale_int16 only shift") {
  const QuantizedType a{kInt16, 0x1p-14F, 0};
  const QuantizedType b{kInt16, 0x1p-12F, 0};
  const auto add = [&](bool subtract) {
    return BinaryFunction(make_tflite_add(a, b, b, {-32768, 32767}, subtract, /*pot_scale_int16=*/true));
  };
  CHECK(binary_checksum(add(false), kInt16) == 0x2c3b4870333c5115U);
  CHECK(binary_checksum(add(true), kInt16) == 0x56890c604f8aa761U);
}

TEST_CASE("pot_scale_int16 changes nothing where a scale is no power of two or the tensors have 8 bits") {
  const Tensors& t = kTensors16;
  CHECK_FALSE(make_tflite_add(t.a, t.b, t.output, t.limits, false, true).power_of_two_scales);
  const QuantizedType unit{kInt8, 1.0F, 0};
  CHECK_FALSE(make_tflite_add(unit, unit, unit, {-128, 127}, false, true).power_of_two_scales);
}

TEST_CASE("MUL equals the TFLite reference kernels") {
  const auto mul = [](const Tensors& t, float output_scale) {
    return BinaryFunction(
        make_tflite_mul(t.a, t.b, {t.output.format, output_scale, t.output.zero_point}, t.limits));
  };
  CHECK(binary_checksum(mul(kTensors8, static_cast<float>(0.05 * 0.031 * 60)), kInt8) == 0x2ed934335fc9d4c3U);
  CHECK(binary_checksum(mul(kTensors16, static_cast<float>(0.0005 * 0.00031 * 20000)), kInt16) ==
        0xac3e600be05a4918U);
}

TEST_CASE("MEAN and AVERAGE_POOL_2D equal the TFLite reference kernels") {
  const auto mean = [](const Tensors& t) { return WindowFunction(make_tflite_mean(t.a, t.b, t.limits)); };
  CHECK(window_checksum(mean(kTensors8), kInt8) == 0x717d923571d0e246U);
  CHECK(window_checksum(mean(kTensors16), kInt16) == 0xdbb1106d11264c3fU);
  CHECK(window_checksum(TfliteAveragePoolFunction{-128, 127}, kInt8) == 0x5c2447a9316a1f1aU);
  CHECK(window_checksum(TfliteAveragePoolFunction{-32768, 32767}, kInt16) == 0x7de8fedf5c62c5aaU);
}

TEST_CASE("SOFTMAX equals the TFLite reference kernels") {
  CHECK(softmax_checksum(make_tflite_softmax({kInt8, 0.1F, 0}, kInt8, 1.0F), kInt8) == 0x68eac0643c352e3aU);
  CHECK(softmax_checksum(make_tflite_softmax({kInt16, 0.0004F, 0}, kInt16, 1.0F), kInt16) ==
        0xe395bb61185137c8U);
}

TEST_CASE("a sum, a product and a mean far above the output's range stay at its limit") {
  const QuantizedType one{{8, true}, 1.0F, 0};
  const QuantizedType tiny{{8, true}, 1e-9F, 100};
  const ClampLimits limits{-128, 127};
  const BinaryFunction add = make_tflite_add(one, one, tiny, limits, false);
  CHECK(evaluate(add, 127, 127) == 127);
  CHECK(evaluate(add, -128, -128) == -128);
  const BinaryFunction mul = make_tflite_mul(one, one, tiny, limits);
  CHECK(evaluate(mul, 127, 127) == 127);
  CHECK(evaluate(mul, 127, -128) == -128);
  WindowState window;
  for (int i = 0; i < 4; ++i) window.add(127);
  CHECK(evaluate(WindowFunction(make_tflite_mean(one, tiny, limits)), window) == 127);
}

TEST_CASE("a product of 16-bit operands with zero points saturates to 32 bits") {
  const QuantizedType wide{{16, false}, 1.0F, 65'535};
  const QuantizedType output{{16, true}, 65'536.0F, 0};
  const BinaryFunction mul = make_tflite_mul(wide, wide, output, {-32'768, 32'767});
  // (0 - 65535)^2 = 4,294,836,225 saturates to 2^31 - 1; / 65536 = 32,768, above the limit.
  CHECK(evaluate(mul, 0, 0) == 32'767);
}

TEST_CASE("softmax of more equal inputs than its sum can count rounds to zero, it does not wrap") {
  const std::size_t count = GENERATE(std::size_t{4'095}, std::size_t{5'000}, std::size_t{200'000});
  const std::vector<std::int64_t> in(count, 7);
  std::vector<std::int64_t> out(count);
  evaluate(RowFunction(make_tflite_softmax({{8, true}, 0.1F, 0}, {8, true}, 1.0F)), in, out);
  CHECK(out == std::vector<std::int64_t>(count, -128));
  evaluate(RowFunction(make_tflite_softmax({{16, true}, 0.1F, 0}, {16, true}, 1.0F)), in, out);
  for (const std::int64_t y : out) {
    if (y < 0 || y > 32'768 / 4'095) FAIL("16 bits: " << y);
  }
}
