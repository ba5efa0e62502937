#include "workloads/graph/quantize_value.h"

#include <catch2/catch.hpp>
#include <limits>

using qsim::quantize_value;

TEST_CASE("floats are quantized with the input's parameters, ties to even, clamped") {
  qsim::Quantization q;
  q.scales = {0.5F};
  q.zero_points = {10};
  CHECK(quantize_value(1.0F, q) == 12);
  CHECK(quantize_value(0.25F, q) == 10);  // 0.5 -> 0
  CHECK(quantize_value(0.75F, q) == 12);  // 1.5 -> 2
  CHECK(quantize_value(-0.75F, q) == 8);  // -1.5 -> -2
  CHECK(quantize_value(1e30F, q) == 127);
  CHECK(quantize_value(-std::numeric_limits<float>::infinity(), q) == -128);
}
