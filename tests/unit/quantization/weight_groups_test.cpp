#include "quantization/weight_groups.h"

#include <catch2/catch.hpp>

using qsim::group_size_of;

TEST_CASE("groups of the size that is asked for where it divides the channels of a tap") {
  CHECK(group_size_of({8, 3, 3, 64}, 32) == 32);
  CHECK(group_size_of({8, 3, 3, 32}, 32) == 32);
  CHECK(group_size_of({10, 64}, 32) == 32);
  CHECK(group_size_of({10, 64}, 1) == 1);
}

TEST_CASE("elsewhere the largest divisor from half of that size on") {
  CHECK(group_size_of({8, 1, 1, 40}, 32) == 20);   // 1 2 4 5 8 10 20
  CHECK(group_size_of({8, 1, 1, 112}, 32) == 28);  // .. 14 16 28
  CHECK(group_size_of({8, 1, 1, 240}, 32) == 30);
  CHECK(group_size_of({8, 3, 3, 16}, 32) == 16);  // half of 32
  CHECK(group_size_of({8, 3, 3, 15}, 32) == 0);
  CHECK(group_size_of({8, 1, 1, 62}, 32) == 31);
  CHECK(group_size_of({8, 1, 1, 34}, 32) == 17);
  CHECK(group_size_of({8, 1, 1, 37}, 32) == 0);  // a prime
}

TEST_CASE("a scale a channel where it is as fine, and for depthwise layers") {
  CHECK(group_size_of({16, 3, 3, 3}, 32) == 0);  // 27 weights
  CHECK(group_size_of({16, 7, 7, 3}, 32) == 0);  // 147, but 3 is far from 32
  CHECK(group_size_of({16, 1, 1, 32}, 32) == 0);
  CHECK(group_size_of({16, 1, 1, 33}, 32) == 0);  // 33 = 3 * 11
  CHECK(group_size_of({32, 5, 5, 1}, 8) == 0);
  CHECK(group_size_of({32, 5, 5, 1}, 1) == 0);
}
