#include "hw_models/arithmetic/activation_tables.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "hw_models/arithmetic/tflite_functions.h"
#include "reference_values.h"

using namespace qsim::arithmetic;

namespace {
constexpr IntegerFormat kTableInt8{8, true};
constexpr IntegerFormat kTableInt16{16, true};
}  // namespace

TEST_CASE("logistic and tanh tables equal the TFLite reference kernels") {
  CHECK(checksum(make_logistic_table({kTableInt8, 0.0625F, 3}, {kTableInt8, 0x1p-8F, -128}).table) ==
        0x2984500a7d7a67fU);
  CHECK(checksum(make_tanh_table({kTableInt8, 0.03F, -7}, {kTableInt8, 0x1p-7F, 0}).table) ==
        0x27bb6ac293efc833U);
  const QuantizedType q15{kTableInt16, 0x1p-15F, 0};
  CHECK(checksum(make_logistic_table({kTableInt16, 0.0003F, 0}, q15).table) == 0x786484468f27661U);
  CHECK(checksum(make_logistic_table({kTableInt16, 0x1p-12F, 0}, q15).table) == 0x80028756d5d08ff1U);
  CHECK(checksum(make_tanh_table({kTableInt16, 0.0003F, 0}, q15).table) == 0x64618c48996b7e4U);
  CHECK(checksum(make_tanh_table({kTableInt16, 0x1p-11F, 0}, q15).table) == 0x62d1d925fb14b723U);
}

TEST_CASE("leaky ReLU, ReLU6 and requantize tables equal the TFLite reference kernels") {
  CHECK(checksum(make_leaky_relu_table({kTableInt8, 0.05F, 4}, {kTableInt8, 0.04F, -9}, 0.3F).table) ==
        0xd7b2b354e11de8cU);
  CHECK(checksum(make_leaky_relu_table({kTableInt16, 0.0005F, 0}, {kTableInt16, 0.0004F, 0}, 0.3F).table) ==
        0xad681fa5fcfa1cefU);
  CHECK(checksum(make_relu_table({kTableInt8, 0.05F, 4}, {kTableInt8, 0.03F, -100}, 0.0F, 6.0F).table) ==
        0xcb04bbcb1c8e5be4U);
  CHECK(checksum(make_requantize_table({kTableInt8, 0.05F, 4}, {kTableInt8, 0.03F, -9}).table) ==
        0x91fbc36874ee84b0U);
  CHECK(checksum(make_requantize_table({kTableInt16, 0.0005F, 0}, {kTableInt8, 0.09F, 11}).table) ==
        0x25aea414e0fd72a3U);
}

TEST_CASE("16-bit logistic and tanh stay within two steps of the real functions") {
  const QuantizedType q15{kTableInt16, 0x1p-15F, 0};
  const float scale = 8.0F / 32768.0F;
  const TableFunction logistic = make_logistic_table({kTableInt16, scale, 0}, q15);
  const TableFunction tanh = make_tanh_table({kTableInt16, scale, 0}, q15);
  for (int q = -32768; q <= 32767; q += 37) {
    const double x = q * static_cast<double>(scale);
    const auto i = static_cast<std::size_t>(q + 32768);
    CHECK(std::abs(logistic.table[i] - 32768.0 / (1.0 + std::exp(-x))) <= 2.0);
    CHECK(std::abs(tanh.table[i] - 32768.0 * std::tanh(x)) <= 3.0);
  }
}

TEST_CASE("a table has an entry for every input integer, from the least up") {
  const TableFunction signed4 = make_requantize_table({{4, true}, 1.0F, 0}, {{4, true}, 1.0F, 0});
  CHECK(signed4.table == std::vector<std::int32_t>{-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(evaluate(UnaryFunction(signed4), -8) == -8);
  CHECK(evaluate(UnaryFunction(signed4), 7) == 7);
}

TEST_CASE("an ONNX table dequantizes, computes in float32 and rounds half to even") {
  // Scale 0.5 to 1: q / 2 -> 0.5 -> 0, 1.5 -> 2, 2.5 -> 2.
  const TableFunction half =
      make_onnx_table({{3, false}, 0.5F, 0}, {{8, false}, 1.0F, 0}, [](float x) { return x; });
  CHECK(half.table == std::vector<std::int32_t>{0, 0, 1, 2, 2, 2, 3, 4});
}

TEST_CASE("a fused activation limits the output at its rounded bounds") {
  const float infinity = std::numeric_limits<float>::infinity();
  const ClampLimits relu6 = activation_limits({kTableInt8, 0.05F, -100}, 0.0F, 6.0F);
  CHECK(relu6.min == -100);
  CHECK(relu6.max == 20);
  const ClampLimits none = activation_limits({kTableInt8, 0.05F, -100}, -infinity, infinity);
  CHECK(none.min == -128);
  CHECK(none.max == 127);
}
