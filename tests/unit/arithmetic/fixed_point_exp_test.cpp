#include "hw_models/arithmetic/fixed_point_exp.h"

#include <gemmlowp/fixedpoint/fixedpoint.h>
#include <catch2/catch.hpp>
#include <limits>
#include <random>

using namespace qsim::arithmetic;

TEST_CASE("fixed_point_exp equals gemmlowp's exp_on_negative_values") {
  using Q5 = gemmlowp::FixedPoint<std::int32_t, 5>;
  const auto expected = [](std::int32_t a) { return gemmlowp::exp_on_negative_values(Q5::FromRaw(a)).raw(); };
  std::mt19937 generator(1);
  std::uniform_int_distribution<std::int32_t> argument(std::numeric_limits<std::int32_t>::min(), 0);
  for (int i = 0; i < 100000; ++i) {
    const std::int32_t a = argument(generator) >> (i % 24);
    CAPTURE(a);
    REQUIRE(fixed_point_exp(a) == expected(a));
  }
  for (const std::int32_t a :
       {0, -1, -(1 << 24), -(1 << 24) + 1, -(1 << 26), std::numeric_limits<std::int32_t>::min()}) {
    CHECK(fixed_point_exp(a) == expected(a));
  }
}

TEST_CASE("fixed_point_one_over_one_plus equals gemmlowp's Newton-Raphson division") {
  using Q0 = gemmlowp::FixedPoint<std::int32_t, 0>;
  const auto expected = [](std::int32_t x) {
    return gemmlowp::one_over_one_plus_x_for_x_in_0_1(Q0::FromRaw(x)).raw();
  };
  std::mt19937 generator(2);
  std::uniform_int_distribution<std::int32_t> argument(0, std::numeric_limits<std::int32_t>::max());
  for (int i = 0; i < 100000; ++i) {
    const std::int32_t x = argument(generator);
    CAPTURE(x);
    REQUIRE(fixed_point_one_over_one_plus(x) == expected(x));
  }
  CHECK(fixed_point_one_over_one_plus(0) == expected(0));
  CHECK(fixed_point_one_over_one_plus(std::numeric_limits<std::int32_t>::max()) ==
        expected(std::numeric_limits<std::int32_t>::max()));
}
