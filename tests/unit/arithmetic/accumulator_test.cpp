#include "hw_models/arithmetic/accumulator.h"

#include <catch2/catch.hpp>
#include <limits>

using namespace qsim::arithmetic;

TEST_CASE("an accumulator of N bits holds -2^(N-1) to 2^(N-1)-1 and nothing more") {
  for (int bits = 8; bits <= 63; ++bits) {
    CAPTURE(bits);
    const std::int64_t limit = std::int64_t{1} << (bits - 1);
    const AccumulatorFormat format{bits, Overflow::wrap};
    AccumulatorStats stats;
    CHECK(accumulate(format, limit - 1, stats) == limit - 1);
    CHECK(accumulate(format, -limit, stats) == -limit);
    CHECK(stats.overflows == 0);
    CHECK(accumulate(format, limit, stats) == -limit);
    CHECK(accumulate(format, -limit - 1, stats) == limit - 1);
    CHECK(stats.overflows == 2);
  }
}

TEST_CASE("a saturating accumulator stays at its limit, a trapping one counts and wraps") {
  AccumulatorStats stats;
  CHECK(accumulate({24, Overflow::saturate}, 8388607, stats) == 8388607);
  CHECK(accumulate({24, Overflow::saturate}, 8388608, stats) == 8388607);
  CHECK(accumulate({24, Overflow::saturate}, -8388609, stats) == -8388608);
  CHECK(stats.overflows == 2);
  CHECK(accumulate({24, Overflow::trap}, 8388608, stats) == -8388608);
  CHECK(stats.overflows == 3);
}

TEST_CASE("statistics see the value before overflow is handled") {
  AccumulatorStats stats;
  CHECK(accumulate({8, Overflow::wrap}, 300, stats) == 300 - 256);
  CHECK(stats.max == 300);
  CHECK(stats.min == 300);
  AccumulatorStats other;
  CHECK(accumulate({8, Overflow::wrap}, -5, other) == -5);
  stats.merge(other);
  CHECK(stats.min == -5);
  CHECK(stats.max == 300);
  CHECK(stats.overflows == 1);
}

TEST_CASE("signed_bits is the width of the smallest register that holds a range") {
  CHECK(signed_bits(0, 0) == 1);
  CHECK(signed_bits(-1, 0) == 1);
  CHECK(signed_bits(0, 1) == 2);
  CHECK(signed_bits(-128, 127) == 8);
  CHECK(signed_bits(-128, 128) == 9);
  CHECK(signed_bits(-129, 127) == 9);
  CHECK(signed_bits(std::numeric_limits<std::int64_t>::min(), 0) == 64);
}
