// The affine stage: what lies between two quantizers of QONNX.
#include <catch2/catch.hpp>
#include <vector>

#include "hw_models/arithmetic/requantize_block.h"
#include "hw_models/arithmetic/thresholds.h"

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

TEST_CASE("thresholds say where the affine function reaches an output") {
  ChannelScale scale;
  scale.scale64 = 0.5;
  // q = floor(acc / 2), 0 to 3: from 2, 4 and 6 on.
  const OutputRange range{0, 0, 3, RoundingMode::floor};
  const ChannelThresholds rising = make_thresholds(scale, range, 16);
  CHECK(!rising.falls);
  CHECK(rising.values == std::vector<std::int64_t>{2, 4, 6});
  // q = floor(3 - acc / 2): up to 4, 2 and 0.
  scale.scale64 = -0.5;
  scale.offset64 = 3.0;
  const ChannelThresholds falling = make_thresholds(scale, range, 16);
  CHECK(falling.falls);
  CHECK(falling.values == std::vector<std::int64_t>{4, 2, 0});
}

TEST_CASE("what no accumulator reaches has a threshold outside of them") {
  ChannelScale scale;
  scale.scale64 = 0.0;
  scale.offset64 = 1.0;
  const ChannelThresholds constant = make_thresholds(scale, {0, 0, 3, RoundingMode::half_even}, 8);
  CHECK(constant.values == std::vector<std::int64_t>{-128, 128, 128});
  scale.scale64 = -1.0;
  scale.offset64 = -1000.0;
  CHECK(make_thresholds(scale, {0, -1, 1, RoundingMode::sign}, 8).values == std::vector<std::int64_t>{-129});
}

TEST_CASE("thresholds give the outputs of the affine stage for every accumulator") {
  const std::vector<RoundingMode> modes{
      RoundingMode::half_even, RoundingMode::half_away, RoundingMode::half_inward, RoundingMode::floor,
      RoundingMode::ceil,      RoundingMode::inward,    RoundingMode::outward,     RoundingMode::sign};
  for (const RoundingMode mode : modes) {
    for (const double multiplier : {0.25, -0.25, 0.013, -7.0, 0.0}) {
      for (const double offset : {0.0, 0.5, -3.3, 100.0}) {
        ChannelScale scale;
        scale.scale64 = multiplier;
        scale.offset64 = offset;
        const bool is_sign = mode == RoundingMode::sign;
        const OutputRange range{0, is_sign ? -1 : -7, is_sign ? 1 : 8, mode};
        const ChannelThresholds thresholds = make_thresholds(scale, range, 12);
        REQUIRE(static_cast<std::int64_t>(thresholds.values.size()) == threshold_count(range));
        for (std::int64_t accumulator = -2048; accumulator < 2048; ++accumulator) {
          CAPTURE(static_cast<int>(mode), multiplier, offset, accumulator);
          REQUIRE(thresholds.output(range, accumulator) ==
                  requantize(RoundingProfile::affine, scale, range, accumulator));
        }
      }
    }
  }
}
