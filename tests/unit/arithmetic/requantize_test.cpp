#include "hw_models/arithmetic/requantize.h"

#include <gemmlowp/fixedpoint/fixedpoint.h>
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

using namespace qsim::arithmetic;

namespace {

constexpr OutputRange kInt8Range{0, -128, 127};
constexpr OutputRange kWideRange{0, std::numeric_limits<std::int32_t>::min(),
                                 std::numeric_limits<std::int32_t>::max()};

std::int32_t round_to(RoundingProfile profile, const ChannelScale& scale, std::int64_t accumulator) {
  return requantize(profile, scale, kWideRange, accumulator);
}

}  // namespace

TEST_CASE("multiply_by_quantized_multiplier equals gemmlowp's steps") {
  std::mt19937_64 generator(11);
  std::uniform_int_distribution<std::int32_t> any(std::numeric_limits<std::int32_t>::min(),
                                                  std::numeric_limits<std::int32_t>::max());
  std::uniform_int_distribution<std::int32_t> mantissa(1 << 30, std::numeric_limits<std::int32_t>::max());
  std::uniform_int_distribution<int> bits(0, 31);
  for (int i = 0; i < 200000; ++i) {
    const std::int32_t x = any(generator) >> bits(generator);
    const std::int32_t m = mantissa(generator);
    const int right_shift = bits(generator);
    const std::int32_t expected =
        gemmlowp::RoundingDivideByPOT(gemmlowp::SaturatingRoundingDoublingHighMul(x, m), right_shift);
    CAPTURE(x, m, right_shift);
    REQUIRE(multiply_by_quantized_multiplier(x, m, -right_shift) == expected);
    const std::int32_t small = x >> 16;
    const int left_shift = right_shift % 15;
    REQUIRE(multiply_by_quantized_multiplier(small, m, left_shift) ==
            gemmlowp::SaturatingRoundingDoublingHighMul(small * (1 << left_shift), m));
  }
}

TEST_CASE("near ties of both roundings multiply_by_quantized_multiplier equals gemmlowp's steps") {
  std::mt19937_64 generator(12);
  std::uniform_int_distribution<std::int32_t> mantissa(1 << 30, std::numeric_limits<std::int32_t>::max());
  std::uniform_int_distribution<std::int64_t> step(-2, 2);
  std::uniform_int_distribution<int> shift(1, 24);
  int ties = 0;
  for (int i = 0; i < 200000; ++i) {
    const std::int32_t m = mantissa(generator);
    const int right_shift = shift(generator);
    // x with x * m / 2^31 / 2^right_shift near k + 1/2: x = (2k + 1) * 2^(30 + right_shift) / m, and its
    // neighbours.
    std::uniform_int_distribution<std::int64_t> half(-(std::int64_t{1} << (30 - right_shift)) / 2,
                                                     (std::int64_t{1} << (30 - right_shift)) / 2);
    const double target =
        (2.0 * static_cast<double>(half(generator)) + 1.0) * std::exp2(30 + right_shift) / m;
    const auto x = static_cast<std::int32_t>(std::llround(std::clamp(target, -2147483640.0, 2147483640.0)) +
                                             step(generator));
    const std::int32_t product = gemmlowp::SaturatingRoundingDoublingHighMul(x, m);
    const std::int32_t remainder = product & ((1 << right_shift) - 1);
    if (remainder == 1 << (right_shift - 1)) ++ties;
    CAPTURE(x, m, right_shift);
    REQUIRE(multiply_by_quantized_multiplier(x, m, -right_shift) ==
            gemmlowp::RoundingDivideByPOT(product, right_shift));
  }
  CHECK(ties > 20000);  // The search finds them.
}

