#include "sim/compare_schemes/reference_network.h"

#include <catch2/catch.hpp>

#include "sim/compare_schemes/model_bytes.h"
#include "sim/explain/charts.h"

namespace qsim {
namespace {

Tensor quantized(int bits, bool is_signed, float scale, std::int32_t zero_point) {
  Tensor tensor;
  tensor.shape = {1, 3};
  tensor.type = is_signed ? ElementType::i8 : ElementType::u8;
  tensor.quantization = Quantization{bits, is_signed, {scale}, {zero_point}};
  return tensor;
}

TensorData integers(const Tensor& tensor, const std::vector<std::int64_t>& values) {
  TensorData data(tensor.type, tensor.shape);
  for (std::size_t i = 0; i < values.size(); ++i) data.set(static_cast<std::int64_t>(i), values[i]);
  return data;
}

}  // namespace

TEST_CASE("integers stand for s (q - z)") {
  const Tensor tensor = quantized(8, true, 0.5F, -4);
  CHECK(real_values(integers(tensor, {-4, 0, 10}), tensor.quantization) ==
        std::vector<float>{0.0F, 2.0F, 7.0F});
  CHECK(real_values(integers(tensor, {-4, 0, 10}), std::nullopt) == std::vector<float>{-4.0F, 0.0F, 10.0F});
}

TEST_CASE("an input goes from one grid to another through its real values") {
  const Tensor from = quantized(8, true, 0.5F, -4);
  const Tensor to = quantized(4, false, 1.0F, 2);
  // 0, 2, 7 and 30 in steps of 1 from zero point 2: 2, 4, 9, and 32, which is clamped to 15.
  const TensorData moved = input_value(integers(from, {-4, 0, 10}), from, to);
  CHECK(moved.type == ElementType::u8);
  CHECK(std::vector<std::int64_t>{moved.at(0), moved.at(1), moved.at(2)} ==
        std::vector<std::int64_t>{2, 4, 9});
  CHECK(input_value(integers(from, {56, 56, 56}), from, to).at(0) == 15);
  // On an equal grid nothing is rounded anew.
  CHECK(input_value(integers(from, {-4, 0, 10}), from, from).at(2) == 10);
}

TEST_CASE("a hundredth of the power as noise is 20 dB, and none at all is no figure") {
  CHECK(sqnr_db({100.0, 1.0}).value() == Approx(20.0));
  CHECK(sqnr_db({1.0, 10.0}).value() == Approx(-10.0));
  CHECK_FALSE(sqnr_db({1.0, 0.0}).has_value());
}

TEST_CASE("ticks are multiples of 1, 2 or 5 times a power of ten, three to nine of them") {
  CHECK(axis_ticks(0.0, 10.0) == std::vector<double>{0.0, 2.0, 4.0, 6.0, 8.0, 10.0});
  for (const double high : {1e-12, 0.03, 1.0, 1.7, 4.9, 7.3, 99.0, 12345.0}) {
    const std::vector<double> ticks = axis_ticks(high / 7, high);
    CHECK(ticks.size() >= 3);
    CHECK(ticks.size() <= 9);
    CHECK(ticks.front() >= high / 7 * (1 - 1e-9));
    CHECK(ticks.back() <= high * (1 + 1e-9));
  }
}

}  // namespace qsim
