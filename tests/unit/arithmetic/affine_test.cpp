// The affine stage: what lies between two quantizers of QONNX.
#include <catch2/catch.hpp>
#include <vector>

#include "hw_models/arithmetic/requantize_block.h"

using namespace qsim::arithmetic;

namespace {

std::int32_t affine(double multiplier, double offset, RoundingMode rounding, std::int64_t accumulator,
                    std::int32_t low = -100, std::int32_t high = 100) {
  ChannelScale scale;
  scale.scale64 = multiplier;
  scale.offset64 = offset;
  return requantize(RoundingProfile::affine, scale, {0, low, high, rounding}, accumulator);
}

}  // namespace

TEST_CASE("each way of rounding keeps whole numbers and treats halves and the rest as it is called") {
  struct Row {
    RoundingMode rounding;
    std::vector<double> results;
  };
  const std::vector<double> values{-2.5, -1.5, -1.25, -0.5, 0.0, 0.5, 0.75, 1.5, 2.0, 2.5};
  const std::vector<Row> rows{
      {RoundingMode::half_even, {-2, -2, -1, 0, 0, 0, 1, 2, 2, 2}},
      {RoundingMode::half_away, {-3, -2, -1, -1, 0, 1, 1, 2, 2, 3}},
      {RoundingMode::half_inward, {-2, -1, -1, 0, 0, 0, 1, 1, 2, 2}},
      {RoundingMode::floor, {-3, -2, -2, -1, 0, 0, 0, 1, 2, 2}},
      {RoundingMode::ceil, {-2, -1, -1, 0, 0, 1, 1, 2, 2, 3}},
      {RoundingMode::inward, {-2, -1, -1, 0, 0, 0, 0, 1, 2, 2}},
      {RoundingMode::outward, {-3, -2, -2, -1, 0, 1, 1, 2, 2, 3}},
      {RoundingMode::sign, {-1, -1, -1, -1, 1, 1, 1, 1, 1, 1}},
  };
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      CAPTURE(static_cast<int>(row.rounding), values[i]);
      CHECK(round_by(row.rounding, values[i]) == row.results[i]);
    }
  }
}

TEST_CASE("the affine stage multiplies, adds, limits and rounds") {
  // 7 * -0.5 + 1.25 = -2.25
  CHECK(affine(-0.5, 1.25, RoundingMode::half_even, 7) == -2);
  CHECK(affine(-0.5, 1.25, RoundingMode::floor, 7) == -3);
  CHECK(affine(-0.5, 1.25, RoundingMode::half_even, 7, 0, 15) == 0);
  CHECK(affine(2.0, 0.0, RoundingMode::half_even, 1'000'000'000'000) == 100);
  // A tie, which the offset makes: 3 * 0.25 + 0.75 = 1.5.
  CHECK(affine(0.25, 0.75, RoundingMode::half_even, 3) == 2);
  CHECK(affine(0.25, 0.75, RoundingMode::half_inward, 3) == 1);
}

TEST_CASE("a sign is -1 or 1, and 0 is positive") {
  CHECK(affine(0.5, -1.0, RoundingMode::sign, 1, -1, 1) == -1);
  CHECK(affine(0.5, -1.0, RoundingMode::sign, 2, -1, 1) == 1);
  CHECK(affine(-0.5, 1.0, RoundingMode::sign, 3, -1, 1) == -1);
  // Behind a rectifier nothing is negative.
  CHECK(affine(0.5, -1.0, RoundingMode::sign, -9, 1, 1) == 1);
}

TEST_CASE("blocks of accumulators take each channel's factor and summand") {
  std::vector<ChannelScale> scales(2);
  scales[0].scale64 = 0.5;
  scales[0].offset64 = 10.0;
  scales[1].scale64 = -2.0;
  scales[1].offset64 = 0.25;
  const ChannelScales channels(RoundingProfile::affine, scales, 2);
  const std::vector<std::int32_t> in{3, 3, -20, 60};
  std::vector<std::int8_t> out(4);
  const OutputRange range{0, -120, 100, RoundingMode::floor};
  requantize_block<std::int32_t, std::int8_t>(channels, range, {in.data(), 2, 2, 2, 0, out.data(), 2});
  // floor(11.5), floor(-5.75), floor(0), -119.75
  CHECK(out == std::vector<std::int8_t>{11, -6, 0, -120});
}
