#include "hw_models/arithmetic/requantize_block.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "hw_models/arithmetic/gemm.h"
#include "hw_models/arithmetic/kernel_target.h"

using namespace qsim::arithmetic;

namespace {

constexpr RoundingProfile kProfiles[] = {RoundingProfile::float32,
                                         RoundingProfile::fixed_point_double_rounding,
                                         RoundingProfile::fixed_point_single_rounding,
                                         RoundingProfile::fixed_point_16bit_multiplier,
                                         RoundingProfile::float64,
                                         RoundingProfile::power_of_two};

template <class Accumulator, class Output>
void check_block(const Rounding& rounding, int largest_exponent, std::mt19937_64& generator) {
  constexpr std::int64_t kRows = 7;
  constexpr std::int64_t kColumns = 301;
  std::uniform_real_distribution<float> exponent(-20.0F, static_cast<float>(largest_exponent));
  std::vector<ChannelScale> scales;
  for (std::int64_t n = 0; n < kColumns; ++n) {
    scales.push_back(make_channel_scale(rounding, std::exp2(exponent(generator)), 0.9F, 1.1F));
  }
  std::uniform_int_distribution<Accumulator> any(std::numeric_limits<Accumulator>::min() / 2,
                                                 std::numeric_limits<Accumulator>::max() / 2);
  std::uniform_int_distribution<int> bits(0, static_cast<int>(sizeof(Accumulator)) * 8 - 2);
  std::vector<Accumulator> in;
  for (std::int64_t i = 0; i < kRows * kColumns; ++i) in.push_back(any(generator) >> bits(generator));
  using Limits = std::numeric_limits<Output>;
  const OutputRange range{3, static_cast<std::int32_t>(Limits::min()),
                          static_cast<std::int32_t>(Limits::max())};
  std::vector<Output> out(in.size());
  const ChannelScales channel_scales(rounding, scales, kColumns);
  requantize_block(
      channel_scales, range,
      RequantizeBlock<Accumulator, Output>{in.data(), kColumns, kRows, kColumns, 0, out.data(), kColumns});
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::int32_t expected = requantize(rounding, scales[i % kColumns], range, in[i]);
    CAPTURE(rounding_profile_name(rounding.profile), shift_rounding_name(rounding.shift), in[i], i,
            largest_exponent);
    REQUIRE(static_cast<std::int32_t>(out[i]) == expected);
  }
}

}  // namespace

TEST_CASE("requantize_block equals requantize on every profile, type and instruction set") {
  std::mt19937_64 generator(17);
  for (const std::string& target : kernel_targets()) {
    select_kernel_target(target);
    CAPTURE(target);
    for (const RoundingProfile profile : kProfiles) {
      for (const int largest_exponent : {-1, 8, 25}) {
        check_block<std::int32_t, std::int8_t>(profile, largest_exponent, generator);
        check_block<std::int32_t, std::uint8_t>(profile, largest_exponent, generator);
        check_block<std::int32_t, std::int16_t>(profile, largest_exponent, generator);
        check_block<std::int32_t, std::uint16_t>(profile, largest_exponent, generator);
        check_block<std::int32_t, std::int32_t>(profile, largest_exponent, generator);
        check_block<std::int64_t, std::int8_t>(profile, largest_exponent, generator);
        check_block<std::int64_t, std::int16_t>(profile, largest_exponent, generator);
      }
    }
  }
  select_kernel_target("");
}

TEST_CASE("requantize_block equals requantize with every rule of a shift and width of a multiplier") {
  std::mt19937_64 generator(18);
  for (const std::string& target : kernel_targets()) {
    select_kernel_target(target);
    CAPTURE(target);
    for (const ShiftRounding shift : {ShiftRounding::half_up, ShiftRounding::half_away,
                                      ShiftRounding::half_even, ShiftRounding::truncate}) {
      const Rounding rounding(RoundingProfile::power_of_two, shift, 32);
      check_block<std::int32_t, std::int8_t>(rounding, 8, generator);
      check_block<std::int64_t, std::int16_t>(rounding, 8, generator);
    }
    for (const int bits : {8, 17}) {
      for (const RoundingProfile profile :
           {RoundingProfile::fixed_point_double_rounding, RoundingProfile::fixed_point_single_rounding}) {
        check_block<std::int32_t, std::int8_t>(Rounding(profile, ShiftRounding::half_up, bits), 8, generator);
      }
    }
  }
  select_kernel_target("");
}

TEST_CASE("one scale stands for all channels, and a block may begin at any channel") {
  const RoundingProfile profile = RoundingProfile::float32;
  const std::vector<ChannelScale> one{make_channel_scale(profile, 0.5F, 1.0F, 1.0F)};
  std::vector<ChannelScale> many;
  for (int n = 0; n < 40; ++n) many.push_back(make_channel_scale(profile, static_cast<float>(n), 1.0F, 1.0F));
  const std::vector<std::int32_t> in(20, 2);
  std::vector<std::int8_t> out(20);
  const OutputRange range{0, -128, 127};
  requantize_block(ChannelScales(profile, one, 40), range,
                   RequantizeBlock<std::int32_t, std::int8_t>{in.data(), 20, 1, 20, 20, out.data(), 20});
  CHECK(out == std::vector<std::int8_t>(20, 1));
  requantize_block(ChannelScales(profile, many, 40), range,
                   RequantizeBlock<std::int32_t, std::int8_t>{in.data(), 20, 1, 20, 20, out.data(), 20});
  for (std::size_t n = 0; n < out.size(); ++n) CHECK(static_cast<std::size_t>(out[n]) == 2 * (20 + n));
}
