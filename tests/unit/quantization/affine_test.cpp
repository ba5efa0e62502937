#include "quantization/affine.h"

#include <catch2/catch.hpp>

using namespace qsim;

TEST_CASE("an asymmetric grid covers its range and has an integer for zero") {
  // (3 - -1) / 255 = 0.0156862745; -(-1) / s = 63.75 -> 64
  const Quantization u = affine_quantization({-1.0F, 3.0F}, 8, false);
  CHECK(u.scale() == Approx(4.0 / 255.0));
  CHECK(u.zero_point() == 64);
  const Quantization s = affine_quantization({-1.0F, 3.0F}, 8, true);
  CHECK(s.scale() == u.scale());
  CHECK(s.zero_point() == 64 - 128);
  // 4 bits: 4 / 15, zero at 3.75 -> 4
  const Quantization narrow = affine_quantization({-1.0F, 3.0F}, 4, false);
  CHECK(narrow.scale() == Approx(4.0 / 15.0));
  CHECK(narrow.zero_point() == 4);
}

TEST_CASE("a range without zero is widened to it") {
  const Quantization above = affine_quantization({2.0F, 5.1F}, 8, false);
  CHECK(above.scale() == Approx(5.1 / 255.0));
  CHECK(above.zero_point() == 0);
  const Quantization below = affine_quantization({-5.1F, -2.0F}, 8, true);
  CHECK(below.scale() == Approx(5.1 / 255.0));
  CHECK(below.zero_point() == 127);
}

TEST_CASE("nothing but zeros gets scale 1") {
  CHECK(affine_quantization({}, 8, true).scale() == 1.0F);
  CHECK(symmetric_scale(0.0F, 8) == 1.0F);
}

TEST_CASE("a symmetric grid divides the greatest magnitude by 2^(b-1) - 1") {
  CHECK(symmetric_scale(6.35F, 8) == Approx(0.05));
  CHECK(symmetric_scale(2.1F, 4) == Approx(0.3));
  CHECK(symmetric_quantization(2.1F, 4).zero_point() == 0);
}

TEST_CASE("the error of a value is what rounding or clipping takes from it") {
  const Quantization grid = symmetric_quantization(12.7F, 8);  // steps of 0.1, -12.8 to 12.7
  CHECK(squared_error(0.34, grid) == Approx(0.04 * 0.04).epsilon(1e-3));
  CHECK(squared_error(14.7, grid) == Approx(4.0).epsilon(1e-3));
}
