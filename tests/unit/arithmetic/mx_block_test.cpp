// Blocks with shared exponents; expected values worked out by hand from the OCP MX specification,
// section 6.3.
#include "hw_models/arithmetic/mx_block.h"

#include <catch2/catch.hpp>

#include "hw_models/hardware_config.h"

namespace qsim::arithmetic {
namespace {

TEST_CASE("A block's exponent is stored behind its elements, and the last block may be shorter") {
  CHECK(mx_stored(1) == 2);
  CHECK(mx_stored(32) == 33);
  CHECK(mx_stored(33) == 35);
  CHECK(mx_channels(33) == 32);
  CHECK(mx_channels(35) == 33);
  CHECK(mx_channels(34) == 0);  // a block of one without an exponent
  CHECK(mx_channels(1) == 0);
  CHECK(mx_element(31) == 31);
  CHECK(mx_element(32) == 33);
  CHECK(mx_exponent(31, 40) == 32);
  CHECK(mx_exponent(32, 40) == 41);
}

TEST_CASE("A shift to the right rounds by the rule of the machine") {
  // 5 / 2 = 2.5, -5 / 2 = -2.5, 7 / 4 = 1.75
  CHECK(shift_right(5, 1, ShiftRounding::half_up) == 3);
  CHECK(shift_right(-5, 1, ShiftRounding::half_up) == -2);
  CHECK(shift_right(5, 1, ShiftRounding::half_away) == 3);
  CHECK(shift_right(-5, 1, ShiftRounding::half_away) == -3);
  CHECK(shift_right(5, 1, ShiftRounding::half_even) == 2);
  CHECK(shift_right(-5, 1, ShiftRounding::half_even) == -2);
  CHECK(shift_right(-5, 1, ShiftRounding::truncate) == -3);
  CHECK(shift_right(7, 2, ShiftRounding::half_even) == 2);
}

TEST_CASE("Sums are exact as long as no bits fall below, and are held where they leave the aligner") {
  constexpr auto kEven = ShiftRounding::half_even;
  CHECK(align(12, -2, kEven).value == 3);
  CHECK_FALSE(align(12, -2, kEven).is_rounded);
  CHECK(align(13, -2, kEven).value == 3);
  CHECK(align(13, -2, kEven).is_rounded);
  CHECK(align(516128, 43, kEven).value == 516128 * (std::int64_t{1} << 43));
  CHECK(align(1, 44, kEven).value == std::int64_t{1} << 62);
  CHECK(align(-1, 300, kEven).value == -(std::int64_t{1} << 62));
  CHECK(align(0, 300, kEven).value == 0);
  CHECK(align(-1, -300, kEven).value == 0);
  CHECK(align(-1, -300, ShiftRounding::truncate).value == -1);
}

TEST_CASE("A block of accumulators gets the exponent of its largest magnitude") {
  // Units of 2^(2 - 12): 1023 is 0.999, below 2^0; 1024 is 1 = 2^0.
  CHECK(mx_scale(1023, 2).exponent == -1);
  CHECK(mx_scale(1024, 2).exponent == 0);
  // 1 = 64 * 2^-6; 1023 / 1024 = 127.875 * 2^-6 * 2^-1, which the largest element stands for.
  CHECK(mx_element_of(1024, mx_scale(1024, 2), ShiftRounding::half_even) == 64);
  CHECK(mx_element_of(1023, mx_scale(1023, 2), ShiftRounding::half_even) == 127);
  CHECK(mx_element_of(-1023, mx_scale(1023, 2), ShiftRounding::half_even) == -127);
  // 3 units alone: e = 1 - 10, m = 3 / 2 * 64.
  CHECK(mx_scale(3, 2).exponent == -9);
  CHECK(mx_element_of(3, mx_scale(3, 2), ShiftRounding::half_even) == 96);
  CHECK(mx_scale(0, 2).exponent == -127);
}

TEST_CASE("Exponents end at 127 on either side") {
  // 2^20 units of 2^(150 - 12) are 2^158: the largest element, 127 * 2^-6 * 2^127.
  CHECK(mx_scale(1 << 20, 150).exponent == 127);
  CHECK(mx_element_of(1 << 20, mx_scale(1 << 20, 150), ShiftRounding::half_even) == 127);
  // 4 units of 2^(-120 - 12) are 2^-130 = 8 * 2^-6 * 2^-127.
  CHECK(mx_scale(4, -120).exponent == -127);
  CHECK(mx_element_of(4, mx_scale(4, -120), ShiftRounding::half_even) == 8);
}

TEST_CASE("The reference puts the foreseen range at the accumulators' top") {
  // Sums below 2^5 in 32 bits: 2^31 units of 2^(5 - 31) = 2^(-14 - 12).
  CHECK(mx_reference(5, 32) == -14);
}

TEST_CASE("A block takes lane cycles of its own, and waits for its last output and its exponent") {
  RequantizerConfig requantizer;
  CHECK(requantizer.block_lane_cycles(16) == 1);
  CHECK(requantizer.block_lane_cycles(40) == 2);
  CHECK(requantizer.block_latency_cycles() == 2);
  requantizer.lanes = 8;
  CHECK(requantizer.block_lane_cycles(16) == 2);
  CHECK(requantizer.block_lane_cycles(40) == 5);
  CHECK(requantizer.block_latency_cycles() == 5);
}

}  // namespace
}  // namespace qsim::arithmetic
