#include "hw_models/arithmetic/depthwise.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "hw_models/arithmetic/gemm.h"
#include "hw_models/arithmetic/kernel_target.h"
#include "naive_gemm.h"

using namespace qsim::arithmetic;

namespace {

/// Each channel is a product of one column: the naive gemm of that column alone.
GemmResult naive_channel(const std::vector<std::int16_t>& a, const std::vector<std::int32_t>& w,
                         std::int64_t channels, std::int64_t n, const GemmCase& shape) {
  GemmCase c = shape;
  c.columns = 1;
  for (std::int64_t i = 0; i < c.rows * c.depth; ++i)
    c.a.push_back(a[static_cast<std::size_t>(i * channels + n)]);
  for (std::int64_t t = 0; t < c.depth; ++t) c.w.push_back(w[static_cast<std::size_t>(t * channels + n)]);
  c.preload = {shape.preload[static_cast<std::size_t>(n)]};
  return naive_gemm(c);
}

void check_random_case(std::mt19937& generator) {
  const auto uniform = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(generator);
  };
  GemmCase shape;
  shape.rows = uniform(1, 6);
  shape.depth = uniform(1, 12);
  const std::int64_t channels = uniform(1, 40);
  const IntegerFormat a_format{static_cast<int>(uniform(1, 16)), true};
  const IntegerFormat w_format{static_cast<int>(uniform(1, 16)), true};
  shape.accumulator = {static_cast<int>(uniform(8, 40)), static_cast<Overflow>(uniform(0, 2))};
  for (std::int64_t end = 0; end < shape.depth;) {
    end = std::min(shape.depth, end + uniform(1, 5));
    shape.chunk_ends.push_back(end);
  }
  std::vector<std::int16_t> a;
  for (std::int64_t i = 0; i < shape.rows * shape.depth * channels; ++i) {
    a.push_back(static_cast<std::int16_t>(uniform(a_format.min(), a_format.max())));
  }
  std::vector<std::int32_t> w;
  for (std::int64_t i = 0; i < shape.depth * channels; ++i) {
    w.push_back(static_cast<std::int32_t>(uniform(w_format.min(), w_format.max())));
  }
  for (std::int64_t n = 0; n < channels; ++n) shape.preload.push_back(uniform(-1000, 1000));
  std::vector<const std::int16_t*> pixel_taps;
  for (std::int64_t i = 0; i < shape.rows * shape.depth; ++i) pixel_taps.push_back(a.data() + i * channels);

  DepthwiseAccumulators out;
  const AccumulatorStats stats = depthwise(DepthwiseWeights(w, shape.depth, channels), shape.preload,
                                           {a_format, shape.accumulator, shape.chunk_ends}, pixel_taps, out);
  AccumulatorStats expected_stats;
  for (std::int64_t n = 0; n < channels; ++n) {
    const GemmResult expected = naive_channel(a, w, channels, n, shape);
    expected_stats.merge(expected.stats);
    for (std::int64_t p = 0; p < shape.rows; ++p) {
      const auto i = static_cast<std::size_t>(p * channels + n);
      REQUIRE((out.wide.empty() ? out.narrow[i] : out.wide[i]) == expected.out[static_cast<std::size_t>(p)]);
    }
  }
  CHECK(stats.min == expected_stats.min);
  CHECK(stats.max == expected_stats.max);
  CHECK(stats.overflows == expected_stats.overflows);
}

}  // namespace

TEST_CASE("depthwise equals the naive product of every channel on every instruction set") {
  std::mt19937 generator(31);
  for (const std::string& target : kernel_targets()) {
    select_kernel_target(target);
    CAPTURE(target);
    for (int i = 0; i < 200; ++i) check_random_case(generator);
  }
  select_kernel_target("");
}
