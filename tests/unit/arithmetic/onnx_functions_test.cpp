// What ONNX Runtime computes in float32. The bit patterns are what its CPU provider (1.30.0, x86-64 with FMA)
// returned for Sigmoid, Tanh, Erf and Gelu; tests/conformance compares every operator with the
// runtime itself.
#include "hw_models/arithmetic/onnx_functions.h"

#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>

#include "hw_models/arithmetic/layer_norm.h"
#include "hw_models/arithmetic/onnx_float_functions.h"
#include "hw_models/arithmetic/softmax.h"

using namespace qsim::arithmetic;

namespace {

constexpr std::array kInputs{-20.0F,    -9.5F, -3.7F, -1.25F, -0.9F, -0.1F, 0.03F, 0.5F,
                             0.921875F, 0.93F, 1.7F,  2.2F,   4.1F,  17.9F, 19.0F};
using Bits = std::array<std::uint32_t, kInputs.size()>;

constexpr Bits kLogistic{0x00000000, 0x389cf000, 0x3cc5a600, 0x3e640b82, 0x3e93fe6e,
                         0x3ef335ee, 0x3f01eb7c, 0x3f1f597e, 0x3f372607, 0x3f37923f,
                         0x3f5874f7, 0x3f6676c2, 0x3f7bd39a, 0x3f800000, 0x3f800000};
constexpr Bits kTanh{0xbf800000, 0xbf800000, 0xbf7fafee, 0xbf59291e, 0xbf375f4c,
                     0xbdcc1ebb, 0x3cf5afb1, 0x3eec9a9f, 0x3f3a0e78, 0x3f3b0834,
                     0x3f6f76f8, 0x3f79ca4f, 0x3f7fdc04, 0x3f800000, 0x3f800000};
constexpr Bits kErf{0xbf800000, 0xbf800000, 0xbf7ffffd, 0xbf6c432f, 0xbf4c022d,
                    0xbde652f5, 0x3d0a9d18, 0x3f053f7b, 0x3f4ec3b4, 0x3f4fc2a1,
                    0x3f7bd9b1, 0x3f7f85eb, 0x3f800000, 0x3f800000, 0x3f800000};
constexpr Bits kGelu{0x80000000, 0x80000000, 0xb9d11b9a, 0xbe073b51, 0xbe29a13b,
                     0xbd3c7c8d, 0x3c7ba44a, 0x3eb103af, 0x3f41ec03, 0x3f44223d,
                     0x3fcfe70f, 0x400ad7a7, 0x40833282, 0x418f3333, 0x41980000};
constexpr Bits kGeluTanh{0x80000000, 0x80000000, 0xb98e9f9a, 0xbe0775ec, 0xbe29c002,
                         0xbd3c7c96, 0x3c7ba44a, 0x3eb1016d, 0x3f41e3d2, 0x3f4419da,
                         0x3fcfe2b4, 0x400adc03, 0x408332d8, 0x418f3333, 0x41980000};

void check_bits(float (*function)(float), const Bits& expected) {
  for (std::size_t i = 0; i < kInputs.size(); ++i) {
    CAPTURE(kInputs[i]);
    CHECK(std::bit_cast<std::uint32_t>(function(kInputs[i])) == expected[i]);
  }
}

std::vector<std::int64_t> softmax(const std::vector<std::int64_t>& in, const QuantizedType& input,
                                  const QuantizedType& output) {
  std::vector<std::int64_t> out(in.size());
  evaluate(RowFunction(make_onnx_table_softmax(input, output, static_cast<std::int64_t>(in.size()))), in,
           out);
  return out;
}

std::int64_t mean(MeanOrder order, const std::vector<std::int64_t>& elements, float input_scale,
                  float output_scale, std::int64_t start = 0) {
  OnnxMeanFunction function;
  function.input_scale = input_scale;
  function.output_scale = output_scale;
  function.order = order;
  return evaluate(function, elements, start);
}

}  // namespace

TEST_CASE("activation functions have the bits of ONNX Runtime's kernels") {
  check_bits(onnx_logistic, kLogistic);
  check_bits(onnx_tanh, kTanh);
  check_bits(onnx_erf, kErf);
  check_bits(onnx_gelu, kGelu);
  check_bits(onnx_gelu_tanh, kGeluTanh);
}

TEST_CASE("a softmax of a table is the softmax where nothing overflows") {
  const QuantizedType input{{8, false}, 0.1F, 30};
  const QuantizedType output{{8, false}, 1.0F / 256.0F, 0};
  const std::vector<std::int64_t> in{10, 20, 30, 35, 0};
  double sum = 0.0;
  for (const std::int64_t x : in) sum += std::exp(0.1 * static_cast<double>(x));
  const std::vector<std::int64_t> out = softmax(in, input, output);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double expected = 256.0 * std::exp(0.1 * static_cast<double>(in[i])) / sum;
    CHECK(std::abs(static_cast<double>(out[i]) - expected) <= 0.5 + 1e-3);
  }
}

TEST_CASE("a softmax of one element overflows as ONNX Runtime's does") {
  // e^83.7 * 256 exceeds the largest float: INT32_MIN + zero point, or 0 + zero point.
  CHECK(softmax({5}, {{8, true}, 0.1F, 0}, {{8, true}, 1.0F / 256.0F, 127}) ==
        std::vector<std::int64_t>{-128});
  CHECK(softmax({5}, {{8, true}, 0.1F, 0}, {{8, true}, 1.0F / 256.0F, -5}) == std::vector<std::int64_t>{127});
  CHECK(softmax({5}, {{8, false}, 0.1F, 0}, {{8, false}, 1.0F / 256.0F, 3}) == std::vector<std::int64_t>{3});
}