TEST_CASE("a quantized multiplier has a mantissa of 31 bits and gives its value back") {
  std::mt19937_64 generator(3);
  std::uniform_real_distribution<double> exponent(-30.0, 20.0);
  for (int i = 0; i < 1000; ++i) {
    const double m = std::exp2(exponent(generator));
    std::int32_t multiplier = 0;
    std::int32_t shift = 0;
    quantize_multiplier(m, multiplier, shift);
    CHECK(multiplier >= 1 << 30);
    CHECK(std::abs(std::ldexp(multiplier, shift - 31) / m - 1.0) <= std::ldexp(1.0, -31));
  }
  std::int32_t multiplier = -1;
  std::int32_t shift = -1;
  quantize_multiplier(0.0, multiplier, shift);
  CHECK(multiplier == 0);
  CHECK(shift == 0);
  // The mantissa of the largest double below 1 rounds up to 2^31: halved, with one more in the exponent.
  quantize_multiplier(std::nextafter(1.0, 0.0), multiplier, shift);
  CHECK(multiplier == 1 << 30);
  CHECK(shift == 1);
}

TEST_CASE("each profile rounds a tie in its own way") {
  // M = 1/2: 1 -> 0.5, 3 -> 1.5, 5 -> 2.5.
  const ChannelScale half =
      make_channel_scale(RoundingProfile::fixed_point_double_rounding, 0.5F, 1.0F, 1.0F);
  const ChannelScale shift = make_channel_scale(RoundingProfile::power_of_two, 0.5F, 1.0F, 1.0F);
  struct Row {
    std::int64_t accumulator;
    int float32, single_rounding, multiplier_16bit, float64, power_of_two;
  };
  for (const Row& row :
       {Row{1, 0, 1, 1, 1, 1}, Row{3, 2, 2, 2, 2, 2}, Row{5, 2, 3, 3, 3, 3}, Row{-1, 0, 0, 0, -1, -1},
        Row{-3, -2, -1, -1, -2, -2}, Row{-5, -2, -2, -2, -3, -3}}) {
    CAPTURE(row.accumulator);
    CHECK(round_to(RoundingProfile::float32, half, row.accumulator) == row.float32);
    CHECK(round_to(RoundingProfile::fixed_point_single_rounding, half, row.accumulator) ==
          row.single_rounding);
    CHECK(round_to(RoundingProfile::fixed_point_16bit_multiplier, half, row.accumulator) ==
          row.multiplier_16bit);
    CHECK(round_to(RoundingProfile::float64, half, row.accumulator) == row.float64);
    CHECK(round_to(RoundingProfile::power_of_two, shift, row.accumulator) == row.power_of_two);
  }
}

TEST_CASE("double rounding differs from single rounding where the first rounding makes a tie") {
  // acc = 11, M = 3/8 * (1 - 2^-31) as mantissa 0.75 * 2^31, exponent -1: 11 * 0.75 = 8.25 -> 8; 8 / 2 = 4.
  // acc = 6: 4.5 -> 5 (half up); 5 / 2 = 2.5 -> 3, while 6 * 0.375 = 2.25 -> 2 at once.
  ChannelScale scale;
  scale.multiplier = 3 << 29;
  scale.shift = -1;
  CHECK(round_to(RoundingProfile::fixed_point_double_rounding, scale, 11) == 4);
  CHECK(round_to(RoundingProfile::fixed_point_double_rounding, scale, 6) == 3);
  CHECK(round_to(RoundingProfile::fixed_point_single_rounding, scale, 6) == 2);
}

TEST_CASE("float32 multiplies the float32 accumulator by the float32 scale") {
  // 16777217 = 2^24 + 1 is no float32: it becomes 2^24, and 2^24 * 2^-20 = 16.
  ChannelScale scale;
  scale.scale = 0x1p-20F;
  CHECK(requantize(RoundingProfile::float32, scale, kInt8Range, 16777217) == 16);
  // (0.1F * 0.3F) / 0.7F, each operation rounded to float32.
  const float expected = (0.1F * 0.3F) / 0.7F;
  CHECK(make_channel_scale(RoundingProfile::float32, 0.1F, 0.3F, 0.7F).scale == expected);
}

