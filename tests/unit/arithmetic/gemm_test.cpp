#include "hw_models/arithmetic/gemm.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <mutex>
#include <random>
#include <stdexcept>

#include "hw_models/arithmetic/kernel_target.h"
#include "naive_gemm.h"

using namespace qsim::arithmetic;

namespace {

/// Restores the free choice of the instruction set.
struct TargetGuard {
  explicit TargetGuard(const std::string& name) { select_kernel_target(name); }
  ~TargetGuard() { select_kernel_target(""); }
  TargetGuard(const TargetGuard&) = delete;
  TargetGuard& operator=(const TargetGuard&) = delete;
};

using Generator = std::mt19937_64;

std::int64_t uniform(Generator& generator, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(generator);
}

/// Values of a format; one in eight is a limit, where sums overflow first.
std::vector<std::int32_t> random_operand(Generator& generator, std::int64_t count, IntegerFormat format) {
  std::vector<std::int32_t> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t choice = uniform(generator, 0, 15);
    const std::int64_t x = choice == 0   ? format.min()
                           : choice == 1 ? format.max()
                                         : uniform(generator, format.min(), format.max());
    values.push_back(static_cast<std::int32_t>(x));
  }
  return values;
}

std::vector<std::int64_t> random_chunk_ends(Generator& generator, std::int64_t depth) {
  const std::int64_t longest =
      std::vector<std::int64_t>{1, 3, 7, 16, 32, depth}[static_cast<std::size_t>(uniform(generator, 0, 5))];
  const bool equal = uniform(generator, 0, 1) == 0;
  std::vector<std::int64_t> ends;
  for (std::int64_t end = 0; end < depth;) {
    end = std::min(depth, end + (equal ? longest : uniform(generator, 1, longest)));
    ends.push_back(end);
  }
  return ends;
}

GemmResult run_gemm(const GemmCase& c, IntegerFormat a_format, IntegerFormat w_format, int threads) {
  const PackedWeights weights(c.w, c.columns, c.depth, w_format);
  GemmOptions options{a_format, c.accumulator, c.chunk_ends, threads};
  GemmResult result;
  result.out.resize(static_cast<std::size_t>(c.rows * c.columns));
  const auto produce = [&](std::int64_t begin, std::int64_t rows, auto* out, std::int64_t stride) {
    for (std::int64_t r = 0; r < rows; ++r) {
      std::copy_n(c.a.begin() + (begin + r) * c.depth, c.depth, out + r * stride);
    }
  };
  const BlockConsumer consume = [&](const AccumulatorBlock& block) {
    for (std::int64_t r = 0; r < block.rows; ++r) {
      for (std::int64_t n = 0; n < c.columns; ++n) {
        const std::int64_t i = r * block.stride + n;
        result.out[static_cast<std::size_t>((block.row_begin + r) * c.columns + n)] =
            block.narrow != nullptr ? block.narrow[i] : block.wide[i];
      }
    }
  };
  if (a_format.max() > 32767) {
    result.stats = gemm_wide(c.rows, weights, c.preload, options, produce, consume);
  } else {
    const RowProducer with_worker = [&](std::int64_t begin, std::int64_t rows, std::int32_t /*worker*/,
                                        std::int16_t* out,
                                        std::int64_t stride) { produce(begin, rows, out, stride); };
    result.stats = gemm(c.rows, weights, c.preload, options, with_worker, consume);
  }
  return result;
}

void check_equal(const GemmResult& got, const GemmResult& expected) {
  CHECK(got.out == expected.out);
  CHECK(got.stats.min == expected.stats.min);
  CHECK(got.stats.max == expected.stats.max);
  CHECK(got.stats.overflows == expected.stats.overflows);
}

GemmCase random_case(Generator& generator, IntegerFormat a_format, IntegerFormat w_format) {
  GemmCase c;
  c.rows = uniform(generator, 1, 40);
  c.columns = uniform(generator, 1, 70);
  c.depth = uniform(generator, 1, 150);
  c.a = random_operand(generator, c.rows * c.depth, a_format);
  c.w = random_operand(generator, c.columns * c.depth, w_format);
  c.chunk_ends = random_chunk_ends(generator, c.depth);
  c.accumulator.width_bits = static_cast<int>(std::vector<std::int64_t>{
      8, 16, 20, 24, 31, 32, 33, 40, 48, 64}[static_cast<std::size_t>(uniform(generator, 0, 9))]);
  c.accumulator.overflow = std::vector<Overflow>{
      Overflow::wrap, Overflow::saturate, Overflow::trap}[static_cast<std::size_t>(uniform(generator, 0, 2))];
  const std::int64_t preload_limit = std::int64_t{1} << uniform(generator, 0, 40);
  for (std::int64_t n = 0; n < c.columns; ++n) {
    c.preload.push_back(uniform(generator, -preload_limit, preload_limit));
  }
  return c;
}

}  // namespace