TEST_CASE("a mean sums in the order that is asked for") {
  // In units of the scale: 2^24 swallows a 1 that is added to it, and two of them added together first are
  // not lost.
  const float big = 16777216.0F;
  OnnxMeanFunction function;
  function.clamp_min = 0;
  function.clamp_max = 1 << 30;
  function.output_scale = 1.0F / 4.0F;  // 4 elements: the sum itself
  const std::vector<std::int64_t> elements{static_cast<std::int64_t>(big), 1, 1, 1};
  CHECK(evaluate(function, elements, 0) == 16777216);  // ((2^24 + 1) + 1) + 1
  function.permutation = {1, 2, 3, 0};
  CHECK(evaluate(function, elements, 0) == 16777220);  // (1 + 1 + 1) + 2^24, to even
  function.permutation.clear();
  function.order = MeanOrder::lanes;
  CHECK(evaluate(function, elements, 0) == 16777218);  // (2^24 + 1) + (1 + 1)
  CHECK(evaluate(function, elements, 1) == 16777216);  // no packet of four begins inside: one after the other
  CHECK(mean(MeanOrder::sequential, {1, 2, 3, 6}, 1.0F, 1.0F) == 3);
  CHECK(mean(MeanOrder::groups_of_four, {1, 2, 3, 6, 8}, 1.0F, 1.0F) == 4);
  CHECK(mean(MeanOrder::lanes, {1, 2, 3, 6, 8, 4, 4, 4, 4, 9, 10}, 1.0F, 1.0F, 3) == 5);
}

TEST_CASE("an average pool adds the zero point before it rounds, other operators after") {
  WindowState window;
  const OnnxAveragePoolFunction pool{1.0F, 2.0F, 0, 1, 0, -128, 127};
  for (const std::int64_t x : {1, 1}) accumulate(WindowFunction(pool), window, x);
  CHECK(evaluate(WindowFunction(pool), window) == 2);  // rne(0.5 + 1)
  OnnxMeanFunction mean_function{1.0F, 2.0F, 0, 1, -128, 127, {}, {}, {}};
  CHECK(evaluate(mean_function, std::vector<std::int64_t>{1, 1}, 0) == 1);  // rne(0.5) + 1
}

TEST_CASE("padding counts where it is asked to") {
  const OnnxAveragePoolFunction pool{1.0F, 1.0F, 0, 0, 4, -128, 127};
  WindowState window;
  for (const std::int64_t x : {6, 6}) accumulate(WindowFunction(pool), window, x);
  CHECK(evaluate(WindowFunction(pool), window) == 3);
}

TEST_CASE("layer normalization has mean 0 and deviation 1") {
  for (const std::size_t length : {3, 8, 21}) {
    const OnnxLayerNormFunction function{0.02F, 0.01F, 5, -3, {16, true}, 1e-5F};
    std::vector<std::int64_t> in;
    for (std::size_t i = 0; i < length; ++i) in.push_back(static_cast<std::int64_t>(i * i % 17));
    std::vector<std::int64_t> out(length);
    evaluate(RowFunction(function), in, out);
    double mean_in = 0.0;
    for (const std::int64_t x : in)
      mean_in += 0.02 * static_cast<double>(x - 5) / static_cast<double>(length);
    double variance = 0.0;
    for (const std::int64_t x : in) {
      variance += std::pow(0.02 * static_cast<double>(x - 5) - mean_in, 2) / static_cast<double>(length);
    }
    for (std::size_t i = 0; i < length; ++i) {
      const double y = (0.02 * static_cast<double>(in[i] - 5) - mean_in) / std::sqrt(variance + 1e-5);
      CHECK(std::abs(static_cast<double>(out[i]) - (y / 0.01 - 3.0)) <= 0.5 + 1e-2);
    }
  }
}

TEST_CASE("a resize blends its four neighbours") {
  ResizeFunction function;
  function.arithmetic = ResizeArithmetic::float_truncated;
  function.rows = {{0, 1, 0.75F, 0.25F}};
  function.columns = {{2, 3, 0.5F, 0.5F}};
  const ResizeNeighbours x{10, 20, 30, -41};
  // 0.75 * (10 + 20) / 2 + 0.25 * (30 - 41) / 2 = 9.875
  CHECK(evaluate(function, 0, 0, 0, x) == 9);
  // Columns alone: (10 + 20) / 2.
  function.halved_channel = 3;
  CHECK(evaluate(function, 0, 0, 3, x) == 15);
  function.rows = {{0, 1, 768.0F, 256.0F}};
  function.columns = {{2, 3, 512.0F, 512.0F}};
  function.arithmetic = ResizeArithmetic::integer_truncated;
  CHECK(evaluate(function, 0, 0, 0, x) == 9);
  function.arithmetic = ResizeArithmetic::integer_rounded;
  CHECK(evaluate(function, 0, 0, 0, x) == 10);
  CHECK(evaluate(function, 0, 0, 0, {-10, -20, -30, 41}) == -10);
  function.arithmetic = ResizeArithmetic::nearest;
  CHECK(evaluate(function, 0, 0, 0, x) == 10);
}