TEST_CASE("float64 keeps what 31 bits of a multiplier round away") {
  // s = 1/2 + 2^-40 is 1/2 as a 31-bit multiplier. -(2^20 + 1) times 1/2 is the tie -2^19 - 1/2, which rounds
  // up; times s it lies below the tie.
  ChannelScale scale;
  scale.scale64 = 0.5 + 0x1p-40;
  quantize_multiplier(scale.scale64, scale.multiplier, scale.shift);
  constexpr OutputRange kNoLimits{0, -(1 << 30), 1 << 30};
  constexpr std::int64_t kAccumulator = -(1 << 20) - 1;
  CHECK(requantize(RoundingProfile::fixed_point_single_rounding, scale, kNoLimits, kAccumulator) ==
        -(1 << 19));
  CHECK(requantize(RoundingProfile::float64, scale, kNoLimits, kAccumulator) == -(1 << 19) - 1);
}

TEST_CASE("the zero point comes after rounding and the clamp after the zero point") {
  const ChannelScale one = make_channel_scale(RoundingProfile::float32, 1.0F, 1.0F, 1.0F);
  for (const RoundingProfile profile :
       {RoundingProfile::float32, RoundingProfile::fixed_point_double_rounding,
        RoundingProfile::fixed_point_single_rounding, RoundingProfile::fixed_point_16bit_multiplier,
        RoundingProfile::float64, RoundingProfile::power_of_two}) {
    CAPTURE(rounding_profile_name(profile));
    ChannelScale scale = one;
    quantize_multiplier(1.0, scale.multiplier, scale.shift);
    if (profile == RoundingProfile::power_of_two) scale.shift = 0;
    CHECK(requantize(profile, scale, {-10, -10, 127}, -5) == -10);
    CHECK(requantize(profile, scale, {-10, -10, 127}, 5) == -5);
    CHECK(requantize(profile, scale, {-10, -10, 127}, 136) == 126);
    CHECK(requantize(profile, scale, {-10, -10, 127}, 137) == 127);
    CHECK(requantize(profile, scale, {-10, -10, 127}, 138) == 127);
    CHECK(requantize(profile, scale, {-10, -10, 127}, std::int64_t{1} << 40) == 127);
  }
}

TEST_CASE("the 16-bit multiplier is the mantissa's upper half, rounded and held below 2^15") {
  CHECK(round_to_16bit_multiplier(1 << 30) == 1 << 14);
  CHECK(round_to_16bit_multiplier((1 << 30) + 0x7FFF) == 1 << 14);
  CHECK(round_to_16bit_multiplier((1 << 30) + 0x8000) == (1 << 14) + 1);
  CHECK(round_to_16bit_multiplier(0x7FFEFFFF) == 0x7FFF);
  CHECK(round_to_16bit_multiplier(0x7FFF0000) == 0x7FFF);
  CHECK(round_to_16bit_multiplier(0x7FFFFFFF) == 0x7FFF);
}

TEST_CASE("a power of two takes the nearest exponent") {
  CHECK(make_channel_scale(RoundingProfile::power_of_two, 1.0F, 1.0F, 1024.0F).shift == -10);
  CHECK(make_channel_scale(RoundingProfile::power_of_two, 1.0F, 1.05F, 1024.0F).shift == -10);
  CHECK(make_channel_scale(RoundingProfile::power_of_two, 4.0F, 1.0F, 1.0F).shift == 2);
}