TEST_CASE("gemm equals the naive product on random shapes, widths, chunks and accumulators") {
  Generator generator(20240607);
  for (const std::string& target : kernel_targets()) {
    const TargetGuard guard(target);
    for (int i = 0; i < 250; ++i) {
      const IntegerFormat a_format{static_cast<int>(uniform(generator, 1, 16)),
                                   uniform(generator, 0, 1) == 0};
      const IntegerFormat w_format{static_cast<int>(uniform(generator, 1, 16)),
                                   uniform(generator, 0, 1) == 0};
      const GemmCase c = random_case(generator, a_format, w_format);
      CAPTURE(target, i, a_format.bits, a_format.is_signed, w_format.bits, w_format.is_signed, c.rows,
              c.columns, c.depth, c.chunk_ends, c.accumulator.width_bits,
              static_cast<int>(c.accumulator.overflow));
      const GemmResult expected = naive_gemm(c);
      check_equal(run_gemm(c, a_format, w_format, 1), expected);
      check_equal(run_gemm(c, a_format, w_format, 2), expected);
    }
  }
}

TEST_CASE("gemm of 8-bit operands is exact on every instruction set, signed and unsigned") {
  Generator generator(7);
  for (const std::string& target : kernel_targets()) {
    const TargetGuard guard(target);
    for (const bool a_signed : {false, true}) {
      for (const bool w_signed : {false, true}) {
        GemmCase c = random_case(generator, {8, a_signed}, {8, w_signed});
        c.accumulator = {32, Overflow::trap};
        std::fill(c.preload.begin(), c.preload.end(), 12345);
        CAPTURE(target, a_signed, w_signed, c.rows, c.columns, c.depth, c.chunk_ends);
        check_equal(run_gemm(c, {8, a_signed}, {8, w_signed}, 1), naive_gemm(c));
      }
    }
  }
}

TEST_CASE("gemm adds products of the most negative 16-bit operands without losing the carry") {
  // -2^15 * -2^15 * 4 = 2^32: past 32 bits after two products, a multiple of 2^32 after four.
  for (const std::string& target : kernel_targets()) {
    const TargetGuard guard(target);
    GemmCase c{1,   1,   4,   std::vector<std::int32_t>(4, -32768), std::vector<std::int32_t>(4, -32768),
               {0}, {4}, {40}};
    const GemmResult result = run_gemm(c, {16, true}, {16, true}, 1);
    CAPTURE(target);
    CHECK(result.out == std::vector<std::int64_t>{std::int64_t{1} << 32});
    CHECK(result.stats.overflows == 0);
  }
}

TEST_CASE("the order of chunks shows where an accumulator saturates") {
  // Chunks of one: 100 + 100 saturates to 127, - 100 = 27. One chunk: 100 + 100 - 100 = 100.
  GemmCase c{1, 1, 3, {10, 10, -10}, {10, 10, 10}, {0}, {1, 2, 3}, {8, Overflow::saturate}};
  const GemmResult apart = run_gemm(c, {8, true}, {8, true}, 1);
  CHECK(apart.out == std::vector<std::int64_t>{27});
  CHECK(apart.stats.overflows == 1);
  CHECK(apart.stats.max == 200);
  c.chunk_ends = {3};
  const GemmResult together = run_gemm(c, {8, true}, {8, true}, 1);
  CHECK(together.out == std::vector<std::int64_t>{100});
  CHECK(together.stats.overflows == 0);
}

TEST_CASE("the preload is fitted to the accumulator and observed once an output element") {
  GemmCase c{3, 2, 1, {0, 0, 0}, {1, 1}, {128, 5}, {1}, {8, Overflow::wrap}};
  const GemmResult result = run_gemm(c, {8, true}, {8, true}, 1);
  CHECK(result.out == std::vector<std::int64_t>{-128, 5, -128, 5, -128, 5});
  CHECK(result.stats.max == 128);
  CHECK(result.stats.min == -128);
  CHECK(result.stats.overflows == 3);
}

TEST_CASE("threads share the rows and change nothing") {
  Generator generator(99);
  GemmCase c = random_case(generator, {8, true}, {8, true});
  c.rows = 1000;
  c.a = random_operand(generator, c.rows * c.depth, {8, true});
  const GemmResult expected = naive_gemm(c);
  for (const int threads : {1, 2, 5}) {
    CAPTURE(threads);
    check_equal(run_gemm(c, {8, true}, {8, true}, threads), expected);
  }
}

TEST_CASE("an exception of the producer ends the product and reaches the caller") {
  const std::vector<std::int32_t> w{1};
  const PackedWeights weights(w, 1, 1, {8, true});
  const std::vector<std::int64_t> preload{0};
  GemmOptions options;
  options.threads = 2;
  const RowProducer produce = [](std::int64_t begin, std::int64_t, std::int32_t, std::int16_t*,
                                 std::int64_t) {
    if (begin > 0) throw std::runtime_error("no rows");
  };
  CHECK_THROWS_AS(gemm(1000, weights, preload, options, produce, [](const AccumulatorBlock&) {}),
                  std::runtime_error);
}

TEST_CASE("gemm of no rows or no columns does nothing") {
  const PackedWeights none({}, 0, 4, {8, true});
  const auto produce = [](std::int64_t, std::int64_t, std::int32_t, std::int16_t*, std::int64_t) { FAIL(); };
  const auto consume = [](const AccumulatorBlock&) { FAIL(); };
  CHECK(gemm(5, none, {}, {}, produce, consume).overflows == 0);
}

TEST_CASE("the portable kernels are always there and come last") {
  const std::vector<std::string> targets = kernel_targets();
  REQUIRE_FALSE(targets.empty());
  CHECK(targets.back() == "portable");
}