namespace {

__extension__ using Int128 = __int128;

/// The integer that a rule gives for acc / 2^k, from quotient and rest of a division: no shift, no added
/// half.
Int128 by_rule(ShiftRounding rounding, std::int64_t accumulator, int k) {
  const Int128 divisor = static_cast<Int128>(1) << k;
  Int128 floor = accumulator / divisor;
  Int128 rest = accumulator % divisor;
  if (rest < 0) {
    rest += divisor;
    --floor;
  }
  const bool is_tie = 2 * rest == divisor;
  const bool nearer_above = 2 * rest > divisor;
  switch (rounding) {
    case ShiftRounding::half_up:
      return floor + (nearer_above || is_tie ? 1 : 0);
    case ShiftRounding::half_away:
      return floor + (nearer_above || (is_tie && accumulator > 0) ? 1 : 0);
    case ShiftRounding::half_even:
      return floor + (nearer_above || (is_tie && floor % 2 != 0) ? 1 : 0);
    case ShiftRounding::truncate:
      return floor;
  }
  return 0;
}

constexpr ShiftRounding kShiftRoundings[] = {ShiftRounding::half_up, ShiftRounding::half_away,
                                             ShiftRounding::half_even, ShiftRounding::truncate};

}  // namespace

TEST_CASE("each rule of a shift rounds as its division does, ties and their neighbours too") {
  std::mt19937_64 generator(21);
  std::uniform_int_distribution<std::int64_t> any(-(std::int64_t{1} << 62), std::int64_t{1} << 62);
  std::uniform_int_distribution<int> bits(0, 61);
  std::uniform_int_distribution<int> step(-2, 2);
  constexpr Int128 kMin = std::numeric_limits<std::int32_t>::min();
  constexpr Int128 kMax = std::numeric_limits<std::int32_t>::max();
  int ties = 0;
  for (int i = 0; i < 100000; ++i) {
    const int k = 1 + i % 40;
    const std::int64_t half = std::int64_t{1} << (k - 1);
    std::int64_t accumulator = any(generator) >> bits(generator);
    if (i % 2 == 0) accumulator = (accumulator >> k) * 2 * half + half + step(generator);
    ties += (accumulator & (2 * half - 1)) == half ? 1 : 0;
    ChannelScale scale;
    scale.shift = -k;
    for (const ShiftRounding rule : kShiftRoundings) {
      CAPTURE(shift_rounding_name(rule), accumulator, k);
      const Int128 expected = std::clamp(by_rule(rule, accumulator, k), kMin, kMax);
      REQUIRE(requantize(Rounding(RoundingProfile::power_of_two, rule, 32), scale, kWideRange, accumulator) ==
              static_cast<std::int32_t>(expected));
    }
  }
  CHECK(ties > 5000);
}

TEST_CASE("a shift to the left, and none, rounds nothing by any rule") {
  for (const ShiftRounding rule : kShiftRoundings) {
    const Rounding rounding(RoundingProfile::power_of_two, rule, 32);
    ChannelScale scale;
    CHECK(requantize(rounding, scale, kWideRange, -7) == -7);
    scale.shift = 3;
    CHECK(requantize(rounding, scale, kWideRange, -7) == -56);
    scale.shift = -100;
    CHECK(requantize(rounding, scale, kWideRange, 1) == 0);
    CHECK(requantize(rounding, scale, kWideRange, -1) == (rule == ShiftRounding::truncate ? -1 : 0));
  }
}

TEST_CASE("a narrow multiplier is the nearest of its width") {
  for (int bits = 8; bits <= 32; ++bits) {
    for (const double m : {0.5, 0.7123456, 0.999999999, 1.0 / 3.0, 0.0123}) {
      std::int32_t multiplier = 0;
      std::int32_t shift = 0;
      quantize_multiplier(m, multiplier, shift);
      narrow_multiplier(bits, multiplier, shift);
      CAPTURE(bits, m);
      CHECK(multiplier >= 1 << 30);
      CHECK(multiplier % (std::int64_t{1} << (32 - bits)) == 0);
      // One unit of the last place is 2^-(bits - 1) of the mantissa, which is at least a half.
      const double back = std::ldexp(static_cast<double>(multiplier), shift - 31);
      CHECK(std::abs(back / m - 1.0) <= std::exp2(-(bits - 1)) * 1.0001);
    }
  }
  std::int32_t multiplier = 0x7FFFFFFF;
  std::int32_t shift = -3;
  narrow_multiplier(8, multiplier, shift);
  CHECK(multiplier == 1 << 30);
  CHECK(shift == -2);
}
